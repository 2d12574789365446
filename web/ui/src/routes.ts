/** Paths and the pages that they name. */

export type Route =
  | { page: 'launcher' }
  | { page: 'sign-in' }
  | { page: 'signed-out' }
  | { page: 'desktop'; id: string }
  | { page: 'recordings' }
  | { page: 'recording'; id: string }
  | { page: 'policies' }
  | { page: 'missing' };

/** The route of a path; what cannot be decoded is missing, never an exception. */
export function routeOf(path: string): Route {
  const parts = path.split('/').filter((part) => part !== '');
  const [first, second] = parts;
  if (first === undefined) return { page: 'launcher' };
  if (parts.length === 1 && first === 'sign-in') return { page: 'sign-in' };
  if (parts.length === 1 && first === 'signed-out') return { page: 'signed-out' };
  if (parts.length === 1 && first === 'recordings') return { page: 'recordings' };
  if (parts.length === 1 && first === 'policies') return { page: 'policies' };
  const id = second === undefined || parts.length !== 2 ? null : decoded(second);
  if (id !== null && first === 'desktop') return { page: 'desktop', id };
  if (id !== null && first === 'recordings') return { page: 'recording', id };
  return { page: 'missing' };
}

export const pathTo = {
  launcher: '/',
  signIn: '/sign-in',
  signedOut: '/signed-out',
  recordings: '/recordings',
  policies: '/policies',
  /** The line of a rule in the policies of a revision. */
  policy: (rule: string, revision: string) => `/policies?${new URLSearchParams({ rule, revision })}`,
  desktop: (id: string) => `/desktop/${encodeURIComponent(id)}`,
  recording: (id: string) => `/recordings/${encodeURIComponent(id)}`,
};

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
