/** The address of a moment, and the name of its picture. Pure. */
import { clockFace } from './clock';

/** The second that an address names as `?t=95.3`; null where it names none. */
export function secondIn(search: string): number | null {
  const named = new URLSearchParams(search).get('t');
  if (named === null || !/^\d+(\.\d+)?$/.test(named)) return null;
  const second = Number(named);
  return Number.isFinite(second) ? second : null;
}

/** The words that an address seeks as `?q=invoice`; empty where it seeks none. */
export const wordsIn = (search: string): string =>
  (new URLSearchParams(search).get('q') ?? '').slice(0, 256).trim();

/** An address that seeks these words, or none. */
export function seeking(address: string, words: string): string {
  const url = new URL(address);
  if (words === '') url.searchParams.delete('q');
  else url.searchParams.set('q', words);
  return url.href;
}

/** An address with the second of a position, in tenths; of the very start without any. */
export function linkTo(address: string, position: number): string {
  const url = new URL(address);
  const second = Math.round(Math.max(position, 0) * 10) / 10;
  url.hash = '';
  if (second > 0) url.searchParams.set('t', String(second));
  else url.searchParams.delete('t');
  return url.href;
}

/** `ID_1-02-03.4.png`: a name that every file system takes. */
export function pictureName(id: string, position: number): string {
  return `${id.replace(/[^\w.-]/g, '-')}_${clockFace(position, true).replaceAll(':', '-')}.png`;
}
