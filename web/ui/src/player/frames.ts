/**
 * When the frames of a fragment are shown. The video has a frame where the screen changed and none where it
 * rested, so "one frame on" is the next change: its time is read from the fragment itself (ISO/IEC 14496-12).
 */

/** The boxes that hold what is sought. */
const CONTAINERS: ReadonlySet<string> = new Set(['moov', 'trak', 'mdia', 'moof', 'traf']);

interface Box {
  kind: string;
  /** The box's payload. */
  body: DataView;
}

/** Ticks per second of the first track of an init segment; null when there is none. */
export function timescaleOf(init: ArrayBuffer): number | null {
  for (const box of boxes(new DataView(init))) {
    if (box.kind !== 'mdhd') continue;
    const at = uint32(box.body, 0) >>> 24 === 1 ? 20 : 12;
    const scale = uint32(box.body, at);
    return scale > 0 ? scale : null;
  }
  return null;
}

/** Decode times of the frames of a media fragment, in ticks; a fragment that cannot be read yields those before the fault. */
export function frameTicks(fragment: ArrayBuffer): number[] {
  const ticks: number[] = [];
  let usual = 0;
  let at = 0;
  for (const { kind, body } of boxes(new DataView(fragment))) {
    if (kind === 'tfhd') usual = usualDuration(body);
    else if (kind === 'tfdt') at = baseTime(body);
    else if (kind === 'trun') {
      for (const duration of durations(body, usual)) {
        ticks.push(at);
        at += duration;
      }
    }
  }
  return ticks;
}

/** The frame after (+1) or before (-1) a position among ascending times in seconds; null when none is known there. */
export function frameBeside(times: readonly number[], position: number, step: 1 | -1): number | null {
  const grace = 0.001;
  if (step === 1) return times.find((time) => time > position + grace) ?? null;
  // The frame on screen began at or before the position; the one sought is before that.
  const shown = times.findLastIndex((time) => time <= position + grace);
  return shown > 0 ? (times[shown - 1] ?? null) : null;
}

/** Every box sought, depth first; stops at the first that does not fit. */
function* boxes(view: DataView): Generator<Box> {
  let at = 0;
  while (at + 8 <= view.byteLength) {
    let size = view.getUint32(at);
    let head = 8;
    if (size === 1 && at + 16 <= view.byteLength) {
      size = Number(view.getBigUint64(at + 8));
      head = 16;
    } else if (size === 0) size = view.byteLength - at;
    if (size < head || at + size > view.byteLength) return;
    const kind = String.fromCharCode(...[4, 5, 6, 7].map((offset) => view.getUint8(at + offset)));
    const body = new DataView(view.buffer, view.byteOffset + at + head, size - head);
    if (CONTAINERS.has(kind)) yield* boxes(body);
    else yield { kind, body };
    at += size;
  }
}

/** tfhd: default_sample_duration, behind two optional fields. */
function usualDuration(body: DataView): number {
  const flags = uint32(body, 0) & 0xffffff;
  if ((flags & 0x8) === 0) return 0;
  return uint32(body, 8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0));
}

/** tfdt: base_media_decode_time, 32 or 64 bits by version. */
function baseTime(body: DataView): number {
  if (uint32(body, 0) >>> 24 !== 1) return uint32(body, 4);
  return uint32(body, 4) * 2 ** 32 + uint32(body, 8);
}

/** trun: the duration of each sample, its own or the usual one. */
function* durations(body: DataView, usual: number): Generator<number> {
  const flags = uint32(body, 0) & 0xffffff;
  const count = uint32(body, 4);
  const start = 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
  const stride = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length * 4;
  // A count that the box cannot hold is a lie; without fields of its own a sample takes no room, so cap it.
  const held =
    stride === 0 ? Math.min(count, 100_000) : Math.min(count, Math.floor((body.byteLength - start) / stride));
  for (let n = 0; n < held; n += 1) yield flags & 0x100 ? uint32(body, start + n * stride) : usual;
}

/** 32 bits at an offset; 0 beyond the end, so that a cut box never throws. */
function uint32(view: DataView, at: number): number {
  return at + 4 <= view.byteLength ? view.getUint32(at) : 0;
}
