/** The lines of events: canonical, of their session, and never going backwards. */
import { textOf } from './canonical';
import type { Gap } from './forms';
import { joined } from './hashing';
import { formed } from './jws';
import { microseconds } from './times';
import { kindOf, need, type Kind } from './verdict';

/** The longest line, with its line feed. */
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
  seq = 0;
  at = 0;

  /** One that goes on where this one stands, with nothing counted yet: whether its file is as it was signed is known at its end. */
  continued(): Tally {
    return Object.assign(new Tally(), { seq: this.seq, at: this.at });
  }

  /** Takes over what a continued one gathered. */
  absorb(later: Tally): void {
    [this.seq, this.at] = [later.seq, later.at];
    this.events += later.events;
    for (const gap of later.gaps) this.#gather(gap);
  }

  /** Adds the event of one line, without its line feed. */
  take(line: Uint8Array, session: string): void {
    const event = formed<Line>(textOf(line), 'event');
    microseconds(event.time);
    const { seq, at_us, from_us = 0, to_us = 0 } = event;
    need(event.session === session && (event.type !== 'gap' || from_us <= to_us));
    need(seq > this.seq && at_us >= this.at, 'not_monotonic');
    [this.seq, this.at] = [seq, at_us];
    this.events += 1;
    if (event.type === 'gap') this.#gather({ from_us, to_us });
  }

  #gather({ from_us, to_us }: Gap): void {
    const last = this.gaps.length === MOST_GAPS ? this.gaps.pop() : undefined;
    this.gaps.push({
      from_us: Math.min(from_us, last?.from_us ?? from_us),
      to_us: Math.max(to_us, last?.to_us ?? to_us),
    });
  }
}

/** Lines out of pieces, up to the first that is at fault; what was before it is kept. */
export class Lines {
  fault: Kind | null = null;
  #rest: Uint8Array = new Uint8Array();

  constructor(private readonly each: (line: Uint8Array) => void) {}

  push(piece: Uint8Array): void {
    if (this.fault) return;
    const bytes = joined(this.#rest.length > 0 ? [this.#rest, piece] : [piece]);
    let from = 0;
    try {
      for (let end = bytes.indexOf(FEED); end >= 0; end = bytes.indexOf(FEED, from)) {
        need(end - from < MOST_LINE);
        this.each(bytes.subarray(from, end));
        from = end + 1;
      }
      need(bytes.length - from < MOST_LINE);
    } catch (thrown) {
      this.fault = kindOf(thrown);
    }
    this.#rest = bytes.slice(from);
  }

  /** What is wrong; a last line without line feed is. */
  end(): Kind | null {
    return this.fault ?? (this.#rest.length > 0 ? 'malformed' : null);
  }
}
