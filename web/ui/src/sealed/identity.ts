/** What an auditor gives to open an encrypted recording, read as age writes it. Pure. */

/** The longest text that is read, in characters: many identities and remarks beside them. */
const MOST_TEXT = 64 * 1024;
/** The most identities that are tried on each file. */
const MOST = 32;
/** An X25519 identity of age: Bech32, 32 bytes. */
const IDENTITY = /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/;

/** Why a text holds no identity that can be used. */
export type Unusable = 'none' | 'public' | 'locked' | 'unknown' | 'long';

/** The identities of a text, one a line, `#` begins a remark; or why there are none to be used. */
export function identitiesOf(text: string): { identities: string[] } | { unusable: Unusable } {
  if (text.length > MOST_TEXT) return { unusable: 'long' };
  if (/^(age-encryption\.org\/|-----BEGIN AGE ENCRYPTED FILE)/.test(text.trimStart()))
    return { unusable: 'locked' };
  const lines = text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0) return { unusable: 'none' };
  if (lines.length > MOST) return { unusable: 'long' };
  const identities = lines.map((line) => line.toUpperCase());
  if (identities.every((line) => IDENTITY.test(line))) return { identities };
  return { unusable: lines.some((line) => /^age1/i.test(line)) ? 'public' : 'unknown' };
}
