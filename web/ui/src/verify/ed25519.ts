/** Ed25519 by WebCrypto, and as strict as docs/evidence-format.md asks: no points of small order. */

/** A verifier's key by its name: the first 16 digits of the hash of its 32 bytes. */
export interface PublicKey {
  kid: string;
  bytes: Uint8Array;
}

/** Encodings of the points of small order, canonical or not, without the sign bit (RFC 8032 section 5.1.2, little-endian y). */
const SMALL: readonly string[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

/** Whether 32 bytes encode a point of small order: as a key it lets one signature pass for many messages. */
export function isSmall(point: Uint8Array): boolean {
  const hex = [...point]
    .map((byte, n) => (n === 31 ? byte & 0x7f : byte).toString(16).padStart(2, '0'))
    .join('');
  return SMALL.includes(hex);
}

/** Keys as WebCrypto holds them, by theirs; null where this browser's WebCrypto has no Ed25519. */
const imported = new WeakMap<PublicKey, Promise<CryptoKey | null>>();

/** Whether a signature of 64 bytes over a message is good. */
export async function signed(key: PublicKey, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  if (signature.length !== 64 || isSmall(key.bytes) || isSmall(signature.subarray(0, 32))) return false;
  const importing = imported.get(key) ?? imports(key);
  imported.set(key, importing);
  const own = await importing;
  if (!own) {
    const { ed25519 } = await import('@noble/curves/ed25519.js');
    return ed25519.verify(signature, message, key.bytes, { zip215: false });
  }
  return crypto.subtle.verify(
    'Ed25519',
    own,
    signature as Uint8Array<ArrayBuffer>,
    message as Uint8Array<ArrayBuffer>,
  );
}

async function imports({ bytes }: PublicKey): Promise<CryptoKey | null> {
  const raw = bytes as Uint8Array<ArrayBuffer>;
  try {
    return await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === 'NotSupportedError') return null;
    throw thrown;
  }
}
