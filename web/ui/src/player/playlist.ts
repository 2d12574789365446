/** A recording's playlist as stretches of its clock (RFC 8216), and which of them the player wants next. Pure. */

/** One entry of the playlist; times are seconds since the session's start. */
export interface Segment {
  from: number;
  to: number;
  /** Place of its video in the bundle; null for a stretch without any. */
  uri: string | null;
  /** Place of the init segment that it is decoded with. */
  init: string;
}

export interface Playlist {
  segments: Segment[];
  /** Nothing will be added any more. */
  ended: boolean;
}

/** Reads a media playlist. Its times are media times, since the entries of a bundle follow each other from 0 on. */
export function playlistOf(text: string): Playlist {
  const segments: Segment[] = [];
  let [at, lasts, gap, init, ended] = [0, 0, false, '', false];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#EXTINF:')) lasts = Number.parseFloat(line.slice(8)) || 0;
    else if (line === '#EXT-X-GAP') gap = true;
    else if (line.startsWith('#EXT-X-MAP:')) init = line.match(/URI="([^"]+)"/)?.[1] ?? '';
    else if (line === '#EXT-X-ENDLIST') ended = true;
    else if (line !== '' && !line.startsWith('#')) {
      segments.push({ from: at, to: at + lasts, uri: gap ? null : line, init });
      [at, lasts, gap] = [at + lasts, 0, false];
    }
  }
  return { segments, ended };
}

/** Index of the segment that holds a position; that of the last one behind the end, -1 where there is none. */
export function segmentAt(segments: readonly Segment[], position: number): number {
  let [low, high] = [0, segments.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segments[middle]?.from ?? Infinity) <= position) low = middle + 1;
    else high = middle;
  }
  return segments.length === 0 ? -1 : Math.max(low - 1, 0);
}

/** The first segment from a position on, beginning within so many seconds, that has video and is not there yet. */
export function wanted(
  segments: readonly Segment[],
  position: number,
  ahead: number,
  there: (segment: Segment) => boolean,
): Segment | null {
  const first = segmentAt(segments, position);
  for (let n = Math.max(first, 0); n < segments.length; n += 1) {
    const segment = segments[n];
    if (!segment || segment.from >= position + ahead) return null;
    if (segment.uri !== null && segment.to > position && !there(segment)) return segment;
  }
  return null;
}

/** From where a position in a stretch without video the playback goes on: null where it has video, Infinity where there is none behind it. */
export function onFrom(
  segments: readonly Segment[],
  position: number,
  lost: (segment: Segment) => boolean,
): number | null {
  const first = segmentAt(segments, position);
  const here = segments[first];
  if (!here) return null;
  const plays = (segment: Segment) => segment.uri !== null && !lost(segment);
  if (plays(here)) return null;
  for (let n = first + 1; n < segments.length; n += 1) {
    const segment = segments[n];
    if (segment && plays(segment)) return segment.from;
  }
  return Infinity;
}
