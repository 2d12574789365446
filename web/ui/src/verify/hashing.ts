/** SHA-256 of bytes that come in pieces: by WebCrypto while they are few, piece by piece beyond, so that memory does not grow with files. */
import { sha256 as streaming } from '@noble/hashes/sha2.js';
import { hex, sha256 } from './bytes';

/** Bytes that are gathered before they are hashed piece by piece: WebCrypto is several times as fast, and wants them all at once. */
const WHOLE = 16 * 1024 * 1024;

export class Hashing {
  bytes = 0;
  #gathered: Uint8Array[] | null = [];
  #hash: ReturnType<typeof streaming.create> | null = null;

  push(piece: Uint8Array): void {
    this.bytes += piece.length;
    if (this.#gathered && this.bytes <= WHOLE) {
      this.#gathered.push(piece);
      return;
    }
    const hash = (this.#hash ??= streaming.create());
    for (const early of this.#gathered ?? []) hash.update(early);
    this.#gathered = null;
    hash.update(piece);
  }

  /** 64 lower-case hexadecimal digits. */
  async end(): Promise<string> {
    return this.#hash ? hex(this.#hash.digest()) : sha256(joined(this.#gathered ?? []));
  }
}

/** Pieces as one. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (only && pieces.length === 1) return only;
  const whole = new Uint8Array(pieces.reduce((all, { length }) => all + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
