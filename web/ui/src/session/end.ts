/** How a session page can end, as one value. */
import type { Problem } from '../api/types';
import type { Ending } from './close';

export type End =
  /** The person pressed "End session" here. */
  | { kind: 'mine' }
  /** The WebSocket was closed with a code of the gate's, or the network stayed away. */
  | { kind: 'closed'; ending: Ending; code: number; reason: string }
  /** The gate refused a ticket or the session itself. */
  | { kind: 'refused'; problem: Problem };

/** Whether a refused call is worth trying again: no answer, or an answer that speaks of the moment. */
export function passing(problem: Problem): boolean {
  return (
    problem.status === 0 ||
    problem.status === 429 ||
    problem.status === 502 ||
    problem.status === 503 ||
    problem.status === 504
  );
}
