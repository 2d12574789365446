/** What was typed and clicked around a position, to be drawn over the picture. Pure. */
import type { EvidenceEvent } from '../api/types';
import { lastAt } from './clock';

/** Seconds before and after its event that input is shown: keys and clicks are counted for up to a second before they are told. */
const BEFORE = 1;
const AFTER = 0.8;
/** Names of keys that are shown at once. */
const MOST_KEYS = 24;

export interface Click {
  seq: number;
  /** In pixels of the screen. */
  x: number;
  y: number;
  pressed: number;
  /** From 0, when it begins to be shown, to 1, when it is gone. */
  age: number;
}

export interface Inputs {
  /** By name where policy has them recorded. */
  keys: string[];
  /** So many where only the number is. */
  pressed: number;
  clicks: Click[];
}

/** `times` are those of the events, in microseconds. */
export function inputsAt(
  events: readonly EvidenceEvent[],
  times: readonly number[],
  position: number,
): Inputs {
  const found: Inputs = { keys: [], pressed: 0, clicks: [] };
  const first = lastAt(times, position - AFTER) + 1;
  const last = lastAt(times, position + BEFORE);
  for (let n = Math.max(first, 0); n <= last; n += 1) {
    const event = events[n];
    if (!event) continue;
    if (event.type === 'keys') found.pressed += event.pressed;
    else if (event.type === 'strokes')
      found.keys.push(...event.strokes.filter(({ down }) => down).map(({ name }) => name));
    else if (event.type === 'clicks') {
      const age = (position - (event.at_us / 1e6 - BEFORE)) / (BEFORE + AFTER);
      const { seq, x, y, pressed } = event;
      found.clicks.push({ seq, x, y, pressed, age: Math.min(Math.max(age, 0), 1) });
    }
  }
  found.keys = found.keys.slice(-MOST_KEYS);
  return found;
}

/** Where a picture of this shape lies in a box that shows all of it in its middle: left, top and pixels for each of its own. */
export function placed(
  box: { width: number; height: number },
  picture: { width: number; height: number },
): { left: number; top: number; scale: number } {
  if (picture.width <= 0 || picture.height <= 0) return { left: 0, top: 0, scale: 0 };
  const scale = Math.min(box.width / picture.width, box.height / picture.height);
  return {
    left: (box.width - picture.width * scale) / 2,
    top: (box.height - picture.height * scale) / 2,
    scale,
  };
}
