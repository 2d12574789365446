/** One file on its way into the desktop or out of it. */
import { problemOf } from '../api/http';
import type { HandedIn, Problem } from '../api/types';
import { Rate } from './rate';

export type Direction = 'upload' | 'download';

/**
 * `waiting` for its turn, `moving`, `judging` (all of it is at the gate, which looks into it), and how it ended: `done`, `stopped` by
 * the gate or before it was asked, `failed` on the way, `cancelled` by the person.
 */
export type Stage = 'waiting' | 'moving' | 'judging' | 'done' | 'stopped' | 'failed' | 'cancelled';

/** What the gate says of a file that it took. */
export type Taken = Pick<HandedIn, 'name' | 'metadata_stripped'>;

/** What moves a file: tells of its bytes and resolves when it is where it should be. */
export interface Course {
  run: (signal: AbortSignal, onmoved: (bytes: number, of: number) => void) => Promise<Taken | null>;
  /** The person does not want it any more. */
  forget?: () => Promise<void>;
}

/** The statuses by which the gate says no to a file, rather than that something went wrong. */
const SAYS_NO: ReadonlySet<number> = new Set([400, 403, 413, 415, 422, 429]);

export class Transfer {
  stage = $state<Stage>('waiting');
  /** Bytes that have moved. */
  moved = $state(0);
  bytes = $state(0);
  /** Bytes a second and seconds left; null while nobody can tell. */
  speed = $state<number | null>(null);
  left = $state<number | null>(null);
  problem = $state<Problem | null>(null);
  /** What the gate said of a file that it took. */
  taken = $state<Taken | null>(null);

  #rate = new Rate();
  #abort: AbortController | null = null;

  constructor(
    readonly id: number,
    readonly direction: Direction,
    readonly name: string,
    bytes: number,
    private readonly course: Course,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.bytes = bytes;
  }

  get over(): boolean {
    return !(this.stage === 'waiting' || this.stage === 'moving' || this.stage === 'judging');
  }

  /** Whether asking again may end otherwise: a no stays a no, unless it was about how often. */
  get repeatable(): boolean {
    return this.stage === 'failed' || (this.stage === 'stopped' && this.problem?.status === 429);
  }

  /** Moves the file; resolves when that is over, however it ended. */
  async run(): Promise<void> {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#rate = new Rate();
    this.stage = 'moving';
    this.problem = null;
    try {
      this.taken = await this.course.run(signal, (bytes, of) => this.#move(bytes, of));
      this.moved = this.bytes;
      this.stage = 'done';
    } catch (thrown) {
      if (signal.aborted) this.stage = 'cancelled';
      else this.stop(problemOf(thrown));
    }
    [this.speed, this.left] = [null, null];
  }

  /** Ends it without the gate's having been asked, or as the gate said. */
  stop(problem: Problem): void {
    this.problem = problem;
    this.stage = SAYS_NO.has(problem.status) ? 'stopped' : 'failed';
  }

  /** The person does not want it any more. */
  cancel(): void {
    if (this.over) return;
    this.stage = 'cancelled';
    this.#abort?.abort();
    void this.course.forget?.();
  }

  again(): void {
    this.stage = 'waiting';
  }

  #move(bytes: number, of: number): void {
    if (this.over) return;
    this.moved = bytes;
    if (of > 0) this.bytes = of;
    this.#rate.read(bytes, this.now());
    this.speed = this.#rate.perSecond;
    this.left = this.#rate.secondsFor(this.bytes);
    // The gate looks into a whole file before it answers; what comes out has been judged by then.
    this.stage = this.direction === 'upload' && bytes >= this.bytes ? 'judging' : 'moving';
  }
}
