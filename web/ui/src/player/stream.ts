/**
 * A recording's video in a <video>, segment by segment: only what is watched is fetched, a segment that fails is left out and named,
 * and a running recording grows. Segments have their times on the recording's own clock (docs/evidence-format.md, video), so a
 * position in the player is one in the evidence.
 */
import { askEarly, bytesOf } from './fetching';
import { codingOf, firstFrame, frameBeside, framesOf, timescaleOf, type Coding, type Frames } from './frames';
import { playlistOf, segmentAt, wanted, type Playlist, type Segment } from './playlist';
import { canFeed, Source } from './source';

/** What the player wants to hear. */
export interface Listen {
  /** The stream cannot be played; `missing` when there is no video yet. */
  onfail: (reason: 'missing' | 'broken') => void;
  onplaylist: (playlist: Playlist) => void;
  /** The frames of a segment are known, in seconds. */
  onframes: (segment: Segment, frames: Frames) => void;
  /** What is in the buffer has changed. */
  onbuffer: () => void;
  /** A segment could not be had, or not be read; without any: those that were lost are tried again. */
  onlost: (segment: Segment | null) => void;
  /** Every file as it came from the gate, before it is opened. */
  onbytes: (path: string, bytes: Uint8Array) => void;
}

/** Makes of a file as it lies what is played; `path` is its place in the bundle. */
export type Opening = (bytes: Uint8Array, path: string) => Promise<Uint8Array>;

/** A whole picture of a segment, as it is coded. */
export interface Picture {
  /** The segment's place. */
  of: string;
  data: Uint8Array;
}

interface Init extends Coding {
  bytes: Uint8Array;
  /** Ticks a second. */
  scale: number;
}

/** Seconds of video that are kept ahead, at normal speed, and at most. */
const AHEAD = 45;
const FARTHEST = 360;
/** Segments in the buffer; beyond that the farthest go. */
const MOST_HELD = 60;
/** How often the playlist of a running recording is asked for, in milliseconds. */
const REFRESH = 4_000;

/** Asks for what the first picture at a position takes, while the page is still finding out what it shows. */
export async function fetchEarly(url: string, position: number): Promise<void> {
  const bytes = await askEarly(new URL(url, location.href).href);
  if (!bytes) return;
  const { segments } = playlistOf(new TextDecoder().decode(bytes));
  const first = segments[segmentAt(segments, position)];
  if (!first?.uri) return;
  for (const path of [first.init, first.uri]) void askEarly(new URL(path, new URL(url, location.href)).href);
}

export class Stream {
  #playlist: Playlist = { segments: [], ended: false };
  readonly #frames = new Map<string, Frames>();
  readonly #inits = new Map<string, Promise<Init>>();
  readonly #lost = new Set<string>();
  /** What was appended, by place; the browser may have dropped it since. */
  readonly #held = new Map<string, Segment>();
  #turned = '';
  #ahead = AHEAD;
  #source: Source | null = null;
  /** The segment on its way. */
  #loading: { uri: string; abort: AbortController } | null = null;
  #wake: () => void = () => undefined;
  readonly #gone = new AbortController();

  private constructor(
    private readonly video: HTMLVideoElement,
    private readonly url: string,
    private readonly listen: Listen,
    private readonly opening: Opening | null,
  ) {}

  /** Opens a playlist at a position in seconds, also that of a recording that still runs. */
  static async open(
    video: HTMLVideoElement,
    url: string,
    from: number,
    listen: Listen,
    opening: Opening | null = null,
  ): Promise<Stream> {
    const stream = new Stream(video, url, listen, opening);
    if (canFeed()) await stream.#begin(from);
    // The browser's own player takes what lies there, and nothing else.
    else if (opening) throw new Error('an encrypted recording needs Media Source Extensions');
    else video.src = url;
    return stream;
  }

  /** Keeps as many seconds of the reader's own time ahead at any speed. */
  pace(speed: number): void {
    this.#ahead = Math.min(AHEAD * Math.max(1, speed), FARTHEST);
    this.#wake();
  }

