/** The files of a bundle as a verifier comes by them: what is there, what was looked at, what is wrong. */
import { sha256 } from './bytes';
import { Bad, need, type Fault, type Kind } from './verdict';

/** Where a bundle lies. */
export interface Place {
  /** Every file that is there with its length; false for what is no regular file. */
  list: () => Promise<Map<string, number | false>>;
  /** The bytes of one. */
  read: (path: string) => Promise<Uint8Array>;
}

/** The forms of names, three of them also encrypted. */
const NAME =
  /^(session\.json|index\.m3u8|SHA256SUMS|seal\.json|seal\.tsr|events\/(?!0{5})\d{5}\.jsonl(\.age)?|video\/(?!0{5})\d{5}\.m4s(\.age)?|chain\/(?!0{5})\d{5}\.jws|video\/init-(?!0{4})\d{4}\.mp4(\.age)?)$/;
/** Entries that are looked at. */
const MOST_ENTRIES = 311_001;

export const isName = (path: string): boolean => NAME.test(path);

export class Files {
  faults: Fault[] = [];
  /** Files of these forms; false for what is no regular file. */
  found = new Map<string, number | false>();
  judged = new Set<string>();
  /** Bytes read so far. */
  bytes = 0;

  constructor(
    private readonly place: Place,
    private readonly onread: (bytes: number) => void,
  ) {}

  /** Lists the place; false when there is too much there to look at. */
  async look(): Promise<boolean> {
    const all = await this.place.list();
    if (all.size > MOST_ENTRIES) {
      this.claim('.', false, 'extra');
      return false;
    }
    for (const [path, length] of all) {
      if (isName(path)) this.found.set(path, length);
      this.claim(path, isName(path) && length !== false, length === false ? 'not_a_file' : 'extra');
    }
    return true;
  }

  /** What an act gives; null after a fault of the file `path`, which is told where it has a name. */
  async guard<T>(path: string | null, act: () => T | Promise<T>): Promise<T | null> {
    try {
      return await act();
    } catch (thrown) {
      if (thrown instanceof Unreadable) throw thrown;
      const kind = thrown instanceof Bad ? thrown.kind : 'malformed';
      if (path !== null && kind !== null) this.faults.push({ path, kind });
      return null;
    }
  }

  claim(path: string, truth: unknown, kind: Kind = 'malformed'): void {
    if (!truth) this.faults.push({ path, kind });
  }

  /** A file of at most `most` bytes. */
  async read(path: string, most: number): Promise<Uint8Array> {
    const length = this.#open(path);
    need(length <= most);
    return this.#bytes(path);
  }

  /** A file that was signed: of this hash, and of this length where one is given. */
  async readSigned(path: string, digest: string, length: number | null): Promise<Uint8Array> {
    const there = this.#open(path);
    need(length === null || length === there, 'edited');
    const bytes = await this.#bytes(path);
    need((await sha256(bytes)) === digest, 'edited');
    return bytes;
  }

  #open(path: string): number {
    this.judged.add(path);
    const length = this.found.get(path);
    need(length !== undefined, 'missing');
    need(length !== false, null);
    return length;
  }

  async #bytes(path: string): Promise<Uint8Array> {
    const bytes = await this.place.read(path).catch((cause: unknown) => {
      throw new Unreadable(path, { cause });
    });
    this.bytes += bytes.length;
    this.onread(this.bytes);
    return bytes;
  }
}

/** The place failed, so that nothing can be said. */
export class Unreadable extends Error {}
