/** Rules and revisions of the policy files as people read them. */

/** The name of the policy that a rule stands in: `contractors` of `contractors.yaml:7 allow.paste`, `default` of `default deny`. */
export function policyName(rule: string): string {
  const file = rule.split(/[:\s]/)[0] ?? '';
  const name = file.split('/').at(-1) ?? '';
  return name.replace(/\.ya?ml$/, '') || 'default';
}

/** A revision short enough for a line: `sha256:1f2e3d4c5b6a`, or a commit of which that is the beginning, becomes `1f2e3d4c`. */
export function shortRevision(revision: string): string {
  return (revision.split(':').at(-1) ?? revision).slice(0, 8);
}

/** The gate's words on why, as they stand in a line of words. */
export function sentence(why: string): string {
  if (why === '') return '';
  return `${why.charAt(0).toUpperCase()}${why.slice(1)}${/[.!?]$/.test(why) ? '' : '.'}`;
}
