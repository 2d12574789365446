/** Parts of bundles that are signed outside of a gate: for tests, and for the pretended gate. */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** JSON with sorted members and no white space. */
export function canonical(value) {
  const sorted = (one) =>
    Array.isArray(one)
      ? one.map(sorted)
      : one && typeof one === 'object'
        ? Object.fromEntries(
            Object.keys(one)
              .sort()
              .map((name) => [name, sorted(one[name])]),
          )
        : one;
  return JSON.stringify(sorted(value));
}

/** An Ed25519 key of a seed of equal bytes: private, its kid, and its public half in PEM. */
export function keyOf(byte) {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, byte)]);
  const own = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const open = createPublicKey(own);
  const raw = open.export({ type: 'spki', format: 'der' }).subarray(12);
  return { own, raw, kid: sha256(raw).slice(0, 16), pem: open.export({ type: 'spki', format: 'pem' }) };
}

/** The three parts of a JWS. */
export function jws(typ, payload, { own, kid }) {
  const part = (value) => Buffer.from(canonical(value)).toString('base64url');
  const [head, body] = [part({ alg: 'EdDSA', kid, typ: `portcullis-${typ}+jws` }), part(payload)];
  return [head, body, sign(null, Buffer.from(`${head}.${body}`), own).toString('base64url')];
}

/** A flattened JWS as a file. */
export function flattened(typ, payload, key) {
  const [head, body, signature] = jws(typ, payload, key);
  return `${canonical({ payload: body, protected: head, signature })}\n`;
}
