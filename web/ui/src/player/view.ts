/** The window of the time line when it is zoomed, and the times that are written on it. Pure. */
import type { Span } from './activity';

/** The least that a window shows, in seconds. */
const LEAST = 10;

const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];

/** The whole recording. */
export const whole = (duration: number): Span => ({ from: 0, to: Math.max(duration, 0) });

/** Whether the window shows less than all. */
export function isZoomed(window: Span, duration: number): boolean {
  return window.to - window.from < duration - 1e-6;
}

/** The window `factor` times as close, with `at` where it was. */
export function zoomed(window: Span, factor: number, at: number, duration: number): Span {
  const wide = Math.min(Math.max((window.to - window.from) / factor, Math.min(LEAST, duration)), duration);
  const share = window.to > window.from ? (at - window.from) / (window.to - window.from) : 0.5;
  return fitted(at - Math.min(Math.max(share, 0), 1) * wide, wide, duration);
}

/** The window moved by so many seconds. */
export function panned(window: Span, by: number, duration: number): Span {
  return fitted(window.from + by, window.to - window.from, duration);
}

/** A window of the same width that shows a position: the same one while it does. */
export function following(window: Span, position: number, duration: number): Span {
  const wide = window.to - window.from;
  // What grows is followed as a whole.
  if (window.to > duration) return fitted(window.from, wide, duration);
  if (position >= window.from && position <= window.to) return window;
  return fitted(position - wide * 0.1, wide, duration);
}

/** Times to write on a line of `width` pixels, each with at least `room` of them. */
export function ticks(window: Span, width: number, room: number): number[] {
  const wide = window.to - window.from;
  if (wide <= 0 || width <= 0) return [];
  const step = STEPS.find((one) => (one / wide) * width >= room) ?? wide;
  const found: number[] = [];
  for (let n = Math.max(Math.ceil(window.from / step - 1e-9), 0); n * step <= window.to + 1e-9; n += 1)
    found.push(n * step);
  return found;
}

function fitted(from: number, wide: number, duration: number): Span {
  const first = Math.min(Math.max(from, 0), Math.max(duration - wide, 0));
  return { from: first, to: first + wide };
}
