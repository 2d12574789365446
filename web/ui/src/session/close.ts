/** What the end of a viewer's connection means: one table from WebSocket close code to what the page does. */

/** How a connection ended, as the browser tells it. */
export interface Closed {
  code: number;
  /** The gate's own words: a rule or a fault. May be empty. */
  reason: string;
}

/** Why a viewer is no longer shown a desktop. `lost` is a matter of the network and is tried again. */
export type Ending =
  | 'lost'
  | 'left'
  | 'stopping'
  | 'violation'
  | 'over'
  | 'not-permitted'
  | 'too-slow'
  | 'crowded'
  | 'recording-failed'
  | 'desktop-ended'
  | 'ended';

const endings: ReadonlyMap<number, Ending> = new Map([
  [1000, 'left'],
  [1001, 'stopping'],
  [1002, 'violation'],
  [4001, 'over'],
  [4003, 'not-permitted'],
  [4008, 'too-slow'],
  [4009, 'crowded'],
  [4010, 'recording-failed'],
  [4011, 'desktop-ended'],
  [4013, 'ended'],
]);

/** The ending that a close code names; any code that the gate does not give is a lost connection. */
export function endingOf(code: number): Ending {
  return endings.get(code) ?? 'lost';
}

/** Whether the session still runs behind a viewer that ended so, and may be rejoined. */
export function sessionLives(ending: Ending): boolean {
  return ending === 'left' || ending === 'too-slow' || ending === 'crowded' || ending === 'lost';
}
