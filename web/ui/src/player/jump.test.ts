import { describe, expect, it } from 'vitest';
import { besideEvent, rowsInSight, scrollFor } from './jump';

const times = [0, 1e6, 1e6, 5e6, 9e6];

describe('jumping', () => {
  it('goes to the next event, and events of one moment are one', () => {
    expect(besideEvent(times, 0, 1)).toBe(1);
    expect(besideEvent(times, 1, 1)).toBe(5);
    expect(besideEvent(times, 9, 1)).toBeNull();
    expect(besideEvent([], 9, 1)).toBeNull();
  });

  it('goes back to the event that it is behind, then to the one before', () => {
    expect(besideEvent(times, 7, -1)).toBe(5);
    expect(besideEvent(times, 5.2, -1)).toBe(1);
    expect(besideEvent(times, 1, -1)).toBe(0);
    expect(besideEvent(times, 0, -1)).toBeNull();
    expect(besideEvent([5e6], 2, -1)).toBeNull();
  });

  it('comes through all events and back, wherever a seek lands within a millisecond', () => {
    const seen: (number | null)[] = [];
    for (let at: number | null = 0; at !== null; at = besideEvent(times, at - 0.0003, 1)) seen.push(at);
    expect(seen).toEqual([0, 1, 5, 9]);
  });
});

describe('rows', () => {
  it('are drawn where they are in sight, with some around', () => {
    expect(rowsInSight(0, 500, 50, 10_000, 10)).toEqual({ from: 0, to: 20 });
    expect(rowsInSight(100_000, 500, 50, 10_000, 10)).toEqual({ from: 1990, to: 2020 });
    expect(rowsInSight(499_500, 500, 50, 10_000, 10)).toEqual({ from: 9980, to: 10_000 });
  });

  it('of a list that became shorter are its last ones', () => {
    expect(rowsInSight(9_000, 500, 50, 3, 0)).toEqual({ from: 2, to: 3 });
    expect(rowsInSight(0, 500, 50, 0, 5)).toEqual({ from: 0, to: 0 });
  });

  it('are scrolled to when they are out of sight, and only then', () => {
    expect(scrollFor(3, 0, 300, 50)).toBeNull();
    expect(scrollFor(30, 0, 300, 50)).toBe(1400);
    expect(scrollFor(0, 900, 300, 50)).toBe(0);
  });
});
