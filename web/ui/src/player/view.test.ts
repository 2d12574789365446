import { describe, expect, it } from 'vitest';
import { following, isZoomed, panned, ticks, whole, zoomed } from './view';

const hours = 4 * 3600;

describe('a window', () => {
  it('comes closer around a point that stays where it is', () => {
    const window = zoomed(whole(hours), 4, 7200, hours);
    expect(window).toEqual({ from: 5400, to: 9000 });
    const share = (7200 - window.from) / (window.to - window.from);
    expect(share).toBe(0.5);
    expect(isZoomed(window, hours)).toBe(true);
  });

  it('stays within the recording, and goes no closer than ten seconds', () => {
    expect(zoomed(whole(hours), 2, 0, hours)).toEqual({ from: 0, to: 7200 });
    expect(zoomed(whole(hours), 2, hours, hours)).toEqual({ from: 7200, to: hours });
    const closest = zoomed(whole(hours), 1e9, 100, hours);
    expect(closest.to - closest.from).toBe(10);
    expect(zoomed(whole(4), 10, 2, 4)).toEqual({ from: 0, to: 4 });
    expect(zoomed({ from: 10, to: 20 }, 1e-4, 15, hours)).toEqual(whole(hours));
  });

  it('moves, but not beyond the ends', () => {
    expect(panned({ from: 10, to: 20 }, 5, 100)).toEqual({ from: 15, to: 25 });
    expect(panned({ from: 10, to: 20 }, -50, 100)).toEqual({ from: 0, to: 10 });
    expect(panned({ from: 10, to: 20 }, 500, 100)).toEqual({ from: 90, to: 100 });
  });

  it('follows the playback by pages', () => {
    const window = { from: 10, to: 20 };
    expect(following(window, 15, 100)).toBe(window);
    expect(following(window, 20.1, 100)).toEqual({ from: 19.1, to: 29.1 });
    expect(following(window, 2, 100)).toEqual({ from: 1, to: 11 });
  });
});

describe('ticks', () => {
  it('are round times with room for their words', () => {
    expect(ticks(whole(60), 600, 90)).toEqual([0, 10, 20, 30, 40, 50, 60]);
    expect(ticks(whole(hours), 800, 90)).toEqual([0, 1800, 3600, 5400, 7200, 9000, 10_800, 12_600, 14_400]);
    expect(ticks({ from: 12.2, to: 22.2 }, 400, 90)).toEqual([15, 20]);
  });

  it('of nothing are none', () => {
    expect(ticks(whole(0), 800, 90)).toEqual([]);
    expect(ticks(whole(9), 0, 90)).toEqual([]);
  });
});
