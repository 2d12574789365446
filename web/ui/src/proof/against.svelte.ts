/** What a proof is held against: the keys that the gate hands out, or those that an auditor has pinned in this browser. */
import { trustOf as gateTrust } from '../api/calls';
import type { NoTrust, Trust } from '../verify/keys';
import { remember, remembered, type Store } from './pinned';

/** What a gate hands out, as it lies: its own list of keys, and the same as a root has signed it. */
export interface HandedOut {
  keys: unknown;
  key_list: unknown;
}

export class Against {
  from = $state<'gate' | 'pinned'>('gate');
  gate = $state.raw<Trust | null>(null);
  pinned = $state.raw<Trust | null>(null);
  /** What was given holds nothing to pin, and why. */
  wrong = $state<NoTrust | null>(null);
  /** The gate was asked, and handed out no keys. */
  without = $state(false);
  /** This browser does not keep what was pinned. */
  unkept = $state(false);
  /** A pinned key has signed the gate's list, which therefore counts. */
  rooted = $state(false);

  #handed: HandedOut | null = null;

  constructor(
    private readonly store: () => Store = () => localStorage,
    private readonly ask: () => Promise<HandedOut> = gateTrust,
  ) {}

  /** Who is believed now; null where there is nobody. */
  get trust(): Trust | null {
    const { gate, pinned } = this;
    if (this.from === 'pinned') return pinned;
    return gate && { ...gate, authorities: pinned?.authorities ?? [] };
  }

  /** Keys that the gate hands out and that were not pinned. */
  get strange(): string[] {
    const { gate, pinned } = this;
    return gate && pinned && pinned.keys.size > 0
      ? [...gate.keys.keys()].filter((kid) => !pinned.keys.has(kid))
      : [];
  }

  /** Keys that the gate says are revoked, and that count among the pinned ones. */
  get revoked(): string[] {
    const revoked = (trust: Trust | null, kid: string) => (trust?.validity.get(kid)?.revoked ?? '') !== '';
    return [...(this.pinned?.keys.keys() ?? [])].filter(
      (kid) => revoked(this.gate, kid) && !revoked(this.pinned, kid),
    );
  }

  /** Reads what was pinned before, and asks the gate. */
  async load(): Promise<void> {
    const { listOf } = await import('../verify/keys');
    try {
      this.#handed = await this.ask();
      const listed = await listOf(`${JSON.stringify(this.#handed.keys)}\n`, new Map());
      this.gate = typeof listed === 'string' ? null : { ...listed, authorities: [] };
    } catch {
      this.gate = null;
    }
    this.without = this.gate === null;
    const text = remembered(this.store);
    if (text !== null) await this.#take(text);
  }

  /** Pins what a text holds, in place of what was pinned. */
  async pin(text: string): Promise<void> {
    if (await this.#take(text)) this.unkept = !remember(this.store, text);
  }

  forget(): void {
    remember(this.store, null);
    [this.pinned, this.wrong, this.rooted, this.from] = [null, null, false, 'gate'];
  }

  async #take(text: string): Promise<boolean> {
    const { listOf, trustOf } = await import('../verify/keys');
    const trust = await trustOf(text);
    this.wrong = typeof trust === 'string' ? trust : null;
    if (typeof trust === 'string') return false;
    this.pinned = trust;
    this.rooted = false;
    const list = this.#handed?.key_list ?? null;
    if (list !== null && trust.keys.size > 0) {
      const listed = await listOf(`${JSON.stringify(list)}\n`, trust.keys);
      this.rooted = typeof listed !== 'string';
      if (typeof listed !== 'string')
        this.pinned = { ...trust, ...listed, keys: new Map([...trust.keys, ...listed.keys]) };
    }
    if (trust.keys.size > 0) this.from = 'pinned';
    return true;
  }
}
