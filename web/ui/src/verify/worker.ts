/** Verification off the page's own thread. */
import { verify, type Progress, type Report } from './verify';
import type { Place } from './files';
import type { Trust } from './keys';

/** What is to be verified: a recording of the gate by the address of its bundle, or files of a folder by their paths. */
export type Wanted = { base: string } | { files: Map<string, File> };

/** To the worker. */
export type Asked =
  | { kind: 'verify'; wanted: Wanted; trust: Trust; opens: boolean }
  | { kind: 'opened'; path: string; bytes: Uint8Array | null };

/** From the worker. */
export type Told =
  | { kind: 'progress'; progress: Progress }
  | { kind: 'open'; path: string; bytes: Uint8Array }
  | { kind: 'done'; report: Report }
  | { kind: 'failed'; why: 'not-handed-out' | 'other' };

/** Progress is told this often at most, in milliseconds. */
const TELL_EVERY = 100;

const opening = new Map<string, (bytes: Uint8Array | null) => void>();
let told = 0;

const tell = (word: Told) => postMessage(word);

addEventListener('message', ({ data }: MessageEvent<Asked>) => {
  if (data.kind === 'opened') {
    opening.get(data.path)?.(data.bytes);
    opening.delete(data.path);
    return;
  }
  const { wanted, trust, opens } = data;
  const place = 'base' in wanted ? gate(wanted.base) : folder(wanted.files);
  verify(place, trust, progress, opens ? open : null).then(
    (report) => tell({ kind: 'done', report }),
    (thrown: unknown) =>
      tell({ kind: 'failed', why: thrown instanceof NotHandedOut ? 'not-handed-out' : 'other' }),
  );
});

function progress(progress: Progress): void {
  const now = performance.now();
  if (now - told < TELL_EVERY) return;
  told = now;
  tell({ kind: 'progress', progress });
}

/** The identity is the page's: what is encrypted is sent there to be opened. */
async function open(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  const opened = new Promise<Uint8Array | null>((resolve) => opening.set(path, resolve));
  tell({ kind: 'open', path, bytes });
  const plain = await opened;
  if (!plain) throw new Error(path);
  return plain;
}

class NotHandedOut extends Error {}

/** A bundle at the gate: the very addresses that the player reads, and those of chain and seal beside them. */
function gate(base: string): Place {
  const get = async (path: string) => {
    const answer = await fetch(`${base}/${path}`, { credentials: 'same-origin', cache: 'no-store' });
    if (!answer.ok) throw path === 'bundle' && answer.status === 404 ? new NotHandedOut() : new Error(path);
    return answer;
  };
  return {
    async list() {
      const { files } = (await (await get('bundle')).json()) as { files: { path: string; bytes: number }[] };
      return new Map(files.map(({ path, bytes }) => [path, bytes]));
    },
    read: async (path) => new Uint8Array(await (await get(path)).arrayBuffer()),
  };
}

function folder(files: Map<string, File>): Place {
  return {
    list: async () => new Map([...files].map(([path, { size }]) => [path, size])),
    read: async (path) => new Uint8Array((await files.get(path)?.arrayBuffer()) ?? new ArrayBuffer()),
  };
}
