import { describe, expect, it } from 'vitest';
import { frameBeside, frameTicks, timescaleOf } from './frames';

/** A box of ISO/IEC 14496-12: size, kind, payload. */
function box(kind: string, ...payload: number[][]): number[] {
  const body = payload.flat();
  return [...u32(body.length + 8), ...[...kind].map((letter) => letter.charCodeAt(0)), ...body];
}
const u32 = (n: number): number[] => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const bytes = (...boxes: number[][]): ArrayBuffer => new Uint8Array(boxes.flat()).buffer;

const mdhd = box('mdhd', u32(0), u32(0), u32(0), u32(15360), u32(0), u32(0));
const init = bytes(box('ftyp', u32(0)), box('moov', box('trak', box('mdia', mdhd))));

/** Three frames that last 100, 900 and 50 ticks from tick 5000 on; each also has a size. */
const trun = box(
  'trun',
  u32(0x000305),
  u32(3),
  u32(0),
  u32(0),
  ...[100, 900, 50].map((d) => [...u32(d), ...u32(7)]),
);
const fragment = bytes(
  box(
    'moof',
    box('traf', box('tfhd', u32(0x020000), u32(1)), box('tfdt', u32(1 << 24), u32(0), u32(5000)), trun),
  ),
  box('mdat', u32(0)),
);

describe('timescaleOf', () => {
  it('reads the ticks of a second', () => expect(timescaleOf(init)).toBe(15360));
  it('knows that there is none', () => expect(timescaleOf(fragment)).toBeNull());
});

describe('frameTicks', () => {
  it('adds up the durations of each frame', () => expect(frameTicks(fragment)).toEqual([5000, 5100, 6000]));

  it('uses the usual duration where frames have none', () => {
    const usual = bytes(
      box(
        'moof',
        box(
          'traf',
          box('tfhd', u32(0x020008), u32(1), u32(40)),
          box('tfdt', u32(0), u32(10)),
          box('trun', u32(0), u32(3)),
        ),
      ),
    );
    expect(frameTicks(usual)).toEqual([10, 50, 90]);
  });

  it('yields what it can of a fragment that is cut anywhere, and never throws', () => {
    for (let length = 0; length <= fragment.byteLength; length += 1) {
      expect(frameTicks(fragment.slice(0, length)).length).toBeLessThanOrEqual(3);
    }
  });

  it('does not believe a count that the box cannot hold', () => {
    const liar = bytes(box('moof', box('traf', box('trun', u32(0x100), u32(0xffffffff), u32(9)))));
    expect(frameTicks(liar)).toEqual([0]);
  });
});

describe('frameBeside', () => {
  const times = [0, 1, 1.5, 9];

  it('goes to the next change', () => {
    expect(frameBeside(times, 0, 1)).toBe(1);
    expect(frameBeside(times, 1.0005, 1)).toBe(1.5);
    expect(frameBeside(times, 9, 1)).toBeNull();
  });

  it('goes to the frame before the one shown', () => {
    expect(frameBeside(times, 8, -1)).toBe(1);
    expect(frameBeside(times, 9.0005, -1)).toBe(1.5);
    expect(frameBeside(times, 0.5, -1)).toBeNull();
    expect(frameBeside([], 5, -1)).toBeNull();
  });
});
