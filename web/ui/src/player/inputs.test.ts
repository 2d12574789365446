import { describe, expect, it } from 'vitest';
import type { EvidenceEvent, What } from '../api/types';
import { inputsAt, placed } from './inputs';

const at = (second: number, what: What): EvidenceEvent =>
  ({ seq: second, at_us: second * 1e6, ...what }) as EvidenceEvent;
const stroke = (down: boolean, name: string) => ({ down, keysym: 97, name });
const events = [
  at(5, { type: 'strokes', viewer: 1, strokes: [stroke(true, 'l'), stroke(false, 'l'), stroke(true, 's')] }),
  at(10, { type: 'keys', viewer: 1, pressed: 4 }),
  at(10, { type: 'clicks', viewer: 1, pressed: 2, x: 30, y: 40 }),
  at(20, { type: 'bell' }),
];
const times = events.map((event) => event.at_us);
const seen = (position: number) => inputsAt(events, times, position);

describe('input', () => {
  it('is shown around its event: it happened within the second before', () => {
    expect(seen(4.2).keys).toEqual(['l', 's']);
    expect(seen(5.7).keys).toEqual(['l', 's']);
    expect(seen(5.9).keys).toEqual([]);
    expect(seen(3.9).keys).toEqual([]);
    expect(seen(9.5).pressed).toBe(4);
  });

  it('of a mouse is a ring that ages where the button was', () => {
    expect(seen(9.0).clicks).toEqual([{ seq: 10, x: 30, y: 40, pressed: 2, age: 0 }]);
    expect(seen(9.9).clicks[0]?.age).toBeCloseTo(0.5);
    expect(seen(20).clicks).toEqual([]);
  });

  it('of many keys is what came last', () => {
    const many = [
      at(1, {
        type: 'strokes',
        viewer: 1,
        strokes: Array.from({ length: 90 }, (_, n) => stroke(true, String(n))),
      }),
    ];
    expect(inputsAt(many, [1e6], 1).keys).toHaveLength(24);
    expect(inputsAt(many, [1e6], 1).keys.at(-1)).toBe('89');
  });
});

describe('a picture in a box', () => {
  it('stands in the middle, whole', () => {
    expect(placed({ width: 800, height: 400 }, { width: 400, height: 400 })).toEqual({
      left: 200,
      top: 0,
      scale: 1,
    });
    expect(placed({ width: 400, height: 400 }, { width: 800, height: 400 })).toEqual({
      left: 0,
      top: 100,
      scale: 0.5,
    });
    expect(placed({ width: 400, height: 400 }, { width: 0, height: 0 }).scale).toBe(0);
  });
});
