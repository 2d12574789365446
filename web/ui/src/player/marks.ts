/** Events drawn on the time line: neighbours share a mark, and the weightiest of them gives it its look. Pure. */
import type { EvidenceEvent } from '../api/types';
import type { Span } from './activity';
import { lastAt } from './clock';
import { kindOf, type Kind } from './events';

/** One mark: where it stands, what it stands for, and where a click goes. */
export interface Mark {
  /** Share 0..1 of the way through the window. */
  share: number;
  kind: Kind;
  /** Events that it stands for. */
  count: number;
  /** Index of its weightiest event in the list. */
  index: number;
}

/** From the lightest to the weightiest. */
const weight: Record<Kind, number> = { input: 0, screen: 1, session: 2, crossed: 3, gap: 4, stopped: 5 };

/**
 * Marks for those of some events, in their order, that lie in a window; at most `most` of them. `times` are those of the events, in
 * microseconds. A mark stands where its weightiest event lies, so that a click lands where the eye looks.
 */
export function marksOf(
  events: readonly EvidenceEvent[],
  times: readonly number[],
  window: Span,
  most: number,
): Mark[] {
  const wide = window.to - window.from;
  if (wide <= 0 || most <= 0) return [];
  const marks = new Map<number, Mark>();
  const first = lastAt(times, window.from - 0.001) + 1;
  for (let index = first; index < events.length; index += 1) {
    const event = events[index];
    if (!event) break;
    const share = (event.at_us / 1e6 - window.from) / wide;
    if (share > 1 + 1e-9) break;
    mark(marks, { share: Math.min(Math.max(share, 0), 1), kind: kindOf(event), count: 1, index }, most);
  }
  return [...marks.values()].sort((one, other) => one.share - other.share);
}

function mark(marks: Map<number, Mark>, one: Mark, most: number): void {
  const bin = Math.min(Math.floor(one.share * most), most - 1);
  const there = marks.get(bin);
  if (!there) marks.set(bin, one);
  else {
    const count = there.count + 1;
    Object.assign(there, weight[one.kind] > weight[there.kind] ? one : {}, { count });
  }
}
