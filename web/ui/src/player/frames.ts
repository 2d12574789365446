/**
 * When the frames of a fragment are shown. The video has a frame where the screen changed and none where it
 * rested, so "one frame on" is the next change: its time is read from the fragment itself (ISO/IEC 14496-12).
 */

/** The boxes that hold what is sought. */
const CONTAINERS: ReadonlySet<string> = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'moof', 'traf']);

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

/** The frames of a segment. */
export interface Frames {
  /** When each is shown, ascending; in ticks or seconds. */
  times: number[];
  /** Bytes of each; the first is a whole picture, the others are what changed. */
  sizes: number[];
}

/** The frames of a media segment, in ticks; one that cannot be read yields those before the fault. */
export function framesOf(segment: ArrayBuffer): Frames {
  const [times, sizes]: [number[], number[]] = [[], []];
  let usual: Usual = { duration: 0, size: 0 };
  let at = 0;
  for (const { kind, body } of boxes(new DataView(segment))) {
    if (kind === 'tfhd') usual = usualOf(body);
    else if (kind === 'tfdt') at = baseTime(body);
    else if (kind === 'trun') {
      for (const { duration, size } of samples(body, usual)) {
        times.push(at);
        sizes.push(size);
        at += duration;
      }
    }
  }
  return { times, sizes };
}

/** How the video of an init segment is coded. */
export interface Coding {
  /** As browsers call it (RFC 6381): `avc1.640020`, `av01.0.08M.08`. */
  codec: string;
  /** What a decoder needs beside it; null where it needs nothing. */
  description: Uint8Array | null;
}

/** The coding of an init segment's first track; null where it is neither H.264 nor AV1. */
export function codingOf(init: ArrayBuffer): Coding | null {
  for (const box of boxes(new DataView(init))) {
    if (box.kind !== 'stsd') continue;
    // Behind version, flags and count stands the entry; its own boxes come after 78 bytes of a visual entry.
    const [entry] = boxes(tail(box.body, 8));
    if (!entry) return null;
    for (const { kind, body } of boxes(tail(entry.body, 78))) {
      if (kind === 'avcC' && body.byteLength >= 4) {
        const codec = `${entry.kind}.${[1, 2, 3].map((at) => hex(body.getUint8(at))).join('')}`;
        return { codec, description: bytesIn(body) };
      }
      if (kind === 'av1C' && body.byteLength >= 3)
        return { codec: av1Of(body.getUint8(1), body.getUint8(2)), description: null };
    }
  }
  return null;
}

/** The bytes of the first frame of a media segment, which is a whole picture; null where there is none. */
export function firstFrame(segment: ArrayBuffer): Uint8Array | null {
  const size = framesOf(segment).sizes[0];
  for (const { kind, body } of boxes(new DataView(segment)))
    if (kind === 'mdat') return size && size <= body.byteLength ? bytesIn(body).slice(0, size) : null;
  return null;
}

const bytesIn = (view: DataView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

function av1Of(first: number, second: number): string {
  const tier = second & 0x80 ? 'H' : 'M';
  return `av01.${first >>> 5}.${String(first & 31).padStart(2, '0')}${tier}.${second & 0x40 ? 10 : '08'}`;
}

function tail(view: DataView, at: number): DataView {
  const from = Math.min(at, view.byteLength);
  return new DataView(view.buffer, view.byteOffset + from, view.byteLength - from);
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

/** What a sample lasts and weighs that does not say so itself. */
interface Usual {
  duration: number;
  size: number;
}

/** tfhd: default_sample_duration and default_sample_size, behind two optional fields. */
function usualOf(body: DataView): Usual {
  const flags = uint32(body, 0) & 0xffffff;
  const at = 8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0);
  const duration = flags & 0x8 ? uint32(body, at) : 0;
  return { duration, size: flags & 0x10 ? uint32(body, at + (flags & 0x8 ? 4 : 0)) : 0 };
}

/** tfdt: base_media_decode_time, 32 or 64 bits by version. */
function baseTime(body: DataView): number {
  if (uint32(body, 0) >>> 24 !== 1) return uint32(body, 4);
  return uint32(body, 4) * 2 ** 32 + uint32(body, 8);
}

/** trun: duration and size of each sample, its own or the usual ones. */
function* samples(body: DataView, usual: Usual): Generator<Usual> {
  const flags = uint32(body, 0) & 0xffffff;
  const count = uint32(body, 4);
  const start = 8 + (flags & 0x1 ? 4 : 0) + (flags & 0x4 ? 4 : 0);
  const stride = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length * 4;
  // A count that the box cannot hold is a lie; without fields of its own a sample takes no room, so cap it.
  const held =
    stride === 0 ? Math.min(count, 100_000) : Math.min(count, Math.floor((body.byteLength - start) / stride));
  for (let n = 0; n < held; n += 1) {
    const at = start + n * stride;
    yield {
      duration: flags & 0x100 ? uint32(body, at) : usual.duration,
      size: flags & 0x200 ? uint32(body, at + (flags & 0x100 ? 4 : 0)) : usual.size,
    };
  }
}

/** 32 bits at an offset; 0 beyond the end, so that a cut box never throws. */
function uint32(view: DataView, at: number): number {
  return at + 4 <= view.byteLength ? view.getUint32(at) : 0;
}
