/** What is sought among recordings, as the page's address holds it. Pure. */
import type { RecordingState } from '../api/types';

/** Every field is empty where nothing is asked of it. Names are those of the API's parameters. */
export interface Search {
  q: string;
  subject: string;
  group: string;
  desktop: string;
  policy: string;
  /** RFC 3339. */
  from: string;
  until: string;
  verdict: '' | 'denied' | 'permitted';
  state: '' | RecordingState;
  /** Milliseconds in digits. */
  min_ms: string;
  max_ms: string;
}

/** What is shown of what is found: recordings, or the moments in them. */
export type Show = 'recordings' | 'moments';

const names = [
  'q',
  'subject',
  'group',
  'desktop',
  'policy',
  'from',
  'until',
  'verdict',
  'state',
  'min_ms',
  'max_ms',
] as const satisfies (keyof Search)[];

const verdicts: readonly string[] = ['denied', 'permitted'];
const states: readonly string[] = ['recording', 'closed', 'interrupted', 'expired', 'missing'];

export const nothing: Search = {
  q: '',
  subject: '',
  group: '',
  desktop: '',
  policy: '',
  from: '',
  until: '',
  verdict: '',
  state: '',
  min_ms: '',
  max_ms: '',
};

/** Reads an address's query; what it does not know it leaves out. */
export function searchOf(query: string): Search {
  const given = new URLSearchParams(query);
  const search = { ...nothing };
  for (const name of names) Object.assign(search, { [name]: given.get(name)?.trim() ?? '' });
  if (!verdicts.includes(search.verdict)) search.verdict = '';
  if (!states.includes(search.state)) search.state = '';
  return search;
}

/** Moments are shown where the address says so, and words are sought. */
export function showOf(query: string): Show {
  const given = new URLSearchParams(query);
  return given.get('show') === 'moments' && searchOf(query).q !== '' ? 'moments' : 'recordings';
}

/** The query of the API, in one order, so that the same search is the same text. */
export function queryOf(search: Search): string {
  const given = new URLSearchParams();
  for (const name of names) if (search[name] !== '') given.set(name, search[name]);
  return given.toString();
}

/** The page's address. */
export function pathOf(search: Search, show: Show): string {
  const query = queryOf(search);
  const more = show === 'moments' && search.q !== '' ? '&show=moments' : '';
  return query === '' ? '/recordings' : `/recordings?${query}${more}`;
}

/** How many fields beside the words ask for something. */
export const narrowed = (search: Search): number =>
  names.filter((name) => name !== 'q' && search[name] !== '').length;

/** The first moment of a day in the reader's zone, `2026-11-22` to RFC 3339; nothing for what is no day. */
export function dayStart(day: string, later = 0): string {
  const [year, month, date] = day.split('-').map(Number);
  const start = new Date(year ?? NaN, (month ?? NaN) - 1, (date ?? NaN) + later);
  return Number.isNaN(start.getTime()) ? '' : start.toISOString();
}

/** The day that a moment lies in, in the reader's zone. */
export function dayOf(rfc3339: string, earlier = 0): string {
  const moment = new Date(Date.parse(rfc3339) - earlier);
  if (Number.isNaN(moment.getTime())) return '';
  const two = (value: number) => String(value).padStart(2, '0');
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}

/** A snippet in pieces, marked or not. Marks count characters, not halves of them. */
export function piecesOf(snippet: { text: string; marks: { from: number; to: number }[] }) {
  const letters = [...snippet.text];
  const pieces: { text: string; marked: boolean }[] = [];
  let at = 0;
  const push = (to: number, marked: boolean) => {
    if (to > at) pieces.push({ text: letters.slice(at, to).join(''), marked });
    at = Math.max(at, to);
  };
  for (const { from, to } of snippet.marks) {
    push(from, false);
    push(to, true);
  }
  push(letters.length, false);
  return pieces;
}
