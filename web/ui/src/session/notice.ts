/** What the gate tells a session's page beside pixels, read from its stream of events. Pure. */

/** Why a session is about to end. */
export type EndingWhy = 'longest' | 'idle' | 'until' | 'hours';

/** What was refused. */
export type RefusedWhat =
  | 'keys'
  | 'typed_paste'
  | 'chord'
  | 'paste'
  | 'copy'
  | 'paste_redacted'
  | 'copy_redacted'
  | 'upload'
  | 'download';

export type SessionNotice =
  | { type: 'ending'; at: string; left_ms: number; why: EndingWhy; rule: string }
  | { type: 'staying' }
  | { type: 'refused'; what: RefusedWhat; why: string; rule: string }
  | { type: 'ended'; why: string; rule: string };

/** The names of the stream's events, which are their types. */
export const noticeTypes = ['ending', 'staying', 'refused', 'ended'] as const;

/** The notice of an event's data; null for one of a newer gate, or for none at all. */
export function noticeOf(data: string): SessionNotice | null {
  try {
    const read: unknown = JSON.parse(data);
    const known = noticeTypes as readonly unknown[];
    return known.includes((read as SessionNotice).type) ? (read as SessionNotice) : null;
  } catch {
    return null;
  }
}

/** Whole seconds from `now` to `until`, in milliseconds of one clock; never less than none. */
export function secondsLeft(until: number, now: number): number {
  return Math.max(0, Math.ceil((until - now) / 1000));
}
