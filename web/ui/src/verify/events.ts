/** The lines of events: canonical, of their session, and never going backwards. */
import { textOf } from './canonical';
import type { Gap } from './forms';
import { formed } from './jws';
import { microseconds } from './times';
import { need } from './verdict';

const MOST_LINE = 16_384;
/** Gaps that a seal lists; the last of more spans the rest. */
const MOST_GAPS = 1_000;
const FEED = 0x0a;

interface Line {
  seq: number;
  at_us: number;
  time: string;
  session: string;
  type: string;
  from_us?: number;
  to_us?: number;
}

/** What the events of a bundle hold, taken in file by file. */
export class Tally {
  events = 0;
  gaps: Gap[] = [];
  #seq = 0;
  #at = 0;

  /** Takes in one file; throws at its first bad line, and keeps what was before it. */
  read(bytes: Uint8Array, session: string): void {
    let from = 0;
    for (let end = bytes.indexOf(FEED); end >= 0; end = bytes.indexOf(FEED, from)) {
      need(end - from < MOST_LINE);
      this.#take(formed<Line>(textOf(bytes.subarray(from, end)), 'event'), session);
      from = end + 1;
    }
    need(from === bytes.length);
  }

  #take(event: Line, session: string): void {
    microseconds(event.time);
    const { seq, at_us, from_us = 0, to_us = 0 } = event;
    need(event.session === session && (event.type !== 'gap' || from_us <= to_us));
    need(seq > this.#seq && at_us >= this.#at, 'not_monotonic');
    [this.#seq, this.#at] = [seq, at_us];
    this.events += 1;
    if (event.type !== 'gap') return;
    const last = this.gaps.length === MOST_GAPS ? this.gaps.pop() : undefined;
    this.gaps.push({
      from_us: Math.min(from_us, last?.from_us ?? from_us),
      to_us: Math.max(to_us, last?.to_us ?? to_us),
    });
  }
}
