/** Listens to what the gate tells this page beside pixels: an end that is near, counted down, and what was refused. */
import { noticeOf, noticeTypes, secondsLeft, type EndingWhy, type SessionNotice } from './notice';

export interface Ending {
  why: EndingWhy;
  /** Empty where the token says so. */
  rule: string;
  /** Whole seconds. */
  left: number;
}

export type Refused = Extract<SessionNotice, { type: 'refused' }>;

export class Notices {
  ending = $state<Ending | null>(null);

  #source: EventSource | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #until = 0;

  constructor(
    private readonly url: string,
    private readonly onrefused: (refused: Refused) => void,
    private readonly open: (url: string) => EventSource = (url) => new EventSource(url),
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Begins to listen, once; the browser itself comes back where the network breaks. */
  listen(): void {
    if (this.#source) return;
    this.#source = this.open(this.url);
    for (const type of noticeTypes) {
      this.#source.addEventListener(type, (event: MessageEvent<string>) => this.#hear(noticeOf(event.data)));
    }
  }

  close(): void {
    this.#stay();
    this.#source?.close();
  }

  #hear(notice: SessionNotice | null): void {
    if (notice?.type === 'refused') return this.onrefused(notice);
    // The stream is over, and is not to be sought again.
    if (notice?.type === 'ended') return this.close();
    if (notice?.type === 'staying') return this.#stay();
    if (notice?.type !== 'ending') return;
    // By what is left rather than by the time of day: this computer's clock may be another one.
    this.#until = this.now() + notice.left_ms;
    this.ending = { why: notice.why, rule: notice.rule, left: secondsLeft(this.#until, this.now()) };
    this.#timer ??= setInterval(() => this.#tick(), 250);
  }

  #tick(): void {
    const left = secondsLeft(this.#until, this.now());
    if (this.ending && this.ending.left !== left) this.ending = { ...this.ending, left };
  }

  #stay(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.ending = null;
  }
}
