/** The public keys that a bundle is held against: one or more PEM, or a list with validity, read from what a person gives. */
import { base64, base64url, sha256 } from './bytes';
import type { PublicKey } from './ed25519';
import { isSmall } from './ed25519';
import { formed, line } from './jws';

/** SubjectPublicKeyInfo of Ed25519 (RFC 8410) up to the 32 bytes of the key. */
const SPKI = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/** The longest text of keys that is read: a list of keys at its limit, signed. */
const MOST_TEXT = 1024 * 1024;

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
}

interface KeyList {
  keys: (Validity & { kid: string; x: string })[];
}

/** Keys of a text, PEM or a list of keys; null when it holds none. */
export async function trustOf(text: string): Promise<Trust | null> {
  if (text.length > MOST_TEXT) return null;
  try {
    const trust = text.includes('-----BEGIN') ? await ofPem(text) : await ofList(text);
    return trust.keys.size > 0 ? trust : null;
  } catch {
    return null;
  }
}

async function ofPem(text: string): Promise<Trust> {
  const keys = new Map<string, PublicKey>();
  for (const [, body = ''] of text.matchAll(
    /-----BEGIN PUBLIC KEY-----([\s\S]*?)-----END PUBLIC KEY-----/g,
  )) {
    const der = base64(body.replace(/\s/g, ''));
    if (der.length !== SPKI.length + 32 || !SPKI.every((byte, n) => der[n] === byte)) continue;
    const bytes = der.slice(SPKI.length);
    const kid = (await sha256(bytes)).slice(0, 16);
    if (!isSmall(bytes)) keys.set(kid, { kid, bytes });
  }
  return { keys, validity: new Map() };
}

/** A list as a gate keeps it. One that a root signed is refused: it counts for its root's sake, which `portcullis verify` is given. */
async function ofList(text: string): Promise<Trust> {
  const trust: Trust = { keys: new Map(), validity: new Map() };
  for (const { kid, x, from, until, revoked } of formed<KeyList>(line(text), 'key_list').keys) {
    const bytes = base64url(x);
    if (isSmall(bytes) || (await sha256(bytes)).slice(0, 16) !== kid) continue;
    trust.keys.set(kid, { kid, bytes });
    trust.validity.set(kid, { from, until, revoked });
  }
  return trust;
}
