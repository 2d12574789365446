/** The events of an encrypted recording, fetched as they lie and opened in the page. */
import { CallFailed } from '../api/http';
import type { EventsFault, EvidenceEvent, RecordedEvents } from '../api/types';

/** How a file of the bundle is had: its plain bytes, or a throw; CallFailed with 404 where there is none. */
export type Fetch = (path: string) => Promise<Uint8Array>;

/** Segments of a session at most (docs/evidence-format.md, Limits). */
const MOST_SEGMENTS = 99_999;

/**
 * All events in order, and where some are missing. `known` is the number of the last segment that the playlist names: up to it a file that
 * is not there is a fault, after it the end.
 */
export async function openedEvents(fetch: Fetch, known: number): Promise<RecordedEvents> {
  const events: EvidenceEvent[] = [];
  const faults: EventsFault[] = [];
  for (let n = 1; n <= MOST_SEGMENTS; n += 1) {
    const path = `events/${String(n).padStart(5, '0')}.jsonl.age`;
    try {
      const lines = new TextDecoder().decode(await fetch(path)).split('\n');
      lines.forEach((line, index) => {
        const event = line === '' ? null : eventOf(line);
        if (event) events.push(event);
        else if (line !== '') faults.push({ path, line: index + 1 });
      });
    } catch (thrown) {
      const missing = thrown instanceof CallFailed && thrown.status === 404;
      if (missing && n > known) break;
      if (thrown instanceof CallFailed && !missing) throw thrown;
      faults.push({ path, line: 0 });
    }
  }
  return { events, faults };
}

/** The number of the last segment of video that a playlist names; 0 where it names none. */
export function lastSegment(playlist: string): number {
  return [...playlist.matchAll(/^video\/(\d{5})\.m4s/gm)].reduce(
    (last, [, n]) => Math.max(last, Number(n)),
    0,
  );
}

function eventOf(line: string): EvidenceEvent | null {
  try {
    const read: unknown = JSON.parse(line);
    return typeof read === 'object' && read !== null && 'type' in read ? (read as EvidenceEvent) : null;
  } catch {
    return null;
  }
}
