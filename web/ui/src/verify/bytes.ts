/** Hashes and base64 as evidence spells them. */
import { need } from './verdict';

/** SHA-256 as 64 lower-case hexadecimal digits. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)));
}

/** Lower-case hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Base64url without padding in its one spelling; any other is malformed. */
export function base64url(text: string): Uint8Array {
  need(/^[\w-]*$/.test(text) && text.length % 4 !== 1);
  const bytes = base64(text.replaceAll('-', '+').replaceAll('_', '/'));
  // Bits that belong to no byte are zero.
  const last = text.length % 4 === 0 ? '' : text.slice(-1);
  need(last === '' || (text.length % 4 === 2 ? /[AQgw]/ : /[AEIMQUYcgkosw048]/).test(last));
  return bytes;
}

/** Base64, padded or not. */
export function base64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
