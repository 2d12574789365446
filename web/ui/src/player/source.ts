/** The browser's own side of playing a stream: one MediaSource with one buffer, appended to and cut piece by piece. */

/** What a <video> can be fed with in this browser; null where it cannot be fed. */
function kind(): (new () => MediaSource) | null {
  const offered = globalThis as {
    MediaSource?: new () => MediaSource;
    ManagedMediaSource?: new () => MediaSource;
  };
  return offered.MediaSource ?? offered.ManagedMediaSource ?? null;
}

/** Whether a <video> can be fed in this browser. */
export const canFeed = (): boolean => kind() !== null;

export class Source {
  #buffer: SourceBuffer | null = null;
  #codec = '';
  #address = '';

  private constructor(private readonly media: MediaSource) {}

  /** A source that is open under `video`. */
  static open(video: HTMLVideoElement): Promise<Source> {
    const Kind = kind();
    if (!Kind) return Promise.reject(new Error('no Media Source Extensions'));
    const media = new Kind();
    const source = new Source(media);
    source.#address = URL.createObjectURL(media);
    // A managed source is only played where nothing is sent to another screen.
    video.disableRemotePlayback = true;
    return new Promise((resolve) => {
      media.addEventListener('sourceopen', () => resolve(source), { once: true });
      video.src = source.#address;
    });
  }

  /** Takes what follows in this coding; throws where the browser does not know it. */
  async turn(codec: string, init: Uint8Array): Promise<void> {
    const type = `video/mp4; codecs="${codec}"`;
    if (!this.#buffer) this.#buffer = this.media.addSourceBuffer(type);
    else if (this.#codec !== codec) this.#buffer.changeType(type);
    this.#codec = codec;
    await this.append(init);
  }

  /** Resolves once the bytes are in the buffer. Throws QuotaExceededError when it is full. */
  append(bytes: Uint8Array): Promise<void> {
    return this.#settled((buffer) => buffer.appendBuffer(bytes as Uint8Array<ArrayBuffer>));
  }

  remove(from: number, to: number): Promise<void> {
    return this.#settled((buffer) => buffer.remove(from, to));
  }

  /** Sets the length, in seconds; what is in the buffer is never cut by it. */
  lasts(seconds: number): void {
    if (this.media.readyState !== 'open' || this.#buffer?.updating) return;
    const ranges = this.#buffer?.buffered;
    const held = ranges && ranges.length > 0 ? ranges.end(ranges.length - 1) : 0;
    const length = Math.max(seconds, held);
    if (this.media.duration !== length) this.media.duration = length;
  }

  /** There is nothing more to come. */
  end(): void {
    if (this.media.readyState === 'open' && this.#buffer && !this.#buffer.updating) this.media.endOfStream();
  }

  /** Whether a moment is in the buffer. */
  holds(at: number): boolean {
    const ranges = this.#buffer?.buffered;
    if (!ranges) return false;
    for (let n = 0; n < ranges.length; n += 1) if (ranges.start(n) <= at && at <= ranges.end(n)) return true;
    return false;
  }

  close(): void {
    URL.revokeObjectURL(this.#address);
  }

  #settled(act: (buffer: SourceBuffer) => void): Promise<void> {
    const buffer = this.#buffer;
    if (!buffer) return Promise.reject(new Error('no buffer'));
    return new Promise((resolve, reject) => {
      const over = new AbortController();
      const { signal } = over;
      const failed = () => {
        over.abort();
        reject(new Error('the browser cannot read this video'));
      };
      buffer.addEventListener('error', failed, { signal });
      this.media.addEventListener('sourceclose', failed, { signal });
      buffer.addEventListener(
        'updateend',
        () => {
          over.abort();
          resolve();
        },
        { signal },
      );
      try {
        act(buffer);
      } catch (thrown) {
        over.abort();
        reject(thrown as Error);
      }
    });
  }
}
