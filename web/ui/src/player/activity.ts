/**
 * What went on when: input and changes of the screen in small cells of time, from which the time line draws its curve and knows
 * where nothing happened. Pure. Of video that is not loaded only the lengths of its segments are known: the recorder begins one about
 * every ten seconds while the screen changes, and stretches it to a minute while it rests.
 */
import type { EvidenceEvent } from '../api/types';
import type { Frames } from './frames';
import type { Segment } from './playlist';

/** A stretch of time in seconds. */
export interface Span {
  from: number;
  to: number;
}

/** Seconds of a cell, and how many there are at most. */
const CELL = 0.25;
const MOST_CELLS = 2_000_000;
/** Seconds that a segment lasts at most while the screen changes. */
const LIVELY = 10;
/** Bytes a second that the screen is taken to change by where the video is not loaded. */
const SUPPOSED = 1_200;
/** Bytes of a change, as a share of the whole picture, that is next to nothing: a caret that blinks. */
const NEXT_TO_NOTHING = 0.01;
const LEAST_CHANGE = 300;
/** Seconds before and after something happened that are not idle. */
const BEFORE = 1;
const AFTER = 1.5;
/** Half of the height: so many keys and clicks a second, so many bytes a second. */
const MUCH_INPUT = 1;
const MUCH_CHANGE = 9_000;

export class Activity {
  readonly #seconds: number;
  readonly #input: Float32Array;
  readonly #screen: Float32Array;
  readonly #busy: Uint8Array;

  /** Nothing yet, over so many seconds. */
  constructor(readonly duration: number) {
    const cells = Math.min(Math.max(Math.ceil(duration / CELL), 1), MOST_CELLS);
    this.#seconds = Math.max(duration / cells, CELL);
    this.#input = new Float32Array(cells);
    this.#screen = new Float32Array(cells);
    this.#busy = new Uint8Array(cells);
  }

  addEvents(events: readonly EvidenceEvent[]): void {
    for (const event of events) {
      const at = event.at_us / 1e6;
      this.#mark(at - BEFORE, at + AFTER);
      const presses = pressesOf(event);
      // Presses are counted together and told about once a second.
      if (presses > 0) this.#add(this.#input, at - 1, at, presses);
      if (event.type === 'gap') this.#mark(event.from_us / 1e6 - BEFORE, event.to_us / 1e6 + AFTER);
    }
  }

  addSegment(segment: Segment, frames: Frames | undefined): void {
    if (segment.uri === null) return this.#mark(segment.from - BEFORE, segment.to + AFTER);
    if (!frames) {
      const until = Math.min(segment.to, segment.from + LIVELY);
      const share = Math.min(1, (2 * LIVELY) / Math.max(segment.to - segment.from, LIVELY) - 1);
      this.#mark(segment.from - BEFORE, until);
      return this.#add(
        this.#screen,
        segment.from,
        until,
        SUPPOSED * (until - segment.from) * Math.max(share, 0.1),
      );
    }
    // The first one is a whole picture whatever changed: it tells nothing.
    const much = Math.max((frames.sizes[0] ?? 0) * NEXT_TO_NOTHING, LEAST_CHANGE);
    frames.times.forEach((at, n) => {
      const bytes = frames.sizes[n] ?? 0;
      if (n === 0 || bytes < much) return;
      this.#mark(at - BEFORE, at + AFTER);
      this.#add(this.#screen, at, at + this.#seconds, bytes);
    });
  }

  /** Stretches of at least so many seconds in which nobody did anything and nothing moved. */
  idle(least: number): Span[] {
    const spans: Span[] = [];
    let from = 0;
    const close = (cell: number) => {
      const span = { from: from * this.#seconds, to: Math.min(cell * this.#seconds, this.duration) };
      if (span.to - span.from >= least) spans.push(span);
    };
    this.#busy.forEach((busy, cell) => {
      if (!busy) return;
      close(cell);
      from = cell + 1;
    });
    close(this.#busy.length);
    return spans;
  }

  /** How much went on in `count` equal slices of a window: 0 for nothing, towards 1 for much. */
  slices(window: Span, count: number): { input: number[]; screen: number[] } {
    const wide = (window.to - window.from) / Math.max(count, 1);
    const level = (cells: Float32Array, much: number, n: number) => {
      const from = Math.max(Math.floor((window.from + n * wide) / this.#seconds), 0);
      const to = Math.min(
        Math.max(Math.ceil((window.from + (n + 1) * wide) / this.#seconds), from + 1),
        cells.length,
      );
      let sum = 0;
      for (let cell = from; cell < to; cell += 1) sum += cells[cell] ?? 0;
      const rate = to > from ? sum / ((to - from) * this.#seconds) : 0;
      return rate / (rate + much);
    };
    const all = Array.from({ length: Math.max(count, 0) }, (_, n) => n);
    return {
      input: all.map((n) => level(this.#input, MUCH_INPUT, n)),
      screen: all.map((n) => level(this.#screen, MUCH_CHANGE, n)),
    };
  }

  #mark(from: number, to: number): void {
    this.#busy.fill(1, this.#cell(from), this.#cell(to) + 1);
  }

  /** Spreads an amount over a stretch. */
  #add(cells: Float32Array, from: number, to: number, amount: number): void {
    const [first, last] = [this.#cell(from), this.#cell(Math.max(to - 1e-6, from))];
    const each = amount / (last - first + 1);
    for (let cell = first; cell <= last; cell += 1) cells[cell] = (cells[cell] ?? 0) + each;
  }

  #cell(at: number): number {
    return Math.min(Math.max(Math.floor(at / this.#seconds), 0), this.#busy.length - 1);
  }
}

/** The span that holds a position, among ascending ones that do not overlap; null where none does. */
export function spanAt<T extends Span>(spans: readonly T[], position: number): T | null {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle]?.from ?? Infinity) <= position) low = middle + 1;
    else high = middle;
  }
  const found = spans[low - 1];
  return found && position < found.to ? found : null;
}

/** How many keys and buttons an event tells of; what crosses counts like a few. */
function pressesOf(event: EvidenceEvent): number {
  switch (event.type) {
    case 'keys':
    case 'clicks':
      return event.pressed;
    case 'strokes':
      return event.strokes.filter(({ down }) => down).length;
    case 'input':
      return event.count;
    case 'paste':
    case 'copy':
    case 'upload':
    case 'download':
      return 3;
    default:
      return 0;
  }
}
