/** Where a page leads back to after a sign-in: a path of this gate's pages, and nothing else. */

const OUTSIDE = ['/api', '/sessions', '/sign-in', '/signed-out'];

/** The path if a sign-in may lead there, else that of the launcher. The gate holds the same rule. */
export function returnTo(path: string | null): string {
  if (path === null || path.length > 1024 || !/^\/(?!\/)[!$%&()*+,\-./0-9:;=?@A-Z[\]_a-z{|}~^]*$/.test(path))
    return '/';
  const first = path.split('?')[0] ?? '';
  if (OUTSIDE.some((one) => first === one || first.startsWith(`${one}/`))) return '/';
  return first.split('/').some((part) => part === '.' || part === '..') ? '/' : path;
}

/** The sign-in page's address for somebody who wants to come back to this path. */
export function signInFor(path: string): string {
  const to = returnTo(path);
  return to === '/' ? '/sign-in' : `/sign-in?${new URLSearchParams({ to })}`;
}
