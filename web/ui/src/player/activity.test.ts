import { describe, expect, it } from 'vitest';
import type { EvidenceEvent, What } from '../api/types';
import { Activity, spanAt } from './activity';

const at = (second: number, what: What): EvidenceEvent => ({ at_us: second * 1e6, ...what }) as EvidenceEvent;
const keys = (second: number, pressed = 5) => at(second, { type: 'keys', viewer: 1, pressed });
const segment = (from: number, to: number) => ({ from, to, uri: 'video/00001.m4s', init: '' });

describe('idle spans', () => {
  it('lie between what happened, and leave it a margin', () => {
    const activity = new Activity(100);
    activity.addEvents([keys(20), keys(60)]);
    expect(activity.idle(5)).toEqual([
      { from: 0, to: 19 },
      { from: 21.75, to: 59 },
      { from: 61.75, to: 100 },
    ]);
  });

  it('are not worth a word when they are short', () => {
    const activity = new Activity(100);
    activity.addEvents([keys(20), keys(60)]);
    expect(activity.idle(30).map(({ from }) => from)).toEqual([21.75, 61.75]);
    expect(activity.idle(1000)).toEqual([]);
  });

  it('are told by the length of segments that are not loaded: the recorder stretches those in which little changes', () => {
    const activity = new Activity(100);
    activity.addSegment(segment(0, 10), undefined);
    activity.addSegment(segment(10, 20), undefined);
    activity.addSegment(segment(20, 80), undefined);
    activity.addSegment(segment(80, 100), undefined);
    expect(activity.idle(5)).toEqual([
      { from: 30.25, to: 79 },
      { from: 90.25, to: 100 },
    ]);
  });

  it('are exact where the video is loaded, and a caret that blinks is no change', () => {
    const activity = new Activity(60);
    activity.addSegment(segment(0, 60), {
      times: [0, 1, 2, 3, 30, 40, 50],
      sizes: [40_000, 120, 120, 90, 8_000, 120, 90],
    });
    expect(activity.idle(5)).toEqual([
      { from: 0, to: 29 },
      { from: 31.75, to: 60 },
    ]);
  });

  it('never hide a gap', () => {
    const activity = new Activity(60);
    activity.addEvents([at(40, { type: 'gap', from_us: 20e6, to_us: 40e6, reason: 'disk full' })]);
    activity.addSegment({ from: 50, to: 55, uri: null, init: '' }, undefined);
    expect(activity.idle(5)).toEqual([
      { from: 0, to: 19 },
      { from: 41.75, to: 49 },
    ]);
  });

  it('of nothing are everything, and of no length nothing', () => {
    expect(new Activity(20).idle(5)).toEqual([{ from: 0, to: 20 }]);
    expect(new Activity(0).idle(5)).toEqual([]);
  });
});

describe('slices', () => {
  it('show where people typed and where the screen changed', () => {
    const activity = new Activity(100);
    activity.addEvents([keys(55)]);
    activity.addSegment(segment(0, 100), { times: [0, 15], sizes: [50_000, 200_000] });
    const { input, screen } = activity.slices({ from: 0, to: 100 }, 10);
    expect(input.findIndex((level) => level > 0)).toBe(5);
    expect(input.filter((level) => level > 0)).toHaveLength(1);
    expect(screen.findIndex((level) => level > 0)).toBe(1);
    expect(Math.max(...input, ...screen)).toBeLessThan(1);
  });

  it('of a window are of that window alone', () => {
    const activity = new Activity(100);
    activity.addEvents([keys(55)]);
    expect(activity.slices({ from: 0, to: 50 }, 5).input).toEqual([0, 0, 0, 0, 0]);
    expect(activity.slices({ from: 54, to: 55 }, 1).input[0]).toBeGreaterThan(0.5);
    expect(activity.slices({ from: 0, to: 50 }, 0)).toEqual({ input: [], screen: [] });
  });

  it('of eleven days are as quick', () => {
    const activity = new Activity(11 * 86_400);
    activity.addEvents([keys(86_400)]);
    expect(activity.slices({ from: 0, to: 11 * 86_400 }, 800).input.some((level) => level > 0)).toBe(true);
    expect(activity.idle(10)).toHaveLength(2);
  });
});

describe('spanAt', () => {
  const spans = [
    { from: 1, to: 2 },
    { from: 5, to: 9 },
  ];

  it('finds the span that holds a position', () => {
    expect([0, 1, 1.9, 2, 5, 8.9, 9].map((position) => spanAt(spans, position)?.from ?? null)).toEqual([
      null,
      1,
      1,
      null,
      5,
      5,
      null,
    ]);
    expect(spanAt([], 1)).toBeNull();
  });
});
