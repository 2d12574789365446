import { describe, expect, it } from 'vitest';
import { eager } from './playlist';

const running = '#EXTM3U\n#EXT-X-TARGETDURATION:60\n#EXTINF:1.5,\nvideo/00001.m4s\n';

describe('the playlist', () => {
  it('of a running recording is asked for again soon', () => {
    expect(eager(running)).toBe(running.replace(':60', ':4'));
  });

  it('of a sealed recording is left as it is', () => {
    expect(eager(`${running}#EXT-X-ENDLIST\n`)).toBe(`${running}#EXT-X-ENDLIST\n`);
  });
});
