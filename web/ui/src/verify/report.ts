/** What a verification found, and exactly what it looked at for it. */
import type { Check } from './check';
import type { Seal } from './forms';
import { isoOf } from './times';
import { stretchOf, type Stretch } from './stretch';
import type { Fault, Sound, Verdict } from './verdict';

/** The parts of a bundle that are told apart. */
export const PARTS = ['manifest', 'seal', 'chain', 'video', 'events', 'listing'] as const;
export type Part = (typeof PARTS)[number];

/** Files of a part, their bytes, and how many of them are not as they should be. */
export interface Looked {
  files: number;
  bytes: number;
  faults: number;
}

export interface Report {
  verdict: Verdict;
  /** At most a thousand, in the order in which they were found; `at` is what of the recording they are about, where they are about a moment. */
  faults: (Fault & { at: Stretch | null })[];
  /** How many more there are. */
  more: number;
  /** Files whose bytes are as they were signed, and their length. */
  files: number;
  bytes: number;
  parts: Record<Part, Looked>;
  /** Signatures that are good. */
  signatures: number;
  /** Good links, of as many as there should be. */
  links: number;
  ofLinks: number;
  events: number;
  state: Seal['state'] | null;
  /** RFC 3339; how long in microseconds, 0 where nothing says it. */
  started: string | null;
  duration_us: number;
  gaps: number;
  /** Names of the keys that signed. */
  keys: string[];
  /** Whether events and video were looked into, or their ciphertext alone. */
  contents: 'clear' | 'encrypted' | 'decrypted';
  /** A time stamp of the seal: not checked where no authority was given; else when the seal was there, RFC 3339. Null where there is none. */
  stamp: { proved: string | null } | null;
  /** When its time was over, RFC 3339. */
  expired: string | null;
  /** When its video was replaced by another that was made of it, RFC 3339, and the hash of what says so. */
  replaced: { at: string; derivation: string } | null;
  derived: { made: string; codec: string; tool: string; settings: string } | null;
  /** What a player is handed, video and the playlist, as far as its bytes are those that count: with the SHA-256 of them as they lie. */
  played: [path: string, sha256: string][];
}

export function reportOf(check: Check): Report {
  const { files, seal, manifest, tombstone, replacement, derivation, ofLinks } = check;
  const duration_us = seal?.duration_us ?? check.to;
  const told = derivation && {
    made: derivation.made,
    codec: derivation.codec,
    tool: derivation.tool,
    settings: derivation.settings,
  };
  return {
    verdict: files.heaviest ?? sound(check),
    faults: files.faults.map((fault) => ({
      ...fault,
      at: stretchOf(fault.path, check.links, ofLinks, duration_us),
    })),
    more: files.count - files.faults.length,
    files: files.good.size,
    bytes: sum(files.good.values()),
    parts: partsOf(check),
    signatures: check.signatures,
    links: check.links.size,
    ofLinks,
    events: check.tally.events,
    state: seal?.state ?? null,
    started: manifest?.started ?? null,
    duration_us,
    gaps: seal?.gaps.length ?? 0,
    keys: [...check.keys].sort(),
    contents: check.contents,
    stamp: files.found.has('seal.tsr')
      ? { proved: check.stamped === null ? null : isoOf(check.stamped) }
      : null,
    expired: tombstone?.at ?? null,
    replaced: replacement && { at: replacement.at, derivation: replacement.derivation },
    derived: told,
    played: check.played,
  };
}

function sound({ tombstone, replacement, derivation, seal }: Check): Sound {
  if (tombstone) return 'expired';
  if (replacement) return 'replaced';
  if (derivation) return 'derived';
  return seal && seal.gaps.length > 0 ? 'gap_declared' : 'sound';
}

/** The part that a file belongs to; null for those that are told of by themselves. */
export function partOf(path: string): Part | null {
  if (path === 'session.json') return 'manifest';
  if (path === 'seal.json') return 'seal';
  if (path === 'SHA256SUMS' || path === 'index.m3u8') return 'listing';
  const folder = path.split('/')[0];
  return folder === 'chain' || folder === 'video' || folder === 'events' ? folder : null;
}

function partsOf({ files }: Check): Record<Part, Looked> {
  const parts = Object.fromEntries(PARTS.map((part) => [part, { files: 0, bytes: 0, faults: 0 }])) as Record<
    Part,
    Looked
  >;
  for (const [path, bytes] of files.good) {
    const part = partOf(path);
    if (!part) continue;
    parts[part].files += 1;
    parts[part].bytes += bytes;
  }
  for (const path of new Set(files.faults.map((fault) => fault.path))) {
    const part = partOf(path);
    if (part) parts[part].faults += 1;
  }
  return parts;
}

const sum = (all: Iterable<number>): number => [...all].reduce((one, other) => one + other, 0);
