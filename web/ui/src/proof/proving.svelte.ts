/** One verification from the page's side: what is given, how far it is, what it found. */
import type { Trust } from '../verify/keys';
import type { Opens, Progress, Report } from '../verify/verify';
import type { Asked, Failure, Told, Wanted } from '../verify/worker';

/** Seconds over which the rate is told: what the connection does now, and not what it did at first. */
const WINDOW = 3;

export class Proving {
  progress = $state.raw<Progress | null>(null);
  /** Bytes a second, of late. */
  rate = $state(0);
  report = $state.raw<Report | null>(null);
  failed = $state<Failure | null>(null);

  #worker: Worker | null = null;
  #marks: { at: number; bytes: number }[] = [];

  get working(): boolean {
    return this.progress !== null;
  }

  /** Begins; `opens` opens what is encrypted. */
  begin(wanted: Wanted, trust: Trust, opens: Opens | null): void {
    this.stop();
    [this.report, this.failed] = [null, null];
    this.progress = { bytes: 0, of: 0, files: 0, ofFiles: 0 };
    [this.#marks, this.rate] = [[], 0];
    const worker = new Worker(new URL('../verify/worker.ts', import.meta.url), { type: 'module' });
    this.#worker = worker;
    const ask = (word: Asked, handed: Transferable[] = []) => worker.postMessage(word, handed);
    worker.onmessage = ({ data }: MessageEvent<Told>) => {
      if (data.kind === 'progress') this.#goOn(data.progress);
      else if (data.kind === 'open') {
        const { path, bytes } = data;
        const opened = opens ? opens.open(bytes, path) : Promise.reject(new Error(path));
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
    // What is asked for is copied: a proxy of the page's state cannot be.
    const plain = { keys: trust.keys, validity: trust.validity, authorities: trust.authorities };
    ask({ kind: 'verify', wanted, trust: plain, recipients: opens ? [...opens.recipients] : null });
  }

  stop(): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.progress = null;
  }

  #goOn(progress: Progress): void {
    this.progress = progress;
    const at = performance.now() / 1000;
    this.#marks = [...this.#marks.filter((mark) => at - mark.at <= WINDOW), { at, bytes: progress.bytes }];
    const [first] = this.#marks;
    if (first && at > first.at) this.rate = (progress.bytes - first.bytes) / (at - first.at);
  }
}

/** Files of a chosen folder by their paths below it; what an operating system leaves about is left out by nobody. */
export function pathsOf(files: FileList): Map<string, File> {
  return new Map([...files].map((file) => [file.webkitRelativePath.split('/').slice(1).join('/'), file]));
}
