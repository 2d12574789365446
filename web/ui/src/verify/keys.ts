/** What a bundle is held against, read from what a person or a gate gives: public keys, lists of keys with their validity, roots that sign those, authorities. */
import { base64, base64url, sha256 } from './bytes';
import type { PublicKey } from './ed25519';
import { isSmall } from './ed25519';
import { formed, line, proved } from './jws';
import { certificatesOf } from './stamp/certificate';
import { microseconds } from './times';
import { need } from './verdict';

/** SubjectPublicKeyInfo of Ed25519 (RFC 8410) up to the 32 bytes of the key. */
const SPKI = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/** Characters of a list of keys, and of one that is signed. */
const MOST_LIST = 512 * 1024;
/** Characters of all that is given: a list, keys in PEM and certificates. */
const MOST_TEXT = 1024 * 1024;
const PUBLIC = /-----BEGIN PUBLIC KEY-----([\s\S]*?)-----END PUBLIC KEY-----/g;
const BLOCK = /-----BEGIN ([A-Z ]+)-----[\s\S]*?-----END \1-----/g;

/** When a key of a list counts: wall-clock times, empty where there is none. */
export interface Validity {
  from: string;
  until: string;
  revoked: string;
}

/** What verification is held against. */
export interface Trust {
  keys: Map<string, PublicKey>;
  /** Empty for keys that count whatever the time. */
  validity: Map<string, Validity>;
  /** Certificates of authorities that stamp time, in DER. */
  authorities: Uint8Array[];
}

/** Why a text is nothing to hold a bundle against: no key in it, a signed list without its root, one of another root, or more than is read. */
export type NoTrust = 'none' | 'signed' | 'unsigned' | 'certificate' | 'long';

interface KeyList {
  issued: string;
  keys: (Validity & { kid: string; x: string })[];
}

export const noTrust = (): Trust => ({ keys: new Map(), validity: new Map(), authorities: [] });

/**
 * What a text holds: PEM of public keys and of authorities' certificates, and a list of keys, in any order. Beside a list that is signed the public keys are the
 * roots that it may be signed by.
 */
export async function trustOf(text: string): Promise<Trust | NoTrust> {
  if (text.length > MOST_TEXT) return 'long';
  const trust = noTrust();
  if (text.includes('-----BEGIN CERTIFICATE-----')) {
    const certificates = certificatesOf(text);
    if (!certificates) return 'certificate';
    trust.authorities = certificates;
  }
  const keys = await keysOf(text);
  const list = text.replace(BLOCK, '').trim();
  if (!list.startsWith('{')) trust.keys = keys;
  else {
    const listed = await listOf(`${list}\n`, keys);
    if (typeof listed === 'string') return listed;
    // A root signs lists, and no bundle.
    if (!isSigned(list)) for (const key of keys.values()) trust.keys.set(key.kid, key);
    for (const key of listed.keys.values()) trust.keys.set(key.kid, key);
    trust.validity = listed.validity;
  }
  return trust.keys.size > 0 || trust.authorities.length > 0 ? trust : 'none';
}

/** Public keys in PEM. */
export async function keysOf(text: string): Promise<Map<string, PublicKey>> {
  const keys = new Map<string, PublicKey>();
  for (const [, body = ''] of text.matchAll(PUBLIC)) {
    const key = await keyOf(body.replace(/\s/g, ''));
    if (key) keys.set(key.kid, key);
  }
  return keys;
}

async function keyOf(body: string): Promise<PublicKey | null> {
  if (!/^[A-Za-z0-9+/]*=*$/.test(body) || body.length % 4 !== 0) return null;
  const der = base64(body);
  if (der.length !== SPKI.length + 32 || !SPKI.every((byte, n) => der[n] === byte)) return null;
  const bytes = der.slice(SPKI.length);
  return isSmall(bytes) ? null : { kid: (await sha256(bytes)).slice(0, 16), bytes };
}

const isSigned = (list: string): boolean => list.includes('"protected"');

/** A list as a gate keeps it, or one that a root signed. Of a list with a fault nothing is believed. */
export async function listOf(
  text: string,
  roots: ReadonlyMap<string, PublicKey>,
): Promise<Pick<Trust, 'keys' | 'validity'> | NoTrust> {
  if (text.length > MOST_LIST) return 'long';
  const signed = isSigned(text);
  if (signed && roots.size === 0) return 'signed';
  let payload;
  try {
    payload = signed ? (await proved(new TextEncoder().encode(text), 'keys', roots)).payload : line(text);
  } catch {
    return signed ? 'unsigned' : 'none';
  }
  try {
    return await believed(formed<KeyList>(payload, 'key_list'));
  } catch {
    return 'none';
  }
}

async function believed({ issued, keys }: KeyList): Promise<Pick<Trust, 'keys' | 'validity'>> {
  const trust = noTrust();
  microseconds(issued);
  for (const { kid, x, from, until, revoked } of keys) {
    const bytes = base64url(x);
    need(bytes.length === 32 && !isSmall(bytes) && (await sha256(bytes)).slice(0, 16) === kid);
    need(!trust.keys.has(kid));
    microseconds(from);
    for (const time of [until, revoked]) if (time !== '') microseconds(time);
    trust.keys.set(kid, { kid, bytes });
    trust.validity.set(kid, { from, until, revoked });
  }
  return trust;
}
