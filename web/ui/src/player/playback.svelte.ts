/** The state of a playback: one clock that the video, the time line and the events all read. */
import type { EvidenceEvent } from '../api/types';
import { Activity, spanAt, type Span } from './activity';
import { lengthOf, SPEEDS, speedBeside, within } from './clock';
import type { Coding, Frames } from './frames';
import { holesOf, type Hole } from './holes';
import { Leap } from './leap';
import { onFrom, segmentAt, type Segment } from './playlist';
import { Stream, type Opening, type Picture } from './stream';

/** One step where no frame is known, in seconds. */
const BLIND_STEP = 1 / 25;
/** Seconds that must be idle to be worth skipping. */
const LEAST_IDLE = 5;
/** How long the playback stands at a hole, and how long it says what it left out, in milliseconds. */
const HOLD = 2_500;
const SAID = 4_000;
/** Seconds before its end at which the buffer counts as run out. */
const NEAR = 0.3;

/** What the playback did not show just now. */
export interface Skipped extends Span {
  why: 'idle' | Hole['why'];
  reason: string;
}

/** What the index and the events know. */
export interface Known {
  durationMs: number;
  events: EvidenceEvent[];
}

export class Playback {
  /** Seconds since the session's start. */
  position = $state(0);
  playing = $state(false);
  speed = $state(1);
  waiting = $state(true);
  failed = $state<'missing' | 'broken' | null>(null);
  /** What of the video is loaded. */
  loaded = $state.raw<Span[]>([]);
  /** Stretches in which nothing happens are left out. */
  skipsIdle = $state(false);
  skipped = $state.raw<Skipped | null>(null);
  /** Only the first picture of each segment is shown: the browser cannot keep up with the speed. */
  leaping = $state(false);
  segments = $state.raw<Segment[]>([]);
  /** Segments that could not be loaded. */
  lost = $state.raw<Segment[]>([]);

  /** Hears of every file as the player was handed it, by its place in the bundle; of the playlist first. */
  onbytes: ((path: string, bytes: Uint8Array) => void) | null = null;

  /** Another player begins. */
  onbegin: (() => void) | null = null;

  #media = $state(NaN);
  /** Rises when the frames of another segment are known. */
  #learned = $state(0);
  readonly #frames = new Map<string, Frames>();
  #stream: Stream | null = null;
  #video: HTMLVideoElement | null = null;
  #beat = 0;
  #leap = new Leap();
  /** When the playback goes on behind a hole, on the page's clock. */
  #holdUntil = 0;
  #saying: ReturnType<typeof setTimeout> | undefined;
  /** Where a drag wants to be while the seek before it is under way. */
  #pending: number | null = null;

  constructor(private readonly known: () => Known) {}

