/** How loud a verdict is said. Pure. */
import { isSound, type Verdict } from '../verify/verdict';

/** Verdicts that say that something is not known, rather than wrong. */
const UNKNOWN: ReadonlySet<Verdict> = new Set(['unsealed', 'unreadable', 'unknown_key']);

/** `good` for what is whole, `warn` for what one has to know or cannot know, `stop` for what is not what was signed. */
export function toneOf(verdict: Verdict): 'good' | 'warn' | 'stop' {
  if (verdict === 'sound') return 'good';
  return isSound(verdict) || UNKNOWN.has(verdict) ? 'warn' : 'stop';
}
