/** One verification from the page's side: what is given, how far it is, what it found. */
import type { Trust } from '../verify/keys';
import type { Open, Progress, Report } from '../verify/verify';
import type { Asked, Told, Wanted } from '../verify/worker';

export class Proving {
  trust = $state.raw<Trust | null>(null);
  /** What was given holds no key. */
  noKeys = $state(false);
  progress = $state.raw<Progress | null>(null);
  report = $state.raw<Report | null>(null);
  failed = $state<'not-handed-out' | 'other' | null>(null);

  #worker: Worker | null = null;

  get working(): boolean {
    return this.progress !== null;
  }

  /** Takes the keys of a file. */
  async give(file: File): Promise<void> {
    const { trustOf } = await import('../verify/keys');
    this.trust = await trustOf(await file.text());
    this.noKeys = this.trust === null;
    this.report = null;
  }

  /** Begins; `open` opens what is encrypted. */
  begin(wanted: Wanted, open: Open | null): void {
    if (!this.trust) return;
    this.stop();
    [this.report, this.failed, this.progress] = [null, null, { bytes: 0, of: 0 }];
    const worker = new Worker(new URL('../verify/worker.ts', import.meta.url), { type: 'module' });
    this.#worker = worker;
    const ask = (word: Asked) => worker.postMessage(word);
    worker.onmessage = ({ data }: MessageEvent<Told>) => {
      if (data.kind === 'progress') this.progress = data.progress;
      else if (data.kind === 'open') {
        const { path, bytes } = data;
        const opened = open ? open(bytes, path) : Promise.reject(new Error(path));
        opened.then(
          (plain) => ask({ kind: 'opened', path, bytes: plain }),
          () => ask({ kind: 'opened', path, bytes: null }),
        );
      } else {
        if (data.kind === 'done') this.report = data.report;
        else this.failed = data.why;
        this.stop();
      }
    };
    worker.onerror = () => {
      this.failed = 'other';
      this.stop();
    };
    ask({ kind: 'verify', wanted, trust: this.trust, opens: open !== null });
  }

  stop(): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.progress = null;
  }
}

/** Files of a chosen folder by their paths below it; what an operating system leaves about is left out by nobody. */
export function pathsOf(files: FileList): Map<string, File> {
  return new Map([...files].map((file) => [file.webkitRelativePath.split('/').slice(1).join('/'), file]));
}
