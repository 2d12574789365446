/** Keeps one session page connected: tickets, attempts, pauses between them, and how it ends. */
import { endSession, newTicket, session as fetchSession } from '../api/calls';
import { problemOf } from '../api/http';
import type { Session } from '../api/types';
import { pauseBefore } from './backoff';
import { endingOf, type Closed } from './close';
import { passing, type End } from './end';
import { takeGrant } from './tickets';
import { CannotShow, View } from './view';

export type Phase = 'preparing' | 'connecting' | 'live' | 'waiting' | 'closed';

/** A connection that held so long, in milliseconds, was sound: attempts are counted afresh after it. */
const SOUND = 10_000;
/** How often a live session's policy, viewers and recording are read again, in milliseconds. */
const REFRESH = 10_000;

export class Connection {
  phase = $state<Phase>('preparing');
  session = $state<Session | null>(null);
  end = $state<End | null>(null);
  /** Whole seconds until the next attempt. */
  pause = $state(0);
  view: View | null = null;

  #attempt = 0;
  #liveSince = 0;
  #ending = false;
  #stopped = false;
  #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(
    readonly id: string,
    private readonly stage: () => HTMLElement | undefined,
    private readonly oncopied: (text: string) => void,
  ) {}

  /** Connects, and goes on connecting until the session or the page ends. */
  async connect(): Promise<void> {
    this.#clear();
    this.end = null;
    this.pause = 0;
    if (this.phase !== 'waiting') this.phase = this.session ? 'connecting' : 'preparing';
    try {
      this.session = await fetchSession(this.id);
      const grant = takeGrant(this.id) ?? (await newTicket(this.id));
      const stage = this.stage();
      if (this.#stopped || !stage) return;
      if (this.phase === 'preparing') this.phase = 'connecting';
      this.view = await View.open(stage, grant, this.session.allows, {
        onlive: () => this.#live(),
        onclosed: (closed) => this.#closed(closed),
        oncopied: this.oncopied,
      });
      if (this.#stopped) this.view.close();
    } catch (thrown) {
      this.#refused(thrown);
    }
  }

  /** Starts again after the attempts ran out, or after an ending that leaves the session alive. */
  again(): void {
    this.#attempt = 0;
    this.phase = 'connecting';
    void this.connect();
  }

  /** Ends the session and its desktop. Throws CallFailed when the gate refuses. */
  async endSession(): Promise<void> {
    this.#ending = true;
    try {
      await endSession(this.id);
      this.#finish({ kind: 'mine' });
    } catch (thrown) {
      this.#ending = false;
      // Already gone is what was asked for.
      if (problemOf(thrown).status !== 404) throw thrown;
      this.#finish({ kind: 'mine' });
    }
  }

  /** The page goes away; the session does not. */
  stop(): void {
    this.#stopped = true;
    this.#clear();
    this.view?.close();
    this.view = null;
  }

  #live(): void {
    this.phase = 'live';
    this.#liveSince = performance.now();
    this.view?.focus();
    this.#later(() => void this.#refresh(), REFRESH);
  }

  async #refresh(): Promise<void> {
    if (this.phase !== 'live') return;
    const session = await fetchSession(this.id).catch(() => null);
    if (session) {
      this.session = session;
      this.view?.permit(session.allows);
    }
    if (this.phase === 'live') this.#later(() => void this.#refresh(), REFRESH);
  }

  #closed({ code, reason }: Closed): void {
    this.view = null;
    if (this.#stopped || this.end) return;
    if (this.#ending) return this.#finish({ kind: 'mine' });
    const ending = endingOf(code);
    if (ending !== 'lost') return this.#finish({ kind: 'closed', ending, code, reason });
    if (this.phase === 'live' && performance.now() - this.#liveSince > SOUND) this.#attempt = 0;
    this.#wait({ kind: 'closed', ending, code, reason });
  }

  #refused(thrown: unknown): void {
    if (this.#stopped) return;
    const problem = problemOf(thrown);
    const end: End = { kind: 'refused', problem };
    if (passing(problem) && !(thrown instanceof CannotShow)) this.#wait(end);
    else this.#finish(end);
  }

  /** Waits for the next attempt, or ends as `otherwise` when there were enough. */
  #wait(otherwise: End): void {
    const pause = pauseBefore(this.#attempt, Math.random());
    if (pause === null) return this.#finish(otherwise);
    this.#attempt += 1;
    this.phase = 'waiting';
    this.#clear();
    this.pause = Math.ceil(pause / 1000);
    for (let second = 1; second < this.pause; second += 1)
      this.#later(() => (this.pause -= 1), second * 1000);
    this.#later(() => void this.connect(), pause);
  }

  #finish(end: End): void {
    this.#clear();
    this.end = end;
    this.phase = 'closed';
    this.view?.close();
    this.view = null;
  }

  #later(act: () => void, milliseconds: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, milliseconds);
    this.#timers.add(timer);
  }

  #clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
