/** The desktop behind a session, looked at from its own side: its X display, inside its own namespaces. */
import { execFile, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { until } from './until.mjs';

export class Desktop {
  constructor(server, display) {
    this.server = server;
    this.display = display;
  }

  /** Finds the desktop of a session among the processes of this machine. */
  static find(session) {
    return until('the session has a desktop', () => Desktop.now(session));
  }

  /** The desktop that a session has at this moment, or null. */
  static now(session) {
    const [server, display] = seek(session);
    return server && display ? new Desktop(server, display) : null;
  }

  /** Whether any process of a session runs. */
  static runs(session) {
    return seek(session).some((found) => found !== null);
  }

  /** Runs an X program there and returns what it printed, or null when it failed. */
  run(program, args) {
    return new Promise((done) => {
      execFile('nsenter', this.#words(program, args), this.#options(), (error, out) =>
        done(error ? null : out),
      );
    });
  }

  /** What the clipboard holds; null when nobody owns it. */
  clipboard() {
    return this.run('xclip', ['-selection', 'clipboard', '-o']);
  }

  /** Puts text on the clipboard, as a program there does; returns the process that owns it. */
  copy(text) {
    const owner = spawn('nsenter', this.#words('xclip', ['-selection', 'clipboard', '-quiet']), {
      ...this.#options(),
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    owner.stdin.end(text);
    return owner;
  }

  #words(program, args) {
    return ['--target', String(this.server), '--mount', '--ipc', '--net', '--', program, ...args];
  }

  #options() {
    return { env: { ...process.env, DISPLAY: this.display } };
  }
}

/** The VNC server's process and the display of a session, each null where there is none. */
function seek(session) {
  let [server, display] = [null, null];
  for (const process of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const environment = words(`/proc/${process}/environ`);
    if (!environment.includes(`PORTCULLIS_DESKTOP=${session}`)) continue;
    if (words(`/proc/${process}/cmdline`)[0]?.endsWith('Xvnc')) server = process;
    display ??= environment.find((word) => word.startsWith('DISPLAY='))?.slice('DISPLAY='.length) ?? null;
  }
  return [server, display];
}

function words(path) {
  try {
    return readFileSync(path, 'utf8').split('\0');
  } catch {
    // A process that has ended meanwhile.
    return [];
  }
}
