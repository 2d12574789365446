/** Verification off the page's own thread. */
import { gate, NotHandedOut, pieces } from './ahead';
import type { Place } from './files';
import type { Trust } from './keys';
import { verify, type Progress, type Report } from './verify';

/** What is to be verified: a recording of the gate by the address of its bundle, or files of a folder by their paths. */
export type Wanted = { base: string } | { files: Map<string, File> };

/** To the worker; `recipients` are the public halves of the identities that the page has. */
export type Asked =
  | { kind: 'verify'; wanted: Wanted; trust: Trust; recipients: readonly string[] | null }
  | { kind: 'opened'; path: string; bytes: Uint8Array | null };

/** Why nothing was verified: the gate does not hand it out, or something else. */
export type Failure = 'not-handed-out' | 'signed-out' | 'other';

/** From the worker. */
export type Told =
  | { kind: 'progress'; progress: Progress }
  | { kind: 'open'; path: string; bytes: Uint8Array }
  | { kind: 'done'; report: Report }
  | { kind: 'failed'; why: Failure };

/** Progress is told this often at most, in milliseconds. */
const TELL_EVERY = 100;

const opening = new Map<string, (bytes: Uint8Array | null) => void>();
let told = 0;

const tell = (word: Told, handed: Transferable[] = []) => postMessage(word, { transfer: handed });

addEventListener('message', ({ data }: MessageEvent<Asked>) => {
  if (data.kind === 'opened') {
    opening.get(data.path)?.(data.bytes);
    opening.delete(data.path);
    return;
  }
  const { wanted, trust, recipients } = data;
  const place = 'base' in wanted ? gate(wanted.base) : folder(wanted.files);
  verify(place, trust, progress, recipients && { recipients, open }).then(
    (report) => tell({ kind: 'done', report }),
    (thrown: unknown) => tell({ kind: 'failed', why: failureOf(thrown) }),
  );
});

function failureOf(thrown: unknown): Failure {
  if (!(thrown instanceof NotHandedOut)) return 'other';
  return thrown.status === 401 ? 'signed-out' : 'not-handed-out';
}

function progress(progress: Progress): void {
  const now = performance.now();
  if (now - told < TELL_EVERY) return;
  told = now;
  tell({ kind: 'progress', progress });
}

/** The identity is the page's: what is encrypted is handed over to be opened, a file at a time. */
async function open(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  const opened = new Promise<Uint8Array | null>((resolve) => opening.set(path, resolve));
  tell({ kind: 'open', path, bytes }, bytes.byteLength === bytes.buffer.byteLength ? [bytes.buffer] : []);
  const plain = await opened;
  if (!plain) throw new Error(path);
  return plain;
}

function folder(files: Map<string, File>): Place {
  return {
    list: async () => new Map([...files].map(([path, { size }]) => [path, size])),
    async *read(path) {
      const file = files.get(path);
      if (file) yield* pieces(file.stream());
    },
  };
}
