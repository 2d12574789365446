/**
 * The player's time: pure arithmetic between the media clock, the time line and words.
 * All positions are seconds since the session's start; events carry microseconds of the same clock.
 */

/** The speeds on offer; a browser plays 1/16 to 16 times. */
export const SPEEDS: readonly number[] = [0.5, 1, 1.5, 2, 4, 8, 16];

/** Where an event lies, in seconds. */
export function secondsOf(atUs: number): number {
  return atUs / 1e6;
}

/** A position kept within the recording; what is not a number is its start. */
export function within(position: number, duration: number): number {
  if (!Number.isFinite(position)) return 0;
  return Math.min(Math.max(position, 0), Math.max(duration, 0));
}

/**
 * A recording's length in seconds. The index and the events know it; the media, whose word is the browser's guess
 * while a stream loads, counts only where they know nothing.
 */
export function lengthOf(durationMs: number, media: number, lastEventUs: number): number {
  const known = Math.max(durationMs / 1000, lastEventUs / 1e6, 0);
  return known === 0 && Number.isFinite(media) ? Math.max(media, 0) : known;
}

/** The share 0..1 of the way through; 0 for a recording without length. */
export function shareOf(position: number, duration: number): number {
  return duration > 0 ? within(position, duration) / duration : 0;
}

/** A position as a clock shows it: `0:07`, `12:34`, `1:02:03`; with `tenths` also `.4`. */
export function clockFace(position: number, tenths = false): string {
  const safe = Number.isFinite(position) ? Math.max(0, position) : 0;
  const inTenths = Math.floor(safe * 10 + 1e-6);
  const whole = Math.floor(inTenths / 10);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const seconds = String(whole % 60).padStart(2, '0');
  const face =
    hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
  return tenths ? `${face}.${inTenths % 10}` : face;
}

/** A position in words for a screen reader: `1 minute 5 seconds`. */
export function clockWords(position: number): string {
  const whole = Math.floor(within(position, Number.MAX_SAFE_INTEGER));
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second'],
  ];
  const said = parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`);
  return said.length === 0 ? '0 seconds' : said.join(' ');
}

/** The speed one step faster (+1) or slower (-1) than the present one. */
export function speedBeside(speed: number, step: 1 | -1): number {
  const ahead = step === 1 ? SPEEDS.find((one) => one > speed) : SPEEDS.findLast((one) => one < speed);
  return ahead ?? speed;
}

/** Index of the last of some ascending times (µs) that has come at a position; -1 before the first. */
export function lastAt(timesUs: readonly number[], position: number): number {
  // Half a millisecond of grace: a seek to an event must find that event, whatever the media clock rounds to.
  const now = position * 1e6 + 500;
  let low = 0;
  let high = timesUs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timesUs[middle] ?? Infinity) <= now) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
