/** From event to event, and which rows of a long list are drawn. Pure. */
import { lastAt, secondsOf } from './clock';

/** Where the next (+1) or previous (-1) of some events lies, in seconds; events of one moment count as one. Null where there is none. */
export function besideEvent(timesUs: readonly number[], position: number, step: 1 | -1): number | null {
  const here = lastAt(timesUs, position);
  if (step === 1) {
    const next = timesUs[here + 1];
    return next === undefined ? null : secondsOf(next);
  }
  const now = timesUs[here];
  if (now === undefined) return null;
  // Behind an event it is that one, at it the one before.
  if (position * 1e6 - now > 500_000) return secondsOf(now);
  const before = timesUs.findLast((time) => time < now);
  return before === undefined ? null : secondsOf(before);
}

/** The rows of a list that are drawn: those in sight and some on either side. `to` is behind the last one. */
export function rowsInSight(
  scrolled: number,
  height: number,
  row: number,
  count: number,
  around: number,
): { from: number; to: number } {
  const first = Math.floor(scrolled / row) - around;
  const last = Math.ceil((scrolled + height) / row) + around;
  const from = Math.min(Math.max(first, 0), Math.max(count - 1, 0));
  return { from, to: Math.min(Math.max(last, from), count) };
}

/** Where to scroll so that a row is in sight, a third from the top; null where it is already. */
export function scrollFor(index: number, scrolled: number, height: number, row: number): number | null {
  const above = index * row - scrolled;
  if (above >= 0 && above + row <= height) return null;
  return Math.max(index * row - height / 3, 0);
}
