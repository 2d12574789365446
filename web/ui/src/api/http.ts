/** One way to call the gate: JSON in, JSON out, and every failure a problem that a person can read. */
import { strings } from '../strings';
import type { Problem } from './types';

/** A refused or failed call; `problem.status` is 0 when no answer came. */
export class CallFailed extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
    this.name = 'CallFailed';
  }

  get status(): number {
    return this.problem.status;
  }
}

/** Fires `signed-out` when the gate no longer knows who we are. */
export const access = new EventTarget();

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Calls the gate; resolves to undefined for 204. Throws CallFailed, or the signal's reason when aborted. */
export async function call<T>(
  method: Method,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json, application/problem+json' };
  const init: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' };
  if (body !== undefined) {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  if (signal) init.signal = signal;

  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch {
    signal?.throwIfAborted();
    throw unreachable();
  }
  if (!answer.ok) {
    const text = await answer.text().catch(() => '');
    throw refusal(answer.status, answer.headers.get('content-type'), text);
  }
  if (answer.status === 204) return undefined as T;
  try {
    return (await answer.json()) as T;
  } catch {
    throw new CallFailed(problem(answer.status, strings.errors.unreadable, strings.errors.unreadableDetail));
  }
}

/** The problem of any thrown value, so that a page has one thing to show. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof CallFailed) return thrown.problem;
  return problem(0, strings.errors.unexpected, thrown instanceof Error ? thrown.message : String(thrown));
}

/** No answer came. */
export function unreachable(): CallFailed {
  return new CallFailed(problem(0, strings.errors.unreachable, strings.errors.unreachableDetail));
}

/** An answer that is no success, in its own words where it has some. Tells the pages when nobody is signed in any more. */
export function refusal(status: number, mediaType: string | null, text: string): CallFailed {
  if (status === 401) access.dispatchEvent(new Event('signed-out'));
  const fallback = problem(status, strings.errors.status(status), '');
  if (!mediaType?.includes('json')) return new CallFailed(fallback);
  try {
    return new CallFailed({ ...fallback, ...(JSON.parse(text) as Partial<Problem>), status });
  } catch {
    return new CallFailed(fallback);
  }
}

/** The rule that decided, wherever a problem has it; empty where none did. */
export function ruleOf({ rule, policy }: Problem): string {
  return rule ?? policy?.rule ?? '';
}

function problem(status: number, title: string, detail: string): Problem {
  return { type: 'about:blank', title, status, detail };
}
