/** Signatures of time stamps and certificates: RSA of 2,048 bits or more, ECDSA on P-256, P-384 and P-521, Ed25519, by WebCrypto. */
import { signed as signedByEd25519 } from '../ed25519';
import { BITS, INTEGER, must, Row, SEQUENCE, only } from './der';

export type Hash = 'SHA-256' | 'SHA-384' | 'SHA-512';

/** Hashes by the content of their object identifier. */
export const HASHES: Readonly<Record<string, Hash>> = {
  '608648016503040201': 'SHA-256',
  '608648016503040202': 'SHA-384',
  '608648016503040203': 'SHA-512',
};

/** What a stamp's signature may be called (RFC 8017 appendix A.2, RFC 4055, RFC 5758): RSA without its hash, and what has it in its name. */
export const CALLED: Readonly<Record<string, Hash | 'any'>> = {
  '2a864886f70d010101': 'any',
  '2a864886f70d01010b': 'SHA-256',
  '2a864886f70d01010c': 'SHA-384',
  '2a864886f70d01010d': 'SHA-512',
  '2a8648ce3d040302': 'SHA-256',
  '2a8648ce3d040303': 'SHA-384',
  '2a8648ce3d040304': 'SHA-512',
};

/** Algorithms of certificates' signatures (RFC 4055, RFC 5758, RFC 8410). */
export const SIGNED_WITH: Readonly<Record<string, Hash>> = {
  '2a864886f70d01010b': 'SHA-256',
  '2a864886f70d01010c': 'SHA-384',
  '2a864886f70d01010d': 'SHA-512',
  '2a8648ce3d040302': 'SHA-256',
  '2a8648ce3d040303': 'SHA-384',
  '2a8648ce3d040304': 'SHA-512',
  '2b6570': 'SHA-512',
};

const RSA = '2a864886f70d010101';
const EC = '2a8648ce3d0201';
const ED25519 = '2b6570';
/** Curves with the bytes of one of their numbers. */
const CURVES: Readonly<Record<string, [name: string, bytes: number]>> = {
  '2a8648ce3d030107': ['P-256', 32],
  '2b81040022': ['P-384', 48],
  '2b81040023': ['P-521', 66],
};
const LEAST_RSA_BITS = 2_048;

const bytesOf = (bytes: Uint8Array) => bytes as Uint8Array<ArrayBuffer>;

/** Whether a signature over a message was made with the key of a SubjectPublicKeyInfo. Throws NotDer for a key that is none of ours. */
export async function fits(
  spki: Uint8Array,
  hash: Hash,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  const row = only(spki, SEQUENCE);
  const algorithm = row.within(SEQUENCE);
  const kind = algorithm.oid();
  const key = row.take(BITS).content;
  row.end();
  must(key[0] === 0);
  if (kind === ED25519) {
    must(hash === 'SHA-512' && key.length === 33);
    return signedByEd25519({ kid: '', bytes: key.slice(1) }, signature, message);
  }
  if (kind === RSA) {
    must(bitsOf(new Row(key.subarray(1)).within(SEQUENCE).take(INTEGER).content) >= LEAST_RSA_BITS);
    const how = { name: 'RSASSA-PKCS1-v1_5', hash };
    const own = await crypto.subtle.importKey('spki', bytesOf(spki), how, false, ['verify']);
    return crypto.subtle.verify(how, own, bytesOf(signature), bytesOf(message));
  }
  must(kind === EC);
  const [namedCurve, bytes] = must(CURVES[algorithm.oid()]);
  const how = { name: 'ECDSA', namedCurve };
  const own = await crypto.subtle.importKey('spki', bytesOf(spki), how, false, ['verify']);
  const plain = numbers(signature, bytes);
  return plain !== null && crypto.subtle.verify({ ...how, hash }, own, plain, bytesOf(message));
}

/** The two numbers of an ECDSA signature side by side, as WebCrypto wants them; null where they are too long. */
function numbers(signature: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> | null {
  const row = only(signature, SEQUENCE);
  const both = [row.take(INTEGER).content, row.take(INTEGER).content];
  row.end();
  const plain = new Uint8Array(2 * bytes);
  for (const [n, number] of both.entries()) {
    // Shortest, and not negative.
    must(number.length > 0 && (number[0] ?? 0) < 0x80);
    must(number.length === 1 || number[0] !== 0 || (number[1] ?? 0) >= 0x80);
    const digits = number[0] === 0 ? number.subarray(1) : number;
    if (digits.length > bytes) return null;
    plain.set(digits, (n + 1) * bytes - digits.length);
  }
  return plain;
}

function bitsOf(number: Uint8Array): number {
  const digits = number[0] === 0 ? number.subarray(1) : number;
  return digits.length * 8 + 24 - Math.clz32(digits[0] ?? 0);
}
