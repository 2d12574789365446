/** Tickets just granted, handed from the launcher to the session page in memory: never in an address or in storage. */
import type { Grant } from '../api/types';

/** A ticket lives 30 s at most; one older than this, in milliseconds, is not worth trying. */
const WORTH_TRYING = 20_000;

const kept = new Map<string, { grant: Grant; since: number }>();

/** Keeps a grant for the page that opens next. */
export function keepGrant(grant: Grant, now: number = performance.now()): void {
  kept.set(grant.id, { grant, since: now });
}

/** Takes the grant of a session: once, as the ticket opens only once. */
export function takeGrant(id: string, now: number = performance.now()): Grant | null {
  const found = kept.get(id);
  kept.delete(id);
  return found && now - found.since < WORTH_TRYING ? found.grant : null;
}
