/** The state of a playback: one clock that the video, the time line and the events all read. */
import { lengthOf, SPEEDS, speedBeside, within } from './clock';
import { frameBeside } from './frames';
import { Stream, type Opening } from './stream';

/** One step where no frame is known, in seconds. */
const BLIND_STEP = 1 / 25;

export class Playback {
  /** Seconds since the session's start. */
  position = $state(0);
  playing = $state(false);
  speed = $state(1);
  waiting = $state(true);
  failed = $state<'missing' | 'broken' | null>(null);
  /** What of the video is loaded, in seconds. */
  loaded = $state<{ from: number; to: number }[]>([]);

  #media = $state(NaN);
  #stream: Stream | null = null;
  #video: HTMLVideoElement | null = null;
  #beat = 0;

  constructor(
    /** What the index and the events know of the length. */
    private readonly known: () => { durationMs: number; lastEventUs: number },
  ) {}

  get duration(): number {
    const { durationMs, lastEventUs } = this.known();
    return lengthOf(durationMs, this.#media, lastEventUs);
  }

  /** Plays `url` in `video`, its files opened where they lie encrypted; returns what takes it apart again. */
  attach(video: HTMLVideoElement, url: string, opening: Opening | null = null): () => void {
    this.#video = video;
    let gone = false;
    const on = (type: string, act: () => void) => video.addEventListener(type, act);
    on('play', () => this.#run());
    on('pause', () => (this.playing = false));
    on('timeupdate', () => this.#read());
    on('seeking', () => this.#read());
    on('durationchange', () => (this.#media = video.duration));
    on('progress', () => this.#readLoaded());
    on('waiting', () => (this.waiting = true));
    on('canplay', () => (this.waiting = false));
    on('playing', () => (this.waiting = false));
    on('seeked', () => (this.waiting = false));
    // A player built anew, as when a running recording is sealed, goes on where it was.
    const resume = this.playing;
    this.failed = null;
    void Stream.open(video, url, this.position, { onfail: (reason) => (this.failed = reason) }, opening).then(
      (stream) => {
        if (gone) return stream.close();
        this.#stream = stream;
        if (resume) video.play().catch(() => undefined);
      },
      () => (this.failed = 'broken'),
    );
    return () => {
      gone = true;
      cancelAnimationFrame(this.#beat);
      this.#stream?.close();
      this.#stream = null;
      this.#video = null;
    };
  }

  toggle(): void {
    const video = this.#video;
    if (!video) return;
    if (!video.paused) return video.pause();
    if (this.position >= this.duration - 0.05) this.seek(0);
    // A play that is interrupted by a seek or a close rejects, and means nothing.
    video.play().catch(() => undefined);
  }

  seek(position: number): void {
    this.position = within(position, this.duration);
    const video = this.#video;
    if (!video) return;
    // The very end of the media shows nothing: stay on its last frame.
    const last = Number.isFinite(video.duration) ? Math.max(video.duration - 0.01, 0) : this.position;
    video.currentTime = Math.min(this.position, last);
  }

  /** To the next or previous change of the picture, paused. */
  frame(step: 1 | -1): void {
    this.#video?.pause();
    const beside = frameBeside(this.#stream?.frames() ?? [], this.position, step);
    // A hair inside the frame, or rounding shows the one before it.
    this.seek(beside === null ? this.position + step * BLIND_STEP : beside + 0.0005);
  }

  setSpeed(speed: number): void {
    this.speed = SPEEDS.includes(speed) ? speed : 1;
    if (this.#video) this.#video.playbackRate = this.speed;
    this.#stream?.pace(this.speed);
  }

  faster(step: 1 | -1): void {
    this.setSpeed(speedBeside(this.speed, step));
  }

  /** While it plays, the clock is read at every frame of the page, so that the time line glides. */
  #run(): void {
    this.playing = true;
    if (this.#video) this.#video.playbackRate = this.speed;
    const beat = () => {
      if (!this.playing) return;
      this.#read();
      this.#beat = requestAnimationFrame(beat);
    };
    cancelAnimationFrame(this.#beat);
    this.#beat = requestAnimationFrame(beat);
  }

  #read(): void {
    const video = this.#video;
    // While a seek is under way currentTime is already where it goes.
    if (video && video.readyState > 0) this.position = video.currentTime;
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
