/** Types of `sign.mjs`. */
import type { KeyObject } from 'node:crypto';

export interface Signing {
  own: KeyObject;
  /** The 32 bytes of the public key, its name, and the key in PEM. */
  raw: Buffer;
  kid: string;
  pem: string;
}

export function sha256(bytes: string | Uint8Array): string;
export function canonical(value: unknown): string;
export function keyOf(byte: number): Signing;
export function jws(typ: string, payload: unknown, key: Signing): [string, string, string];
export function flattened(typ: string, payload: unknown, key: Signing): string;
