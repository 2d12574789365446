/** The player's keys: what each does, and in which words the help shows them. Pure. */

/** What a key does to the player. */
export type Move =
  | { kind: 'toggle' }
  | { kind: 'by'; seconds: number }
  | { kind: 'to'; where: 'start' | 'end' }
  | { kind: 'frame'; step: 1 | -1 }
  | { kind: 'speed'; step: 1 | -1 }
  /** Among the events that the list shows, or among those that were stopped. */
  | { kind: 'event'; step: 1 | -1; stopped: boolean }
  /** Among what was found. */
  | { kind: 'hit'; step: 1 | -1 }
  | { kind: 'zoom'; step: 1 | -1 | 0 }
  | {
      kind: 'idle' | 'input' | 'full' | 'bookmark' | 'note' | 'picture' | 'link' | 'search' | 'find' | 'help';
    };

const MOVES: Record<string, Move> = {
  ' ': { kind: 'toggle' },
  k: { kind: 'toggle' },
  Home: { kind: 'to', where: 'start' },
  End: { kind: 'to', where: 'end' },
  '>': { kind: 'speed', step: 1 },
  '<': { kind: 'speed', step: -1 },
  ',': { kind: 'frame', step: -1 },
  '.': { kind: 'frame', step: 1 },
  '[': { kind: 'event', step: -1, stopped: false },
  ']': { kind: 'event', step: 1, stopped: false },
  '{': { kind: 'event', step: -1, stopped: true },
  '}': { kind: 'event', step: 1, stopped: true },
  '(': { kind: 'hit', step: -1 },
  ')': { kind: 'hit', step: 1 },
  '+': { kind: 'zoom', step: 1 },
  '=': { kind: 'zoom', step: 1 },
  '-': { kind: 'zoom', step: -1 },
  '0': { kind: 'zoom', step: 0 },
  s: { kind: 'idle' },
  i: { kind: 'input' },
  f: { kind: 'full' },
  b: { kind: 'bookmark' },
  n: { kind: 'note' },
  p: { kind: 'picture' },
  l: { kind: 'link' },
  '/': { kind: 'search' },
  w: { kind: 'find' },
  '?': { kind: 'help' },
};

/** What a key does; null for one that is not the player's. Up and down stay the page's, to scroll. */
export function moveOf(key: string, shift: boolean): Move | null {
  if (key === 'ArrowLeft') return { kind: 'by', seconds: shift ? -30 : -5 };
  if (key === 'ArrowRight') return { kind: 'by', seconds: shift ? 30 : 5 };
  if (key === 'PageUp' || key === 'PageDown') return null;
  return MOVES[key] ?? (key.length === 1 ? (MOVES[key.toLowerCase()] ?? null) : null);
}

/** Whether a key is a character of its own, which programs that type for people may send unmeant (WCAG 2.1.4). */
export const isCharacter = (key: string): boolean => key.length === 1 && key !== ' ';
