/** Files of a bundle on their way to the player: tried again where the network fails, given up where the gate refuses. */
import { CallFailed, refusal, unreachable } from '../api/http';

/** Pauses before another try, in milliseconds. */
const PAUSES: readonly number[] = [250, 1000];

/** What was asked for before anybody wanted it, by address; each is handed out once. */
const early = new Map<string, Promise<Uint8Array | null>>();

/** Asks for a file that will be wanted soon; what fails is asked for again when it is. */
export function askEarly(url: string): Promise<Uint8Array | null> {
  const asked = once(url, new AbortController().signal).catch(() => null);
  early.set(url, asked);
  return asked;
}

/** The bytes of a file. Throws CallFailed, or the signal's reason when aborted. */
export async function bytesOf(url: string, signal: AbortSignal): Promise<Uint8Array> {
  const asked = early.get(url);
  early.delete(url);
  const there = await asked;
  signal.throwIfAborted();
  if (there) return there;
  for (let tries = 0; ; tries += 1) {
    try {
      return await once(url, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      const pause = PAUSES[tries];
      // What is not there, or not theirs to see, is not so a second later either.
      const final = thrown instanceof CallFailed && thrown.status >= 400 && thrown.status < 500;
      if (final || pause === undefined) throw thrown;
      await after(pause, signal);
    }
  }
}

async function once(url: string, signal: AbortSignal): Promise<Uint8Array> {
  let answer: Response;
  try {
    answer = await fetch(url, { credentials: 'same-origin', signal });
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
  } catch {
    signal.throwIfAborted();
    throw unreachable();
  }
  throw refusal(answer.status, answer.headers.get('content-type'), await answer.text().catch(() => ''));
}

function after(pause: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, pause);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
