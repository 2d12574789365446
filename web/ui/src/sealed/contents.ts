/** Texts that policy keeps, put together from the events that carry their parts. Pure. */
import type { EvidenceEvent } from '../api/types';

/** One kept text: the event that it belongs to, and its age file; null when parts are missing. */
export interface Kept {
  of: EvidenceEvent | null;
  /** The `seq` that the parts name. */
  seq: number;
  at_us: number;
  age: Uint8Array | null;
}

type Contents = Extract<EvidenceEvent, { type: 'contents' }>;

/** All kept texts, in the order of their events. */
export function keptOf(events: readonly EvidenceEvent[]): Kept[] {
  const parts = events.filter((event): event is EvidenceEvent & Contents => event.type === 'contents');
  const seqs = [...new Set(parts.map(({ of }) => of))];
  const groups = seqs.map((seq) => ({ seq, found: parts.filter(({ of }) => of === seq) }));
  return groups.map(({ seq, found }) => ({
    of: events.find((event) => event.seq === seq) ?? null,
    seq,
    at_us: found[0]?.at_us ?? 0,
    age: whole(found),
  }));
}

function whole(parts: readonly Contents[]): Uint8Array | null {
  const ordered = parts.toSorted((one, other) => one.part - other.part);
  const complete = ordered.every(({ part, parts: all }, n) => part === n + 1 && all === ordered.length);
  if (!complete) return null;
  try {
    const pieces = ordered.map(({ age }) => bytesOf(age));
    return new Uint8Array(pieces.flatMap((piece) => [...piece]));
  } catch {
    return null;
  }
}

function bytesOf(base64url: string): Uint8Array {
  const binary = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
