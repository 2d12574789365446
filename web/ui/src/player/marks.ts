/** Events drawn on the time line: neighbours share a mark, and the weightiest of them gives it its look. Pure. */
import type { EvidenceEvent } from '../api/types';
import { kindOf, type Kind } from './events';

/** One mark: where it stands, what it stands for, and where a click goes. */
export interface Mark {
  /** Share 0..1 of the way through. */
  share: number;
  kind: Kind;
  /** Events that it stands for. */
  count: number;
  /** Index of its weightiest event in the list. */
  index: number;
}

/** A stretch without a record. */
export interface Hole {
  from: number;
  to: number;
  reason: string;
}

/** From the lightest to the weightiest. */
const weight: Record<Kind, number> = { input: 0, screen: 1, session: 2, crossed: 3, gap: 4, stopped: 5 };

/**
 * Marks for events in their order over `durationUs`, at most `most` of them.
 * A mark stands where its weightiest event lies, so that a click lands where the eye looks.
 */
export function marksOf(events: readonly EvidenceEvent[], durationUs: number, most: number): Mark[] {
  if (durationUs <= 0 || most <= 0) return [];
  const marks = new Map<number, Mark>();
  events.forEach((event, index) => {
    const share = Math.min(Math.max(event.at_us / durationUs, 0), 1);
    const bin = Math.min(Math.floor(share * most), most - 1);
    const kind = kindOf(event);
    const there = marks.get(bin);
    if (!there) marks.set(bin, { share, kind, count: 1, index });
    else {
      there.count += 1;
      if (weight[kind] > weight[there.kind]) Object.assign(there, { share, kind, index });
    }
  });
  return [...marks.values()].sort((one, other) => one.share - other.share);
}

/** The gaps of a recording as shares of its length. */
export function holesOf(events: readonly EvidenceEvent[], durationUs: number): Hole[] {
  if (durationUs <= 0) return [];
  const clamp = (us: number) => Math.min(Math.max(us / durationUs, 0), 1);
  return events.flatMap((event) =>
    event.type === 'gap'
      ? [{ from: clamp(event.from_us), to: clamp(event.to_us), reason: event.reason }]
      : [],
  );
}
