/** What was found in one recording: in which order, which of it is on the screen at a moment, and where. Pure. */
import type { Hit } from '../api/types';

/** How far behind its first moment a line is gone to, in seconds: to a picture that has it. */
const BEHIND = 0.1;

/** Hits in the order of time. */
export const inOrder = (hits: readonly Hit[]): Hit[] =>
  [...hits].sort((one, other) => one.at - other.at || (one.screen?.y ?? 0) - (other.screen?.y ?? 0));

/** Where a hit is shown, in seconds: what stood on the screen where it certainly stood. */
export function shownAt(hit: Hit): number {
  const from = hit.at / 1000;
  if (!hit.screen) return from;
  const until = Math.max(hit.screen.until / 1000, from);
  return Math.round(Math.min(from + BEHIND, (from + until) / 2) * 1000) / 1000;
}

/** The lines that stand on the screen at a position in seconds. */
export const standingAt = (hits: readonly Hit[], position: number): Hit[] =>
  hits.filter(({ at, screen }) => screen && at / 1000 <= position + 0.001 && position < screen.until / 1000);

/** The next (+1) or previous (-1) of some hits, in their order, behind or before the one that was gone to last; null where there is none. */
export function besideHit(
  hits: readonly Hit[],
  current: Hit | null,
  position: number,
  step: 1 | -1,
): Hit | null {
  const here = current ? hits.indexOf(current) : -1;
  // Who has gone elsewhere meanwhile goes on from there.
  if (current && here >= 0 && Math.abs(shownAt(current) - position) < 0.5) return hits[here + step] ?? null;
  return step === 1
    ? (hits.find((hit) => shownAt(hit) > position + 0.001) ?? null)
    : (hits.findLast((hit) => shownAt(hit) < position - 0.001) ?? null);
}