  readonly duration = $derived.by(() => {
    const { durationMs, events } = this.known();
    return lengthOf(durationMs, this.#media, events.at(-1)?.at_us ?? 0);
  });

  /** What went on when. */
  readonly activity = $derived.by(() => {
    void this.#learned;
    const activity = new Activity(this.duration);
    activity.addEvents(this.known().events);
    for (const segment of this.segments) activity.addSegment(segment, this.#frames.get(segment.uri ?? ''));
    return activity;
  });

  readonly idle = $derived.by(() => this.activity.idle(LEAST_IDLE));
  readonly holes = $derived.by(() => holesOf(this.known().events, this.segments, this.lost));
  /** The hole that the position is in. */
  readonly hole = $derived.by(() => spanAt(this.holes, this.position));

  /** Plays `url` in `video`, its files opened where they lie encrypted; returns what takes it apart again. */
  attach(video: HTMLVideoElement, url: string, opening: Opening | null = null): () => void {
    this.#video = video;
    const gone = new AbortController();
    const on = (type: string, act: () => void) => video.addEventListener(type, act, { signal: gone.signal });
    on('play', () => this.#run());
    on('pause', () => {
      if (!this.leaping) this.playing = false;
    });
    on('timeupdate', () => this.#read());
    on('seeking', () => this.#read());
    on('seeked', () => this.#onseeked());
    on('durationchange', () => (this.#media = video.duration));
    on('progress', () => this.#readLoaded());
    on('waiting', () => (this.waiting = true));
    for (const type of ['canplay', 'playing']) on(type, () => (this.waiting = false));
    // A player built anew, as when a running recording is sealed, goes on where it was.
    const resume = this.playing;
    [this.failed, this.lost] = [null, []];
    this.onbegin?.();
    const listen = {
      onfail: (reason: 'missing' | 'broken') => (this.failed = reason),
      onplaylist: ({ segments }: { segments: Segment[] }) => (this.segments = segments),
      onframes: (segment: Segment, frames: Frames) => {
        this.#frames.set(segment.uri ?? '', frames);
        this.#learned += 1;
      },
      onbytes: (path: string, bytes: Uint8Array) => this.onbytes?.(path, bytes),
      onbuffer: () => this.#readLoaded(),
      onlost: (segment: Segment | null) => (this.lost = segment ? [...this.lost, segment] : []),
    };
    void Stream.open(video, url, this.position, listen, opening).then(
      (stream) => {
        if (gone.signal.aborted) return stream.close();
        this.#stream = stream;
        stream.pace(this.speed);
        if (resume) video.play().catch(() => undefined);
      },
      (thrown: unknown) => {
        if (!gone.signal.aborted) this.failed = isMissing(thrown) ? 'missing' : 'broken';
      },
    );
    return () => {
      gone.abort();
      cancelAnimationFrame(this.#beat);
      clearTimeout(this.#saying);
      this.#stream?.close();
      this.#stream = null;
      this.#video = null;
    };
  }

  toggle(): void {
    const video = this.#video;
    if (!video) return;
    if (this.playing) return this.pause();
    if (this.position >= this.duration - 0.05) this.seek(0);
    // A play that is interrupted by a seek or a close rejects, and means nothing.
    video.play().catch(() => undefined);
  }

  pause(): void {
    this.playing = false;
    this.#video?.pause();
    if (!this.leaping) return;
    this.leaping = false;
    this.seek(this.position);
  }

  seek(position: number): void {
    this.#pending = null;
    this.#holdUntil = 0;
    this.skipped = null;
    this.position = within(position, this.duration);
    this.#leap.from(performance.now(), this.position);
    this.#show(this.position);
  }

  /** Seeks for as long as a finger draws: a seek that is under way is not given up, so that pictures are seen on the way. */
  scrub(position: number): void {
    if (!this.#video?.seeking) return this.seek(position);
    this.position = within(position, this.duration);
    this.#pending = this.position;
  }

  /** To the next or previous change of the picture, paused. */
  async frame(step: 1 | -1): Promise<void> {
    this.pause();
    const from = this.position;
    const beside = (await this.#stream?.beside(from, step)) ?? null;
    // Another seek was faster.
    if (this.position !== from) return;
    // A hair inside the frame, or rounding shows the one before it.
    this.seek(beside === null ? from + step * BLIND_STEP : beside + 0.0005);
  }

  setSpeed(speed: number): void {
    this.speed = SPEEDS.includes(speed) ? speed : 1;
    this.#stream?.pace(this.speed);
    this.#leap.from(performance.now(), this.position);
    if (this.#video) this.#video.playbackRate = this.speed;
    if (!this.leaping) return;
    this.leaping = false;
    this.#show(this.position);
    this.#video?.play().catch(() => undefined);
  }

  faster(step: 1 | -1): void {
    this.setSpeed(speedBeside(this.speed, step));
  }

  /** The segment at a position, by its place, and the picture that it begins with. */
  segment(position: number): Segment | null {
    return this.segments[segmentAt(this.segments, position)] ?? null;
  }

  async picture(position: number): Promise<(Picture & Coding) | null> {
    return (await this.#stream?.picture(position)) ?? null;
  }

  /** Asks once more for what could not be loaded. */
  retry(): void {
    this.#stream?.retry();
  }

  #show(position: number): void {
    const video = this.#video;
    if (!video) return;
    // The very end of the media shows nothing: stay on its last frame.
    const last = Number.isFinite(video.duration) ? Math.max(video.duration - 0.01, 0) : position;
    video.currentTime = Math.min(position, last);
  }

  #onseeked(): void {
    this.waiting = false;
    const to = this.#pending;
    if (to !== null) this.seek(to);
  }

  /** While it plays, the clock is read at every frame of the page, so that the time line glides. */
  #run(): void {
    this.playing = true;
    this.#leap.from(performance.now(), this.position);
    if (this.#video) this.#video.playbackRate = this.speed;
    const beat = (now: number) => {
      if (!this.playing) return;
      if (this.leaping) this.#leapOn(now);
      else this.#read();
      this.#leaveOut(now);
      this.#beat = requestAnimationFrame(beat);
    };
    cancelAnimationFrame(this.#beat);
    this.#beat = requestAnimationFrame(beat);
  }

  /** Goes on behind what has no picture, once that was said, and behind what is idle where the reader wants it. */
  #leaveOut(now: number): void {
    const lost = (one: Segment) => this.lost.includes(one);
    const to = onFrom(this.segments, this.position + (this.waiting ? NEAR : 0), lost);
    if (to !== null) {
      this.#holdUntil ||= now + HOLD;
      if (now < this.#holdUntil) return this.#leap.from(now, this.position);
      this.#holdUntil = 0;
      const hole = this.hole ?? spanAt(this.holes, this.position + NEAR);
      if (to === Infinity) return this.pause();
      return this.#hop(to, { why: hole?.why ?? 'gap', reason: hole?.reason ?? '' });
    }
    const idle = this.skipsIdle ? spanAt(this.idle, this.position) : null;
    if (idle && idle.to - this.position > 1) return this.#hop(idle.to, { why: 'idle', reason: '' });
    if (this.position >= this.duration - 0.01 && this.leaping) return this.pause();
    if (!this.leaping && this.#leap.lags(now, this.position, this.speed)) this.#beginLeaping(now);
  }

  #hop(to: number, how: { why: Skipped['why']; reason: string }): void {
    const from = this.position;
    this.seek(to + 0.001);
    this.skipped = { from, to, ...how };
    clearTimeout(this.#saying);
    this.#saying = setTimeout(() => (this.skipped = null), SAID);
  }

  #beginLeaping(now: number): void {
    this.leaping = true;
    this.#leap.from(now, this.position);
    this.#video?.pause();
  }

  #leapOn(now: number): void {
    this.position = within(this.#leap.at(now, this.speed), this.duration);
    const video = this.#video;
    if (!video || video.seeking) return;
    const picture = this.#leap.picture(this.segments, this.position);
    if (picture !== null) video.currentTime = picture;
  }

  #read(): void {
    const video = this.#video;
    // While a seek is under way currentTime is already where it goes.
    if (video && video.readyState > 0 && !this.leaping && this.#pending === null)
      this.position = video.currentTime;
  }

  #readLoaded(): void {
    const ranges = this.#video?.buffered;
    if (!ranges) return;
    this.loaded = Array.from({ length: ranges.length }, (_, n) => ({
      from: ranges.start(n),
      to: ranges.end(n),
    }));
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'status' in thrown && thrown.status === 404;
}
