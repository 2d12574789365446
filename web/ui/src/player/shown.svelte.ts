/** Which events the reader wants to see: by kind, verdict and words. The list shows them, and the keys jump among them. */
import type { EvidenceEvent } from '../api/types';
import { judgedOf, kindOf, matches, type Judged, type Kind } from './events';
import { besideEvent } from './jump';

export class Shown {
  kind = $state<Kind | null>(null);
  judged = $state<Exclude<Judged, null> | null>(null);
  sought = $state('');

  constructor(private readonly all: () => EvidenceEvent[]) {}

  readonly events = $derived.by(() => {
    const { kind, judged, sought } = this;
    if (kind === null && judged === null && sought.trim() === '') return this.all();
    return this.all().filter(
      (event) =>
        (kind === null || kindOf(event) === kind) &&
        (judged === null || judgedOf(event) === judged) &&
        matches(event, sought),
    );
  });

  readonly times = $derived.by(() => this.events.map((event) => event.at_us));
  /** How many there are of each kind, and of each verdict. */
  readonly kinds = $derived.by(() => counted(this.all(), kindOf));
  readonly verdicts = $derived.by(() => counted(this.all(), judgedOf));

  /** Where the event beside a position lies, in seconds: of those shown, or of those that were stopped; null where there is none. */
  beside(position: number, step: 1 | -1, stopped: boolean): number | null {
    if (!stopped) return besideEvent(this.times, position, step);
    const times = this.all().flatMap((event) => (kindOf(event) === 'stopped' ? [event.at_us] : []));
    return besideEvent(times, position, step);
  }

  clear(): void {
    [this.kind, this.judged, this.sought] = [null, null, ''];
  }
}

function counted<T>(events: readonly EvidenceEvent[], of: (event: EvidenceEvent) => T): Map<T, number> {
  const counts = new Map<T, number>();
  for (const event of events) counts.set(of(event), (counts.get(of(event)) ?? 0) + 1);
  return counts;
}
