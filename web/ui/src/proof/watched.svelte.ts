/** What the player was handed, by its SHA-256: compared with what was verified, it tells whether what is watched is what was signed. */
import { SvelteMap } from 'svelte/reactivity';
import type { Report } from '../verify/report';

/** Hashes of a file, each that it was ever handed with. */
export type Seen = ReadonlyMap<string, readonly string[]>;

class Watched {
  readonly #seen = new SvelteMap<string, readonly string[]>();

  get seen(): Seen {
    return this.#seen;
  }

  /** Takes note of a file of the bundle as it came from the gate, by its path or its address. */
  async take(from: string, bytes: Uint8Array): Promise<void> {
    const { sha256 } = await import('../verify/bytes');
    const [path, hash] = [pathIn(from), await sha256(bytes)];
    const known = this.#seen.get(path) ?? [];
    if (!known.includes(hash)) this.#seen.set(path, [...known, hash]);
  }

  /** Another player begins. */
  forget(): void {
    this.#seen.clear();
  }
}

/** The path of a file in its bundle. */
export function pathIn(from: string): string {
  return /\/api\/recordings\/[^/]+\/([^?#]+)/.exec(from)?.[1] ?? from;
}

export const watched = new Watched();

/** What comes of a comparison: files that are what was verified, others, and such as nothing was verified of. */
export interface Compared {
  same: number;
  other: string[];
  unproved: string[];
}

/** What the player was handed against what was verified, path and SHA-256; of a file that is at fault nothing can be the same. */
export function compare(seen: Seen, { played, faults }: Pick<Report, 'played' | 'faults'>): Compared {
  const [known, wrong] = [new Map(played), new Set(faults.map(({ path }) => path))];
  const compared: Compared = { same: 0, other: [], unproved: [] };
  for (const [path, hashes] of seen) {
    const signed = known.get(path);
    if (wrong.has(path)) compared.other.push(path);
    else if (signed === undefined) compared.unproved.push(path);
    else if (hashes.every((hash) => hash === signed)) compared.same += 1;
    else compared.other.push(path);
  }
  return compared;
}
