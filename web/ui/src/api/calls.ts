/** Every call that the pages make, by name. */
import { exchange } from './exchange';
import { call } from './http';
import type {
  DesktopFiles,
  Go,
  Grant,
  HitPage,
  Me,
  Note,
  Offer,
  PolicyState,
  RecordedEvents,
  Recording,
  RecordingPage,
  SavedFilter,
  Session,
  Ways,
} from './types';

const at = (id: string): string => encodeURIComponent(id);

export const me = (signal?: AbortSignal) => call<Me>('GET', '/api/me', undefined, signal);

/** Exchanges the secret of a one-time link for the cookie. */
export const signIn = (link: string) => call<void>('POST', '/api/sign-in', { link });

/** The same for name and password of a local account. */
export const signInByPassword = (name: string, password: string) =>
  call<void>('POST', '/api/sign-in', { name, password });

export const signInWays = () => call<Ways>('GET', '/api/sign-in/ways');

/** Begins a sign-in at a provider, which is to lead back to a path of ours; resolves to where the page goes. */
export const beginSignIn = (provider: string, to: string) =>
  call<Go>('POST', `/api/sign-in/${at(provider)}`, { to });

/** Resolves to where one signs out at the provider as well, if there is such a place. */
export const signOut = () => call<Go | undefined>('POST', '/api/sign-out');

export const desktops = (signal?: AbortSignal) => call<Offer>('GET', '/api/desktops', undefined, signal);

export const sessions = async (signal?: AbortSignal): Promise<Session[]> =>
  (await call<{ sessions: Session[] }>('GET', '/api/sessions', undefined, signal)).sessions;

export const session = (id: string, signal?: AbortSignal) =>
  call<Session>('GET', `/api/sessions/${at(id)}`, undefined, signal);

/** Answers once there is room; aborting it gives up the place in line. */
export const openSession = (desktop: string, signal?: AbortSignal) =>
  call<Grant>('POST', '/api/sessions', { desktop }, signal);

/** A fresh one-time ticket for a session of one's own. */
export const newTicket = (id: string, signal?: AbortSignal) =>
  call<Grant>('POST', `/api/sessions/${at(id)}/tickets`, undefined, signal);

/** Where a session's page listens to what it is told beside pixels. */
export const noticesUrl = (id: string): string => `/api/sessions/${at(id)}/notices`;

export const endSession = (id: string) => call<void>('DELETE', `/api/sessions/${at(id)}`);

/** What lies in a session's transfer folder; 409 where its desktop has none. */
export const desktopFiles = (id: string, signal?: AbortSignal) =>
  call<DesktopFiles>('GET', filesUrl(id), undefined, signal);

/** Where files are handed in whole. */
export const filesUrl = (id: string): string => `/api/sessions/${at(id)}/files`;

/** Where a file of the transfer folder is fetched. */
export const fileUrl = (id: string, name: string): string => `${filesUrl(id)}/${at(name)}`;

/** Where large files are handed in piece by piece (tus 1.0.0). */
export const uploadsUrl = (id: string): string => `/api/sessions/${at(id)}/uploads`;

/** The policies in force, and for auditors and administrators how following their source goes. */
export const policyState = (signal?: AbortSignal) =>
  call<PolicyState>('GET', '/api/policy', undefined, signal);

const paged = (query: string, before: string | null, limit: number): URLSearchParams => {
  const whole = new URLSearchParams(query);
  whole.set('limit', String(limit));
  if (before !== null) whole.set('before', before);
  return whole;
};

/** Recordings that are as the query says, newest first, at most `limit` older than the cursor. */
export const recordings = (query: string, before: string | null, limit: number, signal?: AbortSignal) =>
  call<RecordingPage>('GET', `/api/recordings?${paged(query, before, limit)}`, undefined, signal);

/** Moments of recordings whose events, or whose screens, say what the query asks for. */
export const search = (query: string, before: string | null, limit: number, signal?: AbortSignal) =>
  call<HitPage>('GET', `/api/search?${paged(query, before, limit)}`, undefined, signal);

export const savedFilters = async (signal?: AbortSignal): Promise<SavedFilter[]> =>
  (await call<{ filters: SavedFilter[] }>('GET', '/api/filters', undefined, signal)).filters;

export const saveFilter = ({ name, query }: SavedFilter) =>
  call<void>('PUT', `/api/filters/${at(name)}`, { query });

export const removeFilter = (name: string) => call<void>('DELETE', `/api/filters/${at(name)}`);

export const recording = (id: string, signal?: AbortSignal) =>
  call<Recording>('GET', `/api/recordings/${at(id)}`, undefined, signal);

export const thumbnailUrl = (id: string): string => `/api/recordings/${at(id)}/thumbnail`;

export const recordingEvents = (id: string, signal?: AbortSignal) =>
  call<RecordedEvents>('GET', `/api/recordings/${at(id)}/events`, undefined, signal);

export const notes = async (id: string, signal?: AbortSignal): Promise<Note[]> =>
  (await call<{ notes: Note[] }>('GET', notesUrl(id), undefined, signal)).notes;

/** A note on a moment, in milliseconds; a bookmark without text. */
export const addNote = (id: string, at: number, text: string) =>
  call<Note>('POST', notesUrl(id), { at, text });

export const removeNote = (id: string, note: string) => call<void>('DELETE', `${notesUrl(id)}/${at(note)}`);

const notesUrl = (id: string): string => `/api/recordings/${at(id)}/notes`;

/** Where the HLS playlist of a recording lies. */
export const playlistUrl = (id: string): string => `/api/recordings/${at(id)}/index.m3u8`;

/** Where a file of a recording's bundle lies, as it lies. */
export const bundleUrl = (id: string, path: string): string => `/api/recordings/${at(id)}/${path}`;

/** The bytes of a file of a recording's bundle. */
export async function bundleFile(id: string, path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const asked = { method: 'GET', url: bundleUrl(id, path), ...(signal ? { signal } : {}) } as const;
  const { body } = await exchange(asked);
  return new Uint8Array(await body.arrayBuffer());
}

/** Where the list of a recording's bundle lies; its files are below it. */
export const wholeBundleUrl = (id: string): string => `/api/recordings/${at(id)}/bundle`;

/** The public keys that this gate's recordings are signed with, and the same as a root has signed them, both as they lie. */
export const trustOf = () => call<{ keys: unknown; key_list: unknown }>('GET', '/api/trust');
