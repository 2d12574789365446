/** Paths of the time line's drawing: bars and bands, each set of them one path. Pure; all in pixels. */
import type { Span } from './activity';

/** From a moment to its place in a window that is so wide. */
export function placeIn(window: Span, width: number): (at: number) => number {
  const wide = window.to - window.from;
  return (at) => (wide > 0 ? ((at - window.from) / wide) * width : 0);
}

/** Bars from `base` up (or down, where `height` is negative), one for each level. */
export function bars(levels: readonly number[], step: number, base: number, height: number): string {
  const thick = Math.max(step - 1, 1);
  return levels
    .map((level, n) => {
      const tall = Math.round(level * height * 10) / 10;
      return tall === 0 ? '' : `M${n * step} ${base}v${-tall}h${thick}v${tall}z`;
    })
    .join('');
}

/** Bands over the spans that a window shows, each at least so many pixels wide. */
export function bands(
  spans: readonly Span[],
  window: Span,
  width: number,
  { top, height, least }: { top: number; height: number; least: number },
): string {
  const place = placeIn(window, width);
  return spans
    .filter(({ from, to }) => to >= window.from && from <= window.to)
    .map(({ from, to }) => {
      const left = Math.max(place(from), 0);
      const wide = Math.max(Math.min(place(to), width) - left, least);
      return `M${left.toFixed(1)} ${top}h${wide.toFixed(1)}v${height}h${(-wide).toFixed(1)}z`;
    })
    .join('');
}
