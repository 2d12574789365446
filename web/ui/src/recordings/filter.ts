/** The list's filter. Pure. */
import type { Recording } from '../api/types';
import { strings } from '../strings';
import { localMoment } from '../times';

/** The recordings that hold every word that the reader typed, in any letter case. */
export function filtered(recordings: readonly Recording[], sought: string): Recording[] {
  const words = sought.toLowerCase().split(/\s+/).filter(Boolean);
  return recordings.filter((recording) => {
    const text = [
      recording.id,
      recording.subject,
      recording.desktop,
      recording.state,
      strings.recordings.stateOf(recording.state),
      recording.reason,
      recording.policy.rule,
      recording.policy.revision,
      localMoment(recording.started),
    ]
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
