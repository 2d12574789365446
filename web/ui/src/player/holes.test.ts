import { describe, expect, it } from 'vitest';
import type { EvidenceEvent } from '../api/types';
import { holesOf } from './holes';

const gap = (from: number, to: number, reason = 'disk full') =>
  ({ type: 'gap', at_us: to * 1e6, from_us: from * 1e6, to_us: to * 1e6, reason }) as EvidenceEvent;
const segment = (from: number, to: number, uri: string | null) => ({ from, to, uri, init: '' });

describe('holes', () => {
  it('are what the record declares, what has no video, and what could not be loaded', () => {
    const lost = segment(40, 50, 'c');
    expect(holesOf([gap(10, 20)], [segment(0, 30, 'a'), segment(30, 35, null), lost], [lost])).toEqual([
      { from: 10, to: 20, why: 'gap', reason: 'disk full' },
      { from: 30, to: 35, why: 'gap', reason: '' },
      { from: 40, to: 50, why: 'lost', reason: '' },
    ]);
  });

  it('tell the same stretch once, with its reason', () => {
    expect(holesOf([gap(10, 20)], [segment(10, 20, null)], [])).toEqual([
      { from: 10, to: 20, why: 'gap', reason: 'disk full' },
    ]);
    expect(holesOf([gap(10, 20)], [segment(10, 25, null)], []).map(({ from, to }) => [from, to])).toEqual([
      [10, 20],
      [20, 25],
    ]);
  });

  it('that last no time are none', () => expect(holesOf([gap(5, 5)], [], [])).toEqual([]));
});
