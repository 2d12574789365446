/** A bundle at the gate, read in the order in which a verifier goes through it: what comes next is asked for while the present file is hashed. */
import { NoBundle, type Place } from './files';

/** Files that are asked for before they are wanted: more would take connections from the player. */
const AHEAD = 2;
/** The ends of a bundle, in the order in which they are read. */
const ENDS = [
  'seal.json',
  'session.json',
  'seal.tsr',
  'expired.json',
  'replaced.json',
  'SHA256SUMS',
  'index.m3u8',
  'derivation.json',
];

/** What the gate answers other than with the files. */
export class NotHandedOut extends Error {
  constructor(readonly status: number) {
    super(String(status));
  }
}

interface Listing {
  files: { path: string; bytes: number }[];
  /** Names that no bundle has, or of what is no file. */
  extra?: string[];
}

/** A file that was asked for. */
interface Coming {
  answer: Promise<Response>;
  abort: AbortController;
}

/** The bundle whose list lies at `base`, an address without a slash at its end. */
export function gate(base: string, fetching: typeof fetch = fetch): Place {
  const asked = new Map<string, Coming>();
  let [order, places] = [[] as string[], new Map<string, number>()];

  function ask(address: string): Coming {
    const abort = new AbortController();
    // What lies there now is what is proved, not what a cache has kept.
    const how = { credentials: 'same-origin', cache: 'no-store', signal: abort.signal } as const;
    const answer = fetching(address, how).then((got) => {
      if (!got.ok) throw new NotHandedOut(got.status);
      return got;
    });
    // Whether it fails is for who reads it to find out.
    answer.catch(() => undefined);
    return { answer, abort };
  }

  /** Asks for what comes after the file at a place in the order, and gives up what was passed by: an answer that nobody reads keeps a connection. */
  function lookAhead(at: number): void {
    for (const [path, { abort }] of asked) {
      if ((places.get(path) ?? 0) > at) continue;
      abort.abort();
      asked.delete(path);
    }
    for (const path of order.slice(at + 1, at + 1 + AHEAD))
      if (!asked.has(path)) asked.set(path, ask(`${base}/${path}`));
  }

  return {
    async list() {
      const { files, extra = [] } = (await (await ask(base).answer).json()) as Listing;
      if (files.length === 0 && extra.length === 0) throw new NoBundle(base);
      order = files.map(({ path }) => path).filter((path) => Number.isFinite(place(path)));
      order.sort((one, other) => place(one) - place(other));
      places = new Map(order.map((path, n) => [path, n]));
      const found = new Map<string, number | false>();
      for (const path of extra) found.set(path, NAMED.test(path) ? false : 0);
      for (const { path, bytes } of files) found.set(path, bytes);
      return found;
    },
    async *read(path) {
      const { answer } = asked.get(path) ?? ask(`${base}/${path}`);
      asked.delete(path);
      const at = places.get(path);
      if (at !== undefined) lookAhead(at);
      const { body } = await answer;
      if (body) yield* pieces(body);
    },
  };
}

/** Names of a bundle's files: what has one and is listed as strange is no file. */
const NAMED =
  /^(chain|events|video)\/|^(session|seal|derivation|expired|replaced)\.json$|^seal\.tsr$|^index\.m3u8$|^SHA256SUMS$/;

/** Where a file stands in the order of reading: the ends, then segment by segment chain, events, video. */
function place(path: string): number {
  const end = ENDS.indexOf(path);
  if (end >= 0) return end - ENDS.length;
  const [, folder = '', n = ''] = /^(\w+)\/(\d{5})\./.exec(path) ?? [];
  // Init segments come when a link lists them, which is not known yet.
  return n === '' ? Infinity : Number(n) * 3 + ['chain', 'events', 'video'].indexOf(folder);
}

/** The bytes of a body as they come. */
export async function* pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel();
  }
}
