/** Playing faster than a browser can decode: a clock of its own, and of each segment the first picture, which is a whole one. Pure. */
import { segmentAt, type Segment } from './playlist';

/** The speed from which on a playback that lags leaps; slower ones are left to the browser. */
const FAST = 4;
/** How long it is watched before it counts as lagging, in milliseconds, and what share of its speed it must make. */
const WATCH = 1_200;
const SHARE = 0.7;

export class Leap {
  #since = 0;
  #start = 0;
  #shown = -1;

  /** The clock stands at a position now. */
  from(now: number, position: number): void {
    [this.#since, this.#start, this.#shown] = [now, position, -1];
  }

  /** Where a clock of this speed is by now. */
  at(now: number, speed: number): number {
    return this.#start + ((now - this.#since) / 1000) * speed;
  }

  /** Whether a playback that is at a position now has fallen behind its speed. */
  lags(now: number, position: number, speed: number): boolean {
    if (speed < FAST || now - this.#since < WATCH) return false;
    const made = (position - this.#start) / (this.at(now, speed) - this.#start);
    if (made < SHARE) return true;
    // It keeps up: what counts is the last while, not all of it.
    this.from(now, position);
    return false;
  }

  /** Where the picture to show at a position lies; null while it is the one that is shown. */
  picture(segments: readonly Segment[], position: number): number | null {
    const n = segmentAt(segments, position);
    const segment = segments[n];
    if (!segment || segment.uri === null || n === this.#shown) return null;
    this.#shown = n;
    return segment.from + 0.001;
  }
}
