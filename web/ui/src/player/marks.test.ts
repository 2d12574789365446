import { describe, expect, it } from 'vitest';
import type { EvidenceEvent, What } from '../api/types';
import { marksOf } from './marks';

const at = (at_us: number, what: What): EvidenceEvent =>
  ({
    v: 1,
    seq: at_us,
    at_us,
    time: '',
    session: 's',
    subject: 'a',
    policy: '',
    rule: '',
    ...what,
  }) as EvidenceEvent;
const keys = (us: number) => at(us, { type: 'keys', viewer: 1, pressed: 3 });
const denied = (us: number) =>
  at(us, { type: 'paste', viewer: 1, effect: 'deny', bytes: 9, sha256: '', reason: 'no' });

/** Marks over a window in seconds. */
const marks = (events: EvidenceEvent[], to: number, most: number, from = 0) =>
  marksOf(
    events,
    events.map((event) => event.at_us),
    { from, to },
    most,
  );

describe('marksOf', () => {
  it('lets neighbours share a mark that looks like, and leads to, the weightiest', () => {
    expect(marks([keys(100), denied(300), keys(400)], 0.1, 10)).toEqual([
      { share: expect.closeTo(0.003, 9) as number, kind: 'stopped', count: 3, index: 1 },
    ]);
  });

  it('keeps events apart that are far apart, in order', () => {
    const found = marks([keys(0), denied(50_000), keys(99_999)], 0.1, 10);
    expect(found.map((mark) => [mark.kind, mark.index])).toEqual([
      ['input', 0],
      ['stopped', 1],
      ['input', 2],
    ]);
  });

  it('never draws more than there is room for, and counts every event', () => {
    const many = Array.from({ length: 5000 }, (_, n) => keys(n * 20));
    const found = marks(many, 0.1, 120);
    expect(found.length).toBeLessThanOrEqual(120);
    expect(found.reduce((sum, mark) => sum + mark.count, 0)).toBe(5000);
  });

  it('of a window are those of its events alone, with their places in the whole list', () => {
    const found = marks([keys(1e6), keys(5e6), denied(6e6), keys(9e6)], 7, 10, 4);
    expect(found.map(({ share, index }) => [Math.round(share * 100), index])).toEqual([
      [33, 1],
      [67, 2],
    ]);
  });

  it('draws nothing on a line without length', () => {
    expect(marks([keys(1)], 0, 10)).toEqual([]);
    expect(marks([keys(1)], 10, 0)).toEqual([]);
  });
});
