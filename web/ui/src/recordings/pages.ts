/** Pages of the list laid over each other. Pure. */
import type { Recording } from '../api/types';

/** What is loaded with a page read later: its rows replace older readings of the same recording; newest first. */
export function merged(loaded: readonly Recording[], page: readonly Recording[]): Recording[] {
  const byId = new Map(loaded.map((recording) => [recording.id, recording]));
  for (const recording of page) byId.set(recording.id, recording);
  return [...byId.values()].sort(
    (one, other) => Date.parse(other.started) - Date.parse(one.started) || (one.id < other.id ? 1 : -1),
  );
}
