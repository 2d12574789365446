/** Stretches of the recording whose bytes are not what was signed, for whoever draws its time. */
import type { Report } from '../verify/report';
import { toneOf } from './tone';

/** Seconds of the recording, and the file that is at fault there. */
export interface Stretch {
  from: number;
  until: number;
  path: string;
}

class Tampered {
  /** In the order of time. */
  stretches = $state.raw<readonly Stretch[]>([]);

  show(report: Report | null): void {
    this.stretches = report && toneOf(report.verdict) === 'stop' ? stretchesOf(report) : [];
  }
}

export const tampered = new Tampered();

/** The stretches that a report finds fault with. */
export function stretchesOf({ faults }: Pick<Report, 'faults'>): Stretch[] {
  return faults
    .flatMap(({ path, at }) => (at ? [{ from: at.from_us / 1e6, until: at.to_us / 1e6, path }] : []))
    .sort((one, other) => one.from - other.from || one.until - other.until);
}
