import { describe, expect, it } from 'vitest';
import type { Hit } from '../api/types';
import { besideHit, inOrder, shownAt, standingAt } from './hits';

function hit(at: number, until: number | null, y = 0): Hit {
  const screen = until === null ? null : { until, confidence: 90, x: 1, y, width: 10, height: 10 };
  const snippet = { text: `${at}`, marks: [] };
  const more = { subject: 'a', desktop: 'd', started: '', verdict: null, rule: '', policy: '' };
  return { recording: 'r', at, kind: screen ? 'screen' : 'upload', snippet, screen, ...more };
}

describe('hits', () => {
  const [first, upload, second, short] = [
    hit(1000, 9000),
    hit(3000, null),
    hit(5000, 9000),
    hit(20_000, 20_040),
  ];
  const all = inOrder([short, second, first, upload]);

  it('are in the order of time', () => expect(all.map(({ at }) => at)).toEqual([1000, 3000, 5000, 20_000]));

  it('are shown where they stand', () => {
    expect(all.map(shownAt)).toEqual([1.1, 3, 5.1, 20.02]);
    for (const one of all.filter(({ screen }) => screen))
      expect(standingAt(all, shownAt(one))).toContain(one);
  });

  it('stand until they go', () => {
    expect(standingAt(all, 0.5)).toEqual([]);
    expect(standingAt(all, 6)).toEqual([first, second]);
    expect(standingAt(all, 9)).toEqual([]);
  });

  it('are gone through one by one, those of one moment too', () => {
    const twins = inOrder([hit(1000, 4000, 50), hit(1000, 4000, 20)]);
    const [upper, lower] = twins;
    expect(upper?.screen?.y).toBe(20);
    expect(besideHit(twins, null, 0, 1)).toBe(upper);
    expect(besideHit(twins, upper ?? null, 1.1, 1)).toBe(lower);
    expect(besideHit(twins, lower ?? null, 1.1, 1)).toBeNull();
    expect(besideHit(twins, lower ?? null, 1.1, -1)).toBe(upper);
    expect(besideHit(all, first, 4, 1)).toBe(second);
    expect(besideHit(all, first, 4, -1)).toBe(upload);
  });
});
