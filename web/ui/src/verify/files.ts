/** The files of a bundle as a verifier comes by them: what is there, what was looked at, what is wrong. */
import { Hashing, joined } from './hashing';
import { heavier, kindOf, need, type Fault, type Kind } from './verdict';

/** Where a bundle lies. Its answers are not trusted: what is read is hashed, and lengths and numbers are bounded. */
export interface Place {
  /** Every file that is there with its length; false for what is no regular file. */
  list: () => Promise<Map<string, number | false>>;
  /** The bytes of one, in pieces. */
  read: (path: string) => AsyncIterable<Uint8Array>;
}

/** How far a verification is, in bytes and files, of how many. */
export interface Progress {
  bytes: number;
  of: number;
  files: number;
  ofFiles: number;
}

/** The forms of names, three of them also encrypted. */
const NAME =
  /^(session\.json|index\.m3u8|SHA256SUMS|seal\.json|seal\.tsr|derivation\.json|expired\.json|replaced\.json|chain\/(?!0{5})\d{5}\.jws|(events\/(?!0{5})\d{5}\.jsonl|video\/(?!0{5})\d{5}\.m4s|video\/init-(?!0{4})\d{4}\.mp4)(\.age)?)$/;
/** The folders of a bundle. */
const FOLDERS: ReadonlySet<string> = new Set(['chain', 'events', 'video']);
/** Entries that are looked at: all that a bundle can have, and a thousand more. */
export const MOST_ENTRIES = 3 * 99_999 + 9_999 + 8 + 1_000;
/** Faults that are listed; of more the number. */
const MOST_FAULTS = 1_000;

export const isName = (path: string): boolean => NAME.test(path);

export class Files {
  faults: Fault[] = [];
  /** How many faults there are, listed or not. */
  count = 0;
  /** The kind of fault that says most, of all of them. */
  heaviest: Kind | null = null;
  /** Files of these forms; false for what is no regular file. */
  found = new Map<string, number | false>();
  /** Files about which there is nothing more to say. */
  judged = new Set<string>();
  /** Files whose bytes are as they were signed, with their length. */
  good = new Map<string, number>();
  #read = 0;
  #of = 0;

  constructor(
    private readonly place: Place,
    private readonly onprogress: (progress: Progress) => void,
  ) {}

  /** Lists the place; false when there is nothing to look at, or too much. */
  async look(): Promise<boolean> {
    const all = await this.#list();
    if (!all) return false;
    if (all.size > MOST_ENTRIES) {
      this.claim('.', false, 'extra');
      return false;
    }
    for (const [path, length] of all) {
      const own = FOLDERS.has(path) ? false : length;
      if (isName(path)) this.found.set(path, own);
      this.claim(path, isName(path) && own !== false, own === false ? 'not_a_file' : 'extra');
      this.#of += isName(path) ? own || 0 : 0;
    }
    return true;
  }

  async #list(): Promise<Map<string, number | false> | null> {
    try {
      return await this.place.list();
    } catch (thrown) {
      if (!(thrown instanceof NoBundle)) throw thrown;
      this.claim('.', false, 'not_a_file');
      return null;
    }
  }

  /** What an act gives; null after a fault of the file `path`, which is told where it has a name. */
  async guard<T>(path: string | null, act: () => T | Promise<T>): Promise<T | null> {
    try {
      return await act();
    } catch (thrown) {
      if (thrown instanceof Unreadable) throw thrown;
      const kind = kindOf(thrown);
      if (path !== null && kind !== null) this.claim(path, false, kind);
      return null;
    }
  }

  claim(path: string, truth: unknown, kind: Kind = 'malformed'): void {
    if (truth) return;
    this.count += 1;
    this.heaviest = heavier(this.heaviest, kind);
    if (this.faults.length < MOST_FAULTS) this.faults.push({ path, kind });
  }

  /** A file of at most `most` bytes. */
  async read(path: string, most: number): Promise<Uint8Array> {
    const length = this.#open(path);
    need(length <= most);
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of this.#pieces(path)) {
      bytes += piece.length;
      need(bytes <= most);
      pieces.push(piece);
    }
    return joined(pieces);
  }

  /** Goes through a file that was signed: of this hash, and of this length where one is given. No more of it is read than was signed. */
  async signed(
    path: string,
    digest: string,
    length: number | null,
    each: (piece: Uint8Array) => void = () => {},
  ): Promise<void> {
    const there = this.#open(path);
    need(length === null || length === there, 'edited');
    const hashing = new Hashing();
    for await (const piece of this.#pieces(path)) {
      hashing.push(piece);
      need(hashing.bytes <= there, 'edited');
      each(piece);
    }
    need(hashing.bytes === there && (await hashing.end()) === digest, 'edited');
    this.good.set(path, there);
  }

  #open(path: string): number {
    this.judged.add(path);
    const length = this.found.get(path);
    need(length !== undefined, 'missing');
    need(length !== false, null);
    return length;
  }

  async *#pieces(path: string): AsyncGenerator<Uint8Array> {
    const pieces = this.place.read(path)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await pieces.next().catch((cause: unknown) => {
          throw new Unreadable(path, { cause });
        });
        if (next.done) return;
        this.#read += next.value.length;
        this.onprogress({
          // Some are read twice: the first link, and the seal of a derived bundle.
          bytes: Math.min(this.#read, this.#of),
          of: this.#of,
          files: this.judged.size,
          ofFiles: this.found.size,
        });
        yield next.value;
      }
    } finally {
      await pieces.return?.();
    }
  }
}

/** The place failed, so that nothing can be said. */
export class Unreadable extends Error {}

/** There is no bundle at the place. */
export class NoBundle extends Error {}
