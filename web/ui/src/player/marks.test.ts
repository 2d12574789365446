import { describe, expect, it } from 'vitest';
import type { EvidenceEvent, What } from '../api/types';
import { holesOf, marksOf } from './marks';

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

describe('marksOf', () => {
  it('lets neighbours share a mark that looks like, and leads to, the weightiest', () => {
    const marks = marksOf([keys(100), denied(300), keys(400)], 100_000, 10);
    expect(marks).toEqual([{ share: 0.003, kind: 'stopped', count: 3, index: 1 }]);
  });

  it('keeps events apart that are far apart, in order', () => {
    const marks = marksOf([keys(0), denied(50_000), keys(99_999)], 100_000, 10);
    expect(marks.map((mark) => [mark.kind, mark.index])).toEqual([
      ['input', 0],
      ['stopped', 1],
      ['input', 2],
    ]);
  });

  it('never draws more than there is room for, and counts every event', () => {
    const marks = marksOf(
      Array.from({ length: 5000 }, (_, n) => keys(n * 20)),
      100_000,
      120,
    );
    expect(marks.length).toBeLessThanOrEqual(120);
    expect(marks.reduce((sum, mark) => sum + mark.count, 0)).toBe(5000);
  });

  it('keeps an event beyond the known end on the line', () => {
    expect(marksOf([keys(200_000)], 100_000, 10)[0]?.share).toBe(1);
  });

  it('draws nothing on a line without length', () => {
    expect(marksOf([keys(1)], 0, 10)).toEqual([]);
    expect(marksOf([keys(1)], 10, 0)).toEqual([]);
  });
});

describe('holesOf', () => {
  it('takes gaps only, within the line', () => {
    const gap = at(10, { type: 'gap', from_us: 25_000, to_us: 150_000, reason: 'disk full' });
    expect(holesOf([keys(1), gap], 100_000)).toEqual([{ from: 0.25, to: 1, reason: 'disk full' }]);
  });
});
