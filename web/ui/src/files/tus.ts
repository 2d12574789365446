/** A large file handed in piece by piece, and gone on with where the network broke: tus 1.0.0, core, creation and termination. */
import { CallFailed } from '../api/http';
import type { Answered, Asked } from '../api/exchange';
import { pauseBefore } from '../session/backoff';
import { passing } from '../session/end';
import { strings } from '../strings';

/** Bytes of a piece. */
export const PIECE = 64 * 1024 * 1024;

const VERSION = { 'tus-resumable': '1.0.0' };

/** What the world does for an upload: calls, pauses and chance. */
export interface World {
  exchange: (asked: Asked) => Promise<Answered>;
  pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  chance: () => number;
}

/** One upload; made once, it goes on at the place where it stopped however often it is run. */
export class Upload {
  /** Where the gate keeps it; null before it was created. */
  #place: string | null = null;
  #called: string | null = null;

  constructor(
    private readonly url: string,
    private readonly name: string,
    private readonly file: Blob,
    private readonly world: World,
  ) {}

  /**
   * Sends what the gate lacks; resolves when it has all of it and permits it, to the name that it got where the gate says one. Throws CallFailed for what does not pass by itself, the
   * gate's verdict among it, and the signal's reason when aborted.
   */
  async run(signal: AbortSignal, onsent: (bytes: number) => void): Promise<string | null> {
    let attempt = 0;
    let offset = 0;
    for (;;) {
      const begun = offset;
      try {
        offset = await this.#offset(signal);
        onsent(offset);
        while (offset < this.file.size) {
          offset = await this.#patch(offset, signal, onsent);
          attempt = 0;
        }
        return this.#called;
      } catch (thrown) {
        if (signal.aborted || !this.#goesOn(thrown)) throw thrown;
        if (offset > begun) attempt = 0;
        const pause = pauseBefore(attempt, this.world.chance());
        if (pause === null) throw thrown;
        attempt += 1;
        await this.world.pause(pause, signal);
      }
    }
  }

  /** The gate may forget it; that it does not hear so is no matter, since what lies there expires. */
  async forget(): Promise<void> {
    const url = this.#place;
    this.#place = null;
    if (url) await this.world.exchange({ method: 'DELETE', url, headers: VERSION }).catch(() => undefined);
  }

  /** How many bytes the gate has; creates the upload where there is none. */
  async #offset(signal: AbortSignal): Promise<number> {
    if (this.#place === null) {
      const name = btoa(String.fromCharCode(...new TextEncoder().encode(this.name)));
      const headers = {
        ...VERSION,
        'upload-length': String(this.file.size),
        'upload-metadata': `filename ${name}`,
      };
      const made = await this.world.exchange({ method: 'POST', url: this.url, headers, signal });
      this.#place = made.header('location');
      if (this.#place === null) throw unreadable(made.status);
      return 0;
    }
    const head = await this.world.exchange({ method: 'HEAD', url: this.#place, headers: VERSION, signal });
    return offsetOf(head, this.file.size);
  }

  async #patch(offset: number, signal: AbortSignal, onsent: (bytes: number) => void): Promise<number> {
    const body = this.file.slice(offset, offset + PIECE);
    const answer = await this.world.exchange({
      method: 'PATCH',
      url: this.#place ?? this.url,
      headers: {
        ...VERSION,
        'upload-offset': String(offset),
        'content-type': 'application/offset+octet-stream',
      },
      body,
      signal,
      onsent: (bytes) => onsent(offset + bytes),
    });
    const now = offsetOf(answer, this.file.size);
    this.#called = nameOf(answer.header('upload-metadata'));
    // An answer that takes nothing would be asked for ever.
    if (now <= offset) throw unreadable(answer.status);
    return now;
  }

  /** Whether a failure is worth another attempt; an upload that the gate has forgotten is begun again. */
  #goesOn(thrown: unknown): boolean {
    if (!(thrown instanceof CallFailed)) return false;
    if (this.#place !== null && (thrown.status === 404 || thrown.status === 410)) {
      this.#place = null;
      return true;
    }
    // 409 and 423: what is sent and what is there disagree for the moment, as when the broken connection still holds it.
    const disagrees = this.#place !== null && (thrown.status === 409 || thrown.status === 423);
    return disagrees || (passing(thrown.problem) && thrown.status !== 429);
  }
}

/** The name in an answer's metadata, in which it stands as in what is asked; null where there is none. */
function nameOf(metadata: string | null): string | null {
  const encoded = /^filename ([\w+/=]+)$/.exec(metadata ?? '')?.[1];
  if (encoded === undefined) return null;
  const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

function offsetOf(answer: Answered, size: number): number {
  const offset = Number(answer.header('upload-offset') ?? NaN);
  if (!Number.isSafeInteger(offset) || offset < 0 || offset > size) throw unreadable(answer.status);
  return offset;
}

function unreadable(status: number): CallFailed {
  return new CallFailed({ type: 'about:blank', title: strings.errors.unreadable, status, detail: '' });
}
