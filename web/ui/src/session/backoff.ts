/** When a lost connection is tried again. Pure: chance is handed in. */

/** The longest pause, in milliseconds. */
const LONGEST = 15_000;
/** The first pause, in milliseconds. */
const FIRST = 500;
/** After so many failures in a row the page asks the person instead of trying on. */
export const MOST_ATTEMPTS = 12;

/**
 * The pause before attempt `attempt` (from 0), in milliseconds; null when it is time to ask.
 * `chance` in 0..1 spreads the viewers of a gate that restarts over half the pause.
 */
export function pauseBefore(attempt: number, chance: number): number | null {
  if (attempt >= MOST_ATTEMPTS) return null;
  const whole = Math.min(FIRST * 2 ** attempt, LONGEST);
  return Math.round(whole / 2 + (whole / 2) * chance);
}
