import { describe, expect, it } from 'vitest';
import { clockFace, clockWords, lastAt, lengthOf, shareOf, speedBeside, within } from './clock';

describe('clockFace', () => {
  it.each([
    [0, '0:00'],
    [7.9, '0:07'],
    [754, '12:34'],
    [3723, '1:02:03'],
    [-4, '0:00'],
    [NaN, '0:00'],
    [Infinity, '0:00'],
  ])('shows %d s as %s', (position, face) => expect(clockFace(position)).toBe(face));

  it('shows tenths without rounding up into the next second', () => {
    expect(clockFace(59.97, true)).toBe('0:59.9');
    // 0.3 is 0.29999… in binary: it still shows as itself.
    expect(clockFace(0.1 + 0.2, true)).toBe('0:00.3');
    expect(clockFace(3.3, true)).toBe('0:03.3');
  });
});

describe('clockWords', () => {
  it.each([
    [0, '0 seconds'],
    [1, '1 second'],
    [65, '1 minute 5 seconds'],
    [3600, '1 hour'],
  ])('says %d s as %s', (position, words) => expect(clockWords(position)).toBe(words));
});

describe('positions', () => {
  it('stay within the recording', () => {
    expect(within(-1, 10)).toBe(0);
    expect(within(11, 10)).toBe(10);
    expect(within(NaN, 10)).toBe(0);
    expect(within(5, -1)).toBe(0);
  });

  it('have a share even without length', () => {
    expect(shareOf(5, 10)).toBe(0.5);
    expect(shareOf(5, 0)).toBe(0);
    expect(shareOf(50, 10)).toBe(1);
  });

  it('end where the index and the events say, and where they say nothing, where the media ends', () => {
    expect(lengthOf(10_000, 9.5, 9_000_000)).toBe(10);
    expect(lengthOf(2_000, 900_000, 3_000_000)).toBe(3);
    expect(lengthOf(0, 12, 0)).toBe(12);
    expect(lengthOf(0, Infinity, 0)).toBe(0);
    expect(lengthOf(0, NaN, 0)).toBe(0);
  });
});

describe('lastAt', () => {
  const times = [0, 1_000_000, 1_000_000, 2_500_000];

  it('finds the last event that has come', () => {
    expect(lastAt(times, 0)).toBe(0);
    expect(lastAt(times, 0.9)).toBe(0);
    expect(lastAt(times, 1)).toBe(2);
    expect(lastAt(times, 99)).toBe(3);
  });

  it('finds nothing before the first, and nothing in nothing', () => {
    expect(lastAt([500_000], 0.1)).toBe(-1);
    expect(lastAt([], 1)).toBe(-1);
  });

  it('finds an event that a rounded seek landed just before', () => {
    expect(lastAt(times, 2.4998)).toBe(3);
  });

  it('agrees with a plain search, everywhere', () => {
    const many = Array.from({ length: 200 }, (_, n) => n * n * 997);
    for (let position = 0; position < 45; position += 0.37) {
      const plain = many.findLastIndex((time) => time <= position * 1e6 + 500);
      expect(lastAt(many, position)).toBe(plain);
    }
  });
});

describe('speeds', () => {
  it('go one step and stop at the ends', () => {
    expect(speedBeside(1, 1)).toBe(1.5);
    expect(speedBeside(1, -1)).toBe(0.5);
    expect(speedBeside(16, 1)).toBe(16);
    expect(speedBeside(0.5, -1)).toBe(0.5);
  });
});