  /** When the frame after (+1) or before (-1) a position begins, in seconds; null where there is none. Loads what it takes to know. */
  async beside(position: number, step: 1 | -1): Promise<number | null> {
    const { segments } = this.#playlist;
    let times: readonly number[] = [];
    for (let n = segmentAt(segments, position); n >= 0 && n < segments.length; n += step) {
      const known = await this.#framesOf(segments[n]);
      times = step === 1 ? [...times, ...known] : [...known, ...times];
      const beside = frameBeside(times, position, step);
      if (beside !== null) return beside;
    }
    return null;
  }

  /** The whole picture that the segment at a position begins with, still coded; null where there is none. */
  async picture(position: number): Promise<(Picture & Coding) | null> {
    const segment = this.#playlist.segments[segmentAt(this.#playlist.segments, position)];
    if (!segment?.uri || this.#lost.has(segment.uri)) return null;
    const both = [this.#init(segment.init), this.#file(segment.uri, this.#gone.signal)] as const;
    const [{ codec, description }, bytes] = await Promise.all(both);
    const data = firstFrame(bytes.slice().buffer);
    return data && { of: segment.uri, codec, description, data };
  }

  /** Tries what was lost once more. */
  retry(): void {
    this.#lost.clear();
    this.listen.onlost(null);
    this.#wake();
  }

  close(): void {
    this.#gone.abort();
    this.#loading?.abort.abort();
    this.#source?.close();
    this.#wake();
    this.video.removeAttribute('src');
    this.video.load();
  }

  async #begin(from: number): Promise<void> {
    const [source] = await Promise.all([Source.open(this.video), this.#read()]);
    if (this.#gone.signal.aborted) return source.close();
    this.#source = source;
    this.#setLength();
    this.video.currentTime = from;
    const on = (type: string, act: () => void) =>
      this.video.addEventListener(type, act, { signal: this.#gone.signal });
    on('timeupdate', () => this.#wake());
    on('seeking', () => this.#aim());
    on('error', () => void this.#mend());
    void this.#run();
    if (!this.#playlist.ended) void this.#follow();
  }

  async #read(): Promise<void> {
    const bytes = await bytesOf(new URL(this.url, location.href).href, this.#gone.signal);
    this.listen.onbytes('index.m3u8', bytes);
    this.#playlist = playlistOf(new TextDecoder().decode(bytes));
    this.listen.onplaylist(this.#playlist);
  }

  /** Reads the playlist of a running recording again and again. */
  async #follow(): Promise<void> {
    while (!this.#playlist.ended && !this.#gone.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, REFRESH));
      if (document.visibilityState !== 'visible') continue;
      // One reading that fails is made good by the next.
      await this.#read().catch(() => undefined);
      this.#setLength();
      this.#wake();
    }
  }

  #setLength(): void {
    this.#source?.lasts(this.#playlist.segments.at(-1)?.to ?? 0);
  }

  /** Loads what is wanted next, one after the other, for as long as the stream is open. */
  async #run(): Promise<void> {
    while (!this.#gone.signal.aborted) {
      const next = this.#source
        ? wanted(this.#playlist.segments, this.video.currentTime, this.#ahead, (one) => this.#has(one))
        : null;
      if (next) await this.#load(next);
      else {
        this.#endIfWhole();
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  #has({ uri, from, to }: Segment): boolean {
    if (uri === null || this.#lost.has(uri)) return true;
    // Of what is very short, the buffer's ranges tell nothing.
    return this.#held.has(uri) && (to - from < 0.2 || this.#source?.holds((from + to) / 2) === true);
  }

  #endIfWhole(): void {
    const last = this.#playlist.segments.findLast(({ uri }) => uri !== null);
    if (this.#playlist.ended && last && this.#has(last)) this.#source?.end();
  }

  /** After a seek: what is on its way is given up unless it is wanted first. */
  #aim(): void {
    const next = wanted(this.#playlist.segments, this.video.currentTime, 1, (one) => this.#has(one));
    if (next && this.#loading && this.#loading.uri !== next.uri) this.#loading.abort.abort();
    this.#wake();
  }

  async #load(segment: Segment): Promise<void> {
    const [uri, source] = [segment.uri ?? '', this.#source];
    const abort = new AbortController();
    this.#loading = { uri, abort };
    try {
      const [init, bytes] = await Promise.all([this.#init(segment.init), this.#file(uri, abort.signal)]);
      this.#learn(segment, init, bytes);
      if (!source || source !== this.#source) return;
      if (this.#turned !== segment.init) {
        await source.turn(init.codec, init.bytes);
        this.#turned = segment.init;
      }
      await this.#append(source, bytes);
      this.#held.set(uri, segment);
      if (!this.#has(segment)) this.#lose(segment);
      this.#setLength();
      this.listen.onbuffer();
    } catch (thrown) {
      if (abort.signal.aborted || this.#gone.signal.aborted || source !== this.#source) return;
      this.#inits.delete(segment.init);
      this.#lose(segment);
      if (thrown instanceof DOMException && thrown.name === 'NotSupportedError') this.listen.onfail('broken');
    } finally {
      this.#loading = null;
    }
  }

  #lose(segment: Segment): void {
    this.#lost.add(segment.uri ?? '');
    this.listen.onlost(segment);
  }

  async #append(source: Source, bytes: Uint8Array): Promise<void> {
    if (this.#held.size >= MOST_HELD) await this.#cut(source, MOST_HELD / 2);
    try {
      await source.append(bytes);
    } catch (thrown) {
      if (!(thrown instanceof DOMException) || thrown.name !== 'QuotaExceededError') throw thrown;
      await this.#cut(source, 4);
      await source.append(bytes);
    }
  }

  /** Takes what is farthest from what is watched out of the buffer, until so many segments are left. */
  async #cut(source: Source, left: number): Promise<void> {
    const far = ({ from, to }: Segment) => Math.abs((from + to) / 2 - this.video.currentTime);
    const byDistance = [...this.#held].sort(([, one], [, other]) => far(other) - far(one));
    for (const [uri, segment] of byDistance.slice(0, Math.max(byDistance.length - left, 0))) {
      this.#held.delete(uri);
      if (segment.to > segment.from) await source.remove(segment.from, segment.to);
    }
  }

  /** The browser has given up on what it was fed: leaves out what is there now and goes on behind it. */
  async #mend(): Promise<void> {
    const { segments } = this.#playlist;
    const at = this.video.currentTime;
    // The decoder is ahead of what is shown; some browsers say by how much.
    const [, told] = this.video.error?.message.match(/timestamp[=:] ?(\d+)/) ?? [];
    const broken = segments[segmentAt(segments, told === undefined ? at : Number(told) / 1e6)];
    if (!broken?.uri || this.#lost.has(broken.uri)) return this.listen.onfail('broken');
    const resume = !this.video.paused;
    this.#source?.close();
    this.#source = null;
    this.#held.clear();
    this.#turned = '';
    this.#lose(broken);
    this.#source = await Source.open(this.video);
    this.#setLength();
    this.video.currentTime = at;
    if (resume) this.video.play().catch(() => undefined);
    this.#wake();
  }

  #init(path: string): Promise<Init> {
    const known = this.#inits.get(path);
    if (known) return known;
    const read = this.#file(path, this.#gone.signal).then((bytes) => {
      const whole = bytes.slice().buffer;
      const [coding, scale] = [codingOf(whole), timescaleOf(whole)];
      if (coding === null || scale === null) throw new Error(`${path} is no init segment`);
      return { ...coding, bytes, scale };
    });
    this.#inits.set(path, read);
    read.catch(() => this.#inits.delete(path));
    return read;
  }

  async #file(path: string, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await bytesOf(new URL(path, new URL(this.url, location.href)).href, signal);
    this.listen.onbytes(path, bytes);
    return this.opening ? this.opening(bytes, path) : bytes;
  }

  #learn(segment: Segment, { scale }: Init, bytes: Uint8Array): readonly number[] {
    const uri = segment.uri ?? '';
    const known = this.#frames.get(uri);
    if (known) return known.times;
    const { times, sizes } = framesOf(bytes.slice().buffer);
    const frames = { times: times.map((tick) => tick / scale), sizes };
    this.#frames.set(uri, frames);
    this.listen.onframes(segment, frames);
    return frames.times;
  }

  async #framesOf(segment: Segment | undefined): Promise<readonly number[]> {
    if (!segment?.uri || this.#lost.has(segment.uri)) return [];
    const known = this.#frames.get(segment.uri);
    if (known) return known.times;
    const both = [this.#init(segment.init), this.#file(segment.uri, this.#gone.signal)] as const;
    return Promise.all(both).then(
      ([init, bytes]) => this.#learn(segment, init, bytes),
      () => [],
    );
  }
}
