/** How fast bytes move, over the last few seconds. Pure: time is handed in. */

/** What is older than this, in milliseconds, says nothing of the speed now. */
const WINDOW = 4_000;
/** Less time than this between two readings gives a speed of chance, in milliseconds. */
const LEAST = 250;

export class Rate {
  #readings: { at: number; moved: number }[] = [];

  /** Takes a reading: so many bytes have moved in all at `at`, in milliseconds. */
  read(moved: number, at: number): void {
    const last = this.#readings.at(-1);
    // What was sent before an interruption is not sent again: what stands is counted afresh.
    if (last && moved < last.moved) this.#readings = [];
    this.#readings.push({ at, moved });
    this.#readings = this.#readings.filter((reading) => at - reading.at <= WINDOW);
  }

  /** Bytes a second; null while there is too little to go by. */
  get perSecond(): number | null {
    const [first, last] = [this.#readings[0], this.#readings.at(-1)];
    if (!first || !last || last.at - first.at < LEAST) return null;
    return ((last.moved - first.moved) * 1000) / (last.at - first.at);
  }

  /** Whole seconds until `bytes` have moved; null while nobody can tell. */
  secondsFor(bytes: number): number | null {
    const [speed, last] = [this.perSecond, this.#readings.at(-1)];
    if (!speed || !last) return null;
    return Math.ceil(Math.max(0, bytes - last.moved) / speed);
  }
}
