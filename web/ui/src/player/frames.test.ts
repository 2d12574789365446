import { describe, expect, it } from 'vitest';
import { codingOf, firstFrame, frameBeside, framesOf, timescaleOf } from './frames';

const frameTicks = (segment: ArrayBuffer) => framesOf(segment).times;

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

describe('framesOf', () => {
  it('knows how much each frame weighs', () => expect(framesOf(fragment).sizes).toEqual([7, 7, 7]));

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

const codecOf = (init: ArrayBuffer) => codingOf(init)?.codec ?? null;

describe('codingOf', () => {
  const entry = (kind: string, ...own: number[][]) =>
    bytes(
      box(
        'moov',
        box(
          'trak',
          box(
            'mdia',
            box('minf', box('stbl', box('stsd', u32(0), u32(1), box(kind, Array(78).fill(0), ...own)))),
          ),
        ),
      ),
    );

  it('names H.264 and AV1 as browsers do', () => {
    const h264 = codingOf(entry('avc1', box('avcC', [1, 0x64, 0, 0x1f])));
    expect(h264).toEqual({ codec: 'avc1.64001f', description: new Uint8Array([1, 0x64, 0, 0x1f]) });
    expect(codecOf(entry('av01', box('av1C', [0x81, 0x08, 0x0c])))).toBe('av01.0.08M.08');
  });

  it('knows no other', () => {
    expect(codecOf(entry('hvc1', box('hvcC', [1, 2, 3, 4])))).toBeNull();
    expect(codecOf(entry('avc1'))).toBeNull();
    expect(codecOf(init)).toBeNull();
    expect(codecOf(new ArrayBuffer(0))).toBeNull();
  });
});

describe('firstFrame', () => {
  const moof = box('moof', box('traf', box('trun', u32(0x200), u32(2), u32(3), u32(2))));

  it('is the whole picture that a segment begins with', () => {
    expect(firstFrame(bytes(moof, box('mdat', [1, 2, 3, 4, 5])))).toEqual(new Uint8Array([1, 2, 3]));
  });

  it('is none where the segment does not hold it', () => {
    expect(firstFrame(bytes(moof, box('mdat', [1, 2])))).toBeNull();
    expect(firstFrame(bytes(moof))).toBeNull();
    expect(firstFrame(new ArrayBuffer(0))).toBeNull();
  });
});
