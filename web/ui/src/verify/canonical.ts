/** Canonical JSON (RFC 8785, and narrower: docs/evidence-format.md, "Common forms"). Pure. */
import { need } from './verdict';

/** How deep objects and arrays nest at most. */
const MOST_DEEP = 127;

/** Bytes as UTF-8, byte for byte: a byte order mark is a character. Throws on what is none. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** The value of a text in its one spelling; any other text is malformed. */
export function canonical(text: string): unknown {
  const value: unknown = JSON.parse(text);
  need(spelled(value, 0) === text);
  return value;
}

function spelled(value: unknown, depth: number): string {
  if (typeof value === 'number') {
    need(Number.isSafeInteger(value) && value >= 0);
    return String(value);
  }
  if (typeof value === 'string') {
    need(value.isWellFormed());
    return JSON.stringify(value);
  }
  if (value === null || typeof value === 'boolean') return String(value);
  need(typeof value === 'object' && depth < MOST_DEEP);
  if (Array.isArray(value)) return `[${value.map((item) => spelled(item, depth + 1)).join(',')}]`;
  const members = Object.keys(value).sort();
  // Names of ASCII sort alike by their bytes and by code units.
  need(members.every((name) => /^[\x00-\x7f]*$/.test(name)));
  const spell = (name: string) =>
    `${JSON.stringify(name)}:${spelled((value as Record<string, unknown>)[name], depth + 1)}`;
  return `{${members.map(spell).join(',')}}`;
}
