/** What of the recording the time line shows: all of it, or a window that follows the playback. */
import type { Span } from './activity';
import type { Playback } from './playback.svelte';
import { following, isZoomed, panned, whole, zoomed } from './view';

/** How much closer one step goes. */
const STEP = 2;

export class Zoom {
  /** Null for all of it, also as it grows. */
  #chosen = $state.raw<Span | null>(null);

  constructor(private readonly playback: Playback) {}

  readonly window = $derived.by(() => this.#chosen ?? whole(this.playback.duration));
  readonly close = $derived.by(() => isZoomed(this.window, this.playback.duration));

  /** One step closer (+1) or wider (-1) around a moment, or all of it (0). */
  step(step: 1 | -1 | 0, at: number = this.playback.position): void {
    this.by(step === 0 ? 0 : STEP ** step, at);
  }

  by(factor: number, at: number): void {
    const { duration } = this.playback;
    const window = factor > 0 ? zoomed(this.window, factor, at, duration) : whole(duration);
    this.#chosen = isZoomed(window, duration) ? window : null;
  }

  pan(by: number): void {
    if (this.close) this.#chosen = panned(this.window, by, this.playback.duration);
  }

  /** Keeps the position in sight. */
  follow(position: number): void {
    if (!this.#chosen) return;
    const window = following(this.#chosen, position, this.playback.duration);
    if (window !== this.#chosen) this.#chosen = window;
  }
}
