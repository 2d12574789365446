/** What the player reads into a playlist. Pure. */

/** How often the playlist of a recording that still runs is asked for, in whole seconds. */
const SOON = 4;

/**
 * The playlist of a running recording with a short target duration, after which hls.js asks for it again; that of a
 * sealed one as it is. A still screen stretches segments to a minute, so the gate's own target duration is a minute
 * too (RFC 8216 section 4.3.3.1), and a viewer who waited for that long would think that nothing happens.
 */
export function eager(playlist: string): string {
  if (/^#EXT-X-ENDLIST/m.test(playlist)) return playlist;
  return playlist.replace(/^#EXT-X-TARGETDURATION:\d+/m, `#EXT-X-TARGETDURATION:${SOON}`);
}
