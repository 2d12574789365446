/** Where a recording has no picture to be believed: gaps that it declares, stretches without video, segments that cannot be had. Pure. */
import type { EvidenceEvent } from '../api/types';
import type { Span } from './activity';
import type { Segment } from './playlist';

export interface Hole extends Span {
  /** The record lacks it; or the record has it, and this page could not load it. */
  why: 'gap' | 'lost';
  /** In the gate's words; may be empty. */
  reason: string;
}

/** All holes in their order, none of them over another. */
export function holesOf(
  events: readonly EvidenceEvent[],
  segments: readonly Segment[],
  lost: readonly Segment[],
): Hole[] {
  const declared: Hole[] = events.flatMap((event) =>
    event.type === 'gap'
      ? [{ from: event.from_us / 1e6, to: event.to_us / 1e6, why: 'gap' as const, reason: event.reason }]
      : [],
  );
  const empty = segments.flatMap(({ uri, from, to }) =>
    uri === null ? [{ from, to, why: 'gap' as const, reason: '' }] : [],
  );
  const gone = lost.map(({ from, to }) => ({ from, to, why: 'lost' as const, reason: '' }));
  // What is declared has the reason, so it comes first where several tell of the same stretch.
  const all: Hole[] = [...declared, ...empty, ...gone].sort(
    (one, other) => one.from - other.from || Number(one.reason === '') - Number(other.reason === ''),
  );
  const found: Hole[] = [];
  for (const hole of all) {
    const last = found.at(-1);
    const from = Math.max(hole.from, last?.to ?? 0);
    if (hole.to > from) found.push({ ...hole, from });
  }
  return found;
}
