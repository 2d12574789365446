import { describe, expect, it } from 'vitest';
import { onFrom, playlistOf, segmentAt, wanted, type Segment } from './playlist';

const text = `#EXTM3U
#EXT-X-VERSION:8
#EXT-X-TARGETDURATION:60
#EXT-X-MAP:URI="video/init-0001.mp4"
#EXTINF:10.000000,
video/00001.m4s
#EXTINF:2.500000,
#EXT-X-GAP
video/00002.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="video/init-0002.mp4"
#EXTINF:40.000000,
video/00003.m4s
`;

const { segments } = playlistOf(text);

describe('a playlist', () => {
  it('is stretches of the clock, with the init segment of each and gaps as gaps', () => {
    expect(segments).toEqual([
      { from: 0, to: 10, uri: 'video/00001.m4s', init: 'video/init-0001.mp4' },
      { from: 10, to: 12.5, uri: null, init: 'video/init-0001.mp4' },
      { from: 12.5, to: 52.5, uri: 'video/00003.m4s', init: 'video/init-0002.mp4' },
    ]);
  });

  it('of a running recording has not ended, a sealed one has', () => {
    expect(playlistOf(text).ended).toBe(false);
    expect(playlistOf(`${text}#EXT-X-ENDLIST\r\n`).ended).toBe(true);
  });

  it('that is none has no segments', () => {
    expect(playlistOf('')).toEqual({ segments: [], ended: false });
    expect(playlistOf('<html>').segments).toHaveLength(1);
  });
});

describe('segmentAt', () => {
  it('finds the segment that holds a position', () => {
    expect([0, 9.99, 10, 12.5, 500, -1].map((at) => segmentAt(segments, at))).toEqual([0, 0, 1, 2, 2, 0]);
    expect(segmentAt([], 3)).toBe(-1);
  });
});

describe('wanted', () => {
  const none = () => false;

  it('is what is played first, then what follows, and never a gap', () => {
    expect(wanted(segments, 3, 60, none)?.uri).toBe('video/00001.m4s');
    const first = (segment: Segment) => segment.from === 0;
    expect(wanted(segments, 3, 60, first)?.uri).toBe('video/00003.m4s');
    expect(wanted(segments, 11, 60, none)?.uri).toBe('video/00003.m4s');
  });

  it('is nothing beyond what is kept ahead, and nothing that is there', () => {
    const first = (segment: Segment) => segment.from === 0;
    expect(wanted(segments, 3, 5, first)).toBeNull();
    expect(wanted(segments, 3, 60, () => true)).toBeNull();
    expect(wanted(segments, 99, 60, none)).toBeNull();
    expect(wanted([], 0, 60, none)).toBeNull();
  });
});

describe('onFrom', () => {
  const none = () => false;

  it('leads over a gap, and over what could not be loaded', () => {
    expect(onFrom(segments, 3, none)).toBeNull();
    expect(onFrom(segments, 11, none)).toBe(12.5);
    expect(onFrom(segments, 3, (segment) => segment.from === 0)).toBe(12.5);
  });

  it('knows that nothing follows', () => {
    expect(onFrom(segments, 20, (segment) => segment.from > 12)).toBe(Infinity);
    expect(onFrom([], 0, none)).toBeNull();
  });
});
