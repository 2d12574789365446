/** A recording's HLS stream in a <video>: hls.js where it runs, the browser's own player elsewhere. */
import type Hls from 'hls.js/light';
import type { LoaderCallbacks, LoaderConfiguration, LoaderContext } from 'hls.js/light';
import { watched } from '../proof/watched.svelte';
import { frameTicks, timescaleOf } from './frames';
import { eager } from './playlist';

/** What the player wants to hear. */
export interface Listen {
  /** The stream cannot be played; `missing` when there is no video yet. */
  onfail: (reason: 'missing' | 'broken') => void;
}

/** Makes of a file as it lies what is played; `path` is its place in the bundle. */
export type Opening = (bytes: Uint8Array, path: string) => Promise<Uint8Array>;

/** Seconds of video kept ahead, at normal speed. */
const AHEAD = 60;

export class Stream {
  /** Frame times in seconds, by fragment. */
  #frames = new Map<number, number[]>();

  private constructor(
    private readonly hls: Hls | null,
    private readonly video: HTMLVideoElement,
  ) {}

  /** Loads hls.js and opens a playlist at a position in seconds, also that of a recording that still runs. */
  static async open(
    video: HTMLVideoElement,
    url: string,
    from: number,
    listen: Listen,
    opening: Opening | null = null,
  ): Promise<Stream> {
    const { default: Hls } = await import('hls.js/light');
    watched.forget();
    if (!Hls.isSupported()) {
      // The browser's own player takes what lies there, and nothing else.
      if (opening) throw new Error('an encrypted recording needs Media Source Extensions');
      video.src = url;
      video.addEventListener('error', () => listen.onfail('broken'), { once: true });
      return new Stream(null, video);
    }
    // No worker: fragmented MP4 passes through as it is, and the CSP need not allow blob: scripts.
    const hls = new Hls({
      enableWorker: false,
      startPosition: from,
      maxBufferLength: AHEAD,
      backBufferLength: 4 * AHEAD,
      pLoader: eagerLoader(Hls),
      ...(opening ? { fLoader: openingLoader(Hls, opening) } : {}),
    });
    const stream = new Stream(hls, video);
    stream.#listen(Hls, hls, listen, opening === null);
    hls.loadSource(url);
    hls.attachMedia(video);
    return stream;
  }

  /** Keeps as many seconds of the reader's own time ahead at any speed. */
  pace(speed: number): void {
    if (this.hls) this.hls.config.maxBufferLength = AHEAD * Math.max(1, speed);
  }

  /** Times of all frames loaded so far, ascending, in seconds. */
  frames(): number[] {
    const fragments = [...this.#frames].sort(([one], [other]) => one - other);
    return fragments.flatMap(([, times]) => times);
  }

  close(): void {
    if (this.hls) this.hls.destroy();
    else this.video.removeAttribute('src');
  }

  #listen(Library: typeof Hls, hls: Hls, listen: Listen, clear: boolean): void {
    const { Events, ErrorTypes } = Library;
    const ticks = new Map<number, { ticks: number[]; scale: number }>();
    hls.on(Events.FRAG_LOADED, (_, { frag, payload }) => {
      const init = frag.initSegment?.data;
      if (clear && payload.byteLength > 0) void watched.take(frag.url, new Uint8Array(payload));
      if (clear && init) void watched.take(frag.initSegment?.url ?? '', init);
      if (typeof frag.sn !== 'number' || !init) return;
      const scale = timescaleOf(init.slice().buffer);
      if (scale !== null) ticks.set(frag.sn, { ticks: frameTicks(payload), scale });
    });
    // Only now is it certain where the fragment stands on the player's clock.
    hls.on(Events.FRAG_BUFFERED, (_, { frag }) => {
      const known = typeof frag.sn === 'number' ? ticks.get(frag.sn) : undefined;
      const first = known?.ticks[0];
      if (!known || first === undefined || typeof frag.sn !== 'number') return;
      this.#frames.set(
        frag.sn,
        known.ticks.map((tick) => frag.start + (tick - first) / known.scale),
      );
      ticks.delete(frag.sn);
    });
    let mended = false;
    hls.on(Events.ERROR, (_, error) => {
      if (!error.fatal) return;
      if (error.type === ErrorTypes.MEDIA_ERROR && !mended) {
        mended = true;
        hls.recoverMediaError();
        return;
      }
      listen.onfail(error.response?.code === 404 ? 'missing' : 'broken');
    });
  }
}

/** hls.js's own loader, but the playlist of a running recording is asked for again soon. */
function eagerLoader(Library: typeof Hls) {
  class Eager extends Library.DefaultConfig.loader {
    override load(
      context: LoaderContext,
      config: LoaderConfiguration,
      callbacks: LoaderCallbacks<LoaderContext>,
    ): void {
      const onSuccess: typeof callbacks.onSuccess = (response, ...rest) => {
        const { data } = response;
        if (typeof data === 'string') void watched.take(context.url, new TextEncoder().encode(data));
        callbacks.onSuccess(
          typeof data === 'string' ? { ...response, data: eager(data) } : response,
          ...rest,
        );
      };
      super.load(context, config, { ...callbacks, onSuccess });
    }
  }
  return Eager as unknown as NonNullable<Hls['config']['pLoader']>;
}

/** hls.js's own loader, but a file is opened before it is played. */
function openingLoader(Library: typeof Hls, opening: Opening) {
  class Opened extends Library.DefaultConfig.loader {
    #gone = false;

    override load(
      context: LoaderContext,
      config: LoaderConfiguration,
      callbacks: LoaderCallbacks<LoaderContext>,
    ): void {
      const onSuccess: typeof callbacks.onSuccess = (response, stats, given, details) => {
        const path = new URL(context.url, location.href).pathname.split('/').slice(-2).join('/');
        void watched.take(path, new Uint8Array(response.data as ArrayBuffer));
        opening(new Uint8Array(response.data as ArrayBuffer), path).then(
          (plain) => {
            if (!this.#gone)
              callbacks.onSuccess({ ...response, data: plain.slice().buffer }, stats, given, details);
          },
          () => {
            if (!this.#gone) callbacks.onError({ code: 0, text: path }, given, details, stats);
          },
        );
      };
      super.load(context, config, { ...callbacks, onSuccess });
    }

    override destroy(): void {
      this.#gone = true;
      super.destroy();
    }
  }
  return Opened as unknown as NonNullable<Hls['config']['fLoader']>;
}
