import { describe, expect, it } from 'vitest';
import { Leap } from './leap';

const segments = [
  { from: 0, to: 10, uri: 'a', init: '' },
  { from: 10, to: 20, uri: null, init: '' },
  { from: 20, to: 80, uri: 'c', init: '' },
];

describe('a leap', () => {
  it('begins when a fast playback does not keep up', () => {
    const leap = new Leap();
    leap.from(1000, 50);
    expect(leap.lags(1500, 50, 16)).toBe(false);
    expect(leap.lags(2500, 60, 16)).toBe(true);
  });

  it('does not begin while it keeps up, nor at speeds that browsers decode', () => {
    const leap = new Leap();
    leap.from(0, 0);
    expect(leap.lags(2000, 30, 16)).toBe(false);
    // Watched anew from there.
    expect(leap.lags(4000, 33, 16)).toBe(true);
    leap.from(0, 0);
    expect(leap.lags(9000, 0, 2)).toBe(false);
  });

  it('keeps the time of its speed', () => {
    const leap = new Leap();
    leap.from(1000, 5);
    expect(leap.at(3000, 16)).toBe(37);
  });

  it('shows the first picture of each segment once, and none of a gap', () => {
    const leap = new Leap();
    leap.from(0, 0);
    expect(leap.picture(segments, 3)).toBe(0.001);
    expect(leap.picture(segments, 9)).toBeNull();
    expect(leap.picture(segments, 15)).toBeNull();
    expect(leap.picture(segments, 30)).toBe(20.001);
    expect(leap.picture([], 30)).toBeNull();
  });
});
