/** Signed parts of a bundle: JWS in the two forms that evidence has. */
import { base64url } from './bytes';
import { canonical, textOf } from './canonical';
import { signed, type PublicKey } from './ed25519';
import { hasForm } from './schema';
import { need } from './verdict';

export type Keys = ReadonlyMap<string, PublicKey>;

/** What is signed; it is under the signature, so that one can never stand for the other. */
export type Typ = 'link' | 'seal' | 'keys' | 'tombstone' | 'replacement' | 'derivation';

/** A text of canonical JSON that has a form of the schema. */
export function formed<T>(text: string, form: string): T {
  const value = canonical(text);
  need(hasForm(value, form));
  return value as T;
}

/** A text without the line feed that it must end with. */
export function line(text: string): string {
  need(text.endsWith('\n'));
  return text.slice(0, -1);
}

/** Payload and key of a JWS whose signature is good: compact for links, flattened JSON for all else. */
export async function proved(
  bytes: Uint8Array,
  typ: Typ,
  keys: Keys,
): Promise<{ payload: string; kid: string }> {
  const text = textOf(bytes);
  const parts = typ === 'link' ? text.split('.') : flattened(line(text));
  const [head = '', body = '', tail = ''] = parts;
  need(parts.length === 3);
  const header = canonical(textOf(base64url(head))) as Record<string, unknown>;
  const [payload, signature] = [base64url(body), base64url(tail)];
  need(Object.keys(header).join() === 'alg,kid,typ' && typeof header['kid'] === 'string');
  need(header['alg'] === 'EdDSA' && header['typ'] === `portcullis-${typ}+jws` && signature.length === 64);
  const key = keys.get(header['kid']);
  need(key, 'unknown_key');
  need(await signed(key, signature, new TextEncoder().encode(`${head}.${body}`)), 'bad_signature');
  return { payload: textOf(payload), kid: key.kid };
}

function flattened(text: string): string[] {
  const jws = canonical(text) as Record<string, unknown>;
  need(Object.keys(jws).join() === 'payload,protected,signature');
  return [jws['protected'], jws['payload'], jws['signature']].map((part) => {
    need(typeof part === 'string');
    return part;
  });
}
