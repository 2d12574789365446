/** Hashes and base64 as evidence spells them. */
import { need } from './verdict';

/** SHA-256 as 64 lower-case hexadecimal digits. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Base64url without padding in its one spelling; any other is malformed. */
export function base64url(text: string): Uint8Array {
  need(/^[\w-]*$/.test(text) && text.length % 4 !== 1);
  const bytes = base64(text.replaceAll('-', '+').replaceAll('_', '/'));
  const again = btoa(bytes.reduce((all, byte) => all + String.fromCharCode(byte), ''));
  need(again.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') === text);
  return bytes;
}

/** Base64, padded or not. */
export function base64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
