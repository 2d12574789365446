/** Rules and revisions of the policy files as people read them. */
import type { Rule } from './api/types';

/** A rule as it is printed everywhere: `contractors.yaml:7 allow.paste`; the built-in one is `default deny`. */
export function ruleText(rule: Rule | undefined): string {
  if (rule === undefined) return '';
  if (typeof rule === 'string') return rule;
  return rule.line === 0 ? `${rule.policy} ${rule.key}` : `${rule.file}:${rule.line} ${rule.key}`;
}

/** The name of the policy that a rule stands in: the file's name without its ending, `default` for the built-in one. */
export function policyName(rule: Rule): string {
  if (typeof rule !== 'string') return rule.policy;
  const file = rule.split(':')[0] ?? '';
  const name = file.split('/').at(-1) ?? '';
  return name.split(' ')[0]?.replace(/\.ya?ml$/, '') || 'default';
}

/** A revision short enough for a line: `sha256:1f2e3d4c5b6a` becomes `1f2e3d4c`. */
export function shortRevision(revision: string): string {
  return (revision.split(':').at(-1) ?? revision).slice(0, 8);
}
