import { describe, expect, it } from 'vitest';
import { bands, bars, placeIn } from './bars';

describe('bars', () => {
  it('stand on their base, one path for all, and none where nothing went on', () => {
    expect(bars([0, 0.5, 1], 4, 50, 20)).toBe('M4 50v-10h3v10zM8 50v-20h3v20z');
    expect(bars([0.5], 4, 50, -20)).toBe('M0 50v10h3v-10z');
    expect(bars([0, 0], 4, 50, 20)).toBe('');
  });
});

describe('bands', () => {
  const box = { top: 10, height: 5, least: 3 };

  it('lie over their spans, cut at the window, and are never too narrow to be seen', () => {
    const spans = [
      { from: 0, to: 30 },
      { from: 50, to: 50.001 },
      { from: 90, to: 200 },
    ];
    expect(bands(spans, { from: 20, to: 100 }, 80, box)).toBe(
      'M0.0 10h10.0v5h-10.0zM30.0 10h3.0v5h-3.0zM70.0 10h10.0v5h-10.0z',
    );
  });

  it('out of sight are not drawn', () => {
    expect(bands([{ from: 0, to: 5 }], { from: 20, to: 100 }, 80, box)).toBe('');
  });
});

describe('places', () => {
  it('of a window without length are its beginning', () => {
    expect(placeIn({ from: 10, to: 20 }, 100)(15)).toBe(50);
    expect(placeIn({ from: 10, to: 10 }, 100)(15)).toBe(0);
  });
});
