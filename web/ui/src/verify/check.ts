/** A verification in progress: what is known so far, and what all of its steps lean on. */
import { Tally } from './events';
import type { Files } from './files';
import type { Derivation, Listed, Manifest, Replacement, Seal, Tombstone } from './forms';
import type { Trust } from './keys';
import type { LinkAt } from './stretch';
import { microseconds } from './times';

/** How encrypted files are opened, and whose they are; absent where nobody gave an identity. */
export interface Opens {
  /** The public halves, `age1…`. */
  recipients: readonly string[];
  open: (bytes: Uint8Array, path: string) => Promise<Uint8Array>;
}

export class Check {
  /** The manifest, unless it was found to be faulty. */
  manifest: Manifest | null = null;
  /** The seal, when its signature is good and it is of this session. */
  seal: Seal | null = null;
  /** The key that signed it, and the hash of its file. */
  sealedBy = { kid: '', digest: '' };
  /** When an authority saw the seal, in microseconds; null when none that was given did. */
  stamped: bigint | null = null;
  /** What `SHA256SUMS` lists, when the seal proves it. */
  sums: Map<string, string> | null = null;
  tombstone: Tombstone | null = null;
  replacement: Replacement | null = null;
  derivation: Derivation | null = null;
  /** What stands in place of the original's video, of what was not looked at yet. */
  made = new Map<string, Listed>();
  /** The hash of the link before, or of the manifest; null where that was not sound. */
  last: string | null = null;
  sure = true;
  to = 0;
  /** The newest init segment that a good link listed. */
  init = '';
  /** The events of good segments. */
  tally = new Tally();
  /** All events were sound. */
  counted = true;
  contents: 'clear' | 'encrypted' | 'decrypted' = 'clear';
  signatures = 0;
  keys = new Set<string>();
  unproved = new Set<number>();
  /** How many links were looked for. */
  ofLinks = 0;
  /** Good links: where their segments lie in time, and which init segment they begin with. */
  links = new Map<number, LinkAt>();
  /** What a player is handed, video and the playlist, as far as its bytes are those that count: with their hash as they lie. */
  played: [path: string, sha256: string][] = [];

  constructor(
    readonly files: Files,
    readonly trust: Trust,
    readonly opens: Opens | null,
  ) {}

  /** Takes note of a good signature. */
  good(kid: string): void {
    this.signatures += 1;
    this.keys.add(kid);
  }

  /** Whether the key of a file that claims to be of the time `when` was in use, and nobody else's when the seal was time-stamped. */
  signer(path: string, kid: string, when: bigint | null, stamped = this.stamped): void {
    const valid = this.trust.validity.get(kid);
    if (!valid) return;
    const late = valid.until !== '' && when !== null && when > microseconds(valid.until);
    this.files.claim(path, !late, 'key_not_valid');
    // All times in a bundle are told by whoever had the key.
    const before = valid.revoked === '' || (stamped !== null && stamped < microseconds(valid.revoked));
    this.files.claim(path, before, 'revoked_key');
  }

  /** Whether a file is not there because a tombstone says so. */
  gone(path: string): boolean {
    if (this.files.found.has(path)) return false;
    const video = path.startsWith('video/');
    const all = video || path === 'index.m3u8' || path.startsWith('events/');
    return (this.tombstone !== null && all) || (this.replacement !== null && video);
  }
}
