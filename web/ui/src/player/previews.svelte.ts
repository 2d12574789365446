/** Small pictures for the time line: of each segment the first frame, decoded alone (WebCodecs). Where a browser cannot, there are none. */
import type { Playback } from './playback.svelte';

/** How long the pointer rests before a picture is asked for, in milliseconds. */
const REST = 60;
/** Width of a picture in pixels, twice what is shown; and how many are kept. */
const WIDE = 384;
const MOST = 80;

export class Previews {
  picture = $state.raw<ImageBitmap | null>(null);

  readonly #kept = new Map<string, ImageBitmap>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wanted: string | null = null;
  #busy = false;

  constructor(private readonly playback: Playback) {}

  /** Shows the picture that is nearest before a moment, as soon as it is there. */
  ask(at: number): void {
    const uri = this.playback.segment(at)?.uri ?? null;
    if (uri === this.#wanted) return;
    this.#wanted = uri;
    clearTimeout(this.#timer);
    this.picture = uri === null ? null : (this.#kept.get(uri) ?? null);
    if (uri !== null && !this.picture && 'VideoDecoder' in globalThis)
      this.#timer = setTimeout(() => void this.#load(at, uri), REST);
  }

  rest(): void {
    clearTimeout(this.#timer);
    [this.#wanted, this.picture] = [null, null];
  }

  async #load(at: number, uri: string): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    // A preview that cannot be had is not missed.
    const made = await this.#make(at).catch(() => null);
    this.#busy = false;
    if (made) this.#keep(uri, made);
    if (this.#wanted === uri) this.picture = made;
    else if (this.#wanted !== null) {
      const next = this.#wanted;
      this.#wanted = null;
      const segment = this.playback.segments.find((one) => one.uri === next);
      if (segment) this.ask(segment.from);
    }
  }

  async #make(at: number): Promise<ImageBitmap | null> {
    const found = await this.playback.picture(at);
    if (!found) return null;
    const { codec, description, data } = found;
    return new Promise((resolve, reject) => {
      const decoder = new VideoDecoder({
        output: (frame) => {
          const size = {
            resizeWidth: WIDE,
            resizeHeight: Math.round((WIDE * frame.displayHeight) / frame.displayWidth),
          };
          createImageBitmap(frame, { ...size, resizeQuality: 'medium' })
            .then(resolve, reject)
            .finally(() => frame.close());
        },
        error: reject,
      });
      decoder.configure({ codec, ...(description ? { description } : {}), optimizeForLatency: true });
      decoder.decode(new EncodedVideoChunk({ type: 'key', timestamp: 0, data }));
      decoder
        .flush()
        .catch(reject)
        .finally(() => decoder.state !== 'closed' && decoder.close());
    });
  }

  #keep(uri: string, made: ImageBitmap): void {
    this.#kept.set(uri, made);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size <= MOST || oldest === undefined) return;
    this.#kept.get(oldest)?.close();
    this.#kept.delete(oldest);
  }
}
