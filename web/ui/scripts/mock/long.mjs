/** A recording of many hours: the sample's segments again and again, each with the time that it then has. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The sample's segments: seconds from and to, in order. */
function stretches(hls) {
  let at = 0;
  return [...readFileSync(join(hls, 'index.m3u8'), 'utf8').matchAll(/#EXTINF:([\d.]+),/g)].map(
    ([, lasts]) => {
      at += Number(lasts);
      return { from: at - Number(lasts), lasts: Number(lasts) };
    },
  );
}

/** Number `n`, from 1 on: which segment of the sample it is, and how many seconds later. */
function placed(hls, n) {
  const all = stretches(hls);
  const whole = all.at(-1).from + all.at(-1).lasts;
  return {
    ...all[(n - 1) % all.length],
    n: ((n - 1) % all.length) + 1,
    later: Math.floor((n - 1) / all.length) * whole,
  };
}

export function longPlaylist(hls, seconds) {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:60', '#EXT-X-PLAYLIST-TYPE:VOD'];
  lines.push('#EXT-X-MAP:URI="video/init-0001.mp4"');
  for (let n = 1, at = 0; at < seconds; n += 1) {
    const { lasts } = placed(hls, n);
    lines.push(`#EXTINF:${lasts.toFixed(6)},`, `video/${String(n).padStart(5, '0')}.m4s`);
    at += lasts;
  }
  return `${lines.join('\n')}\n#EXT-X-ENDLIST\n`;
}

export function longSegment(hls, n) {
  const { n: own, later } = placed(hls, n);
  return shifted(readFileSync(join(hls, `video/${String(own).padStart(5, '0')}.m4s`)), later * 1000);
}

/** The segment so many ticks later (ISO/IEC 14496-12, tfdt). */
export function shifted(segment, ticks) {
  const bytes = Buffer.from(segment);
  for (let at = bytes.indexOf('tfdt'); at >= 0; at = bytes.indexOf('tfdt', at + 4)) {
    const time = at + 8;
    if (bytes[at + 4] === 1) bytes.writeBigUInt64BE(bytes.readBigUInt64BE(time) + BigInt(ticks), time);
    else bytes.writeUInt32BE(bytes.readUInt32BE(time) + ticks, time);
  }
  return bytes;
}

/** A day's work: bursts of typing, pauses, something that crosses now and then, a gap. */
export function longEvents(recording, seconds) {
  const start = Date.parse(recording.started);
  const rows = [[0, { type: 'session_opened', desktop: recording.desktop, runtime: 'process' }]];
  const rules = { keys: 'contractors.yaml:8 allow.control', paste: 'contractors.yaml:9 allow.paste' };
  let state = 7;
  const chance = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let at = 2; at < seconds - 5; at += chance() < 0.02 ? 40 + chance() * 400 : 0.8 + chance() * 1.4) {
    const dice = chance();
    if (dice < 0.72) rows.push([at, { type: 'keys', viewer: 1, pressed: 1 + Math.floor(chance() * 9) }]);
    else if (dice < 0.97)
      rows.push([
        at,
        {
          type: 'clicks',
          viewer: 1,
          pressed: 1,
          x: Math.round(80 + chance() * 1100),
          y: Math.round(60 + chance() * 680),
        },
      ]);
    else {
      const effect = chance() < 0.25 ? 'deny' : 'permit';
      const reason = effect === 'deny' ? 'more than the 4 KiB that may be pasted' : '';
      rows.push([
        at,
        { type: 'paste', viewer: 1, effect, bytes: Math.floor(chance() * 9000), sha256: '', reason },
      ]);
    }
  }
  const gap = { from_us: Math.round(seconds * 0.61e6), to_us: Math.round(seconds * 0.63e6) };
  rows.push([seconds * 0.63, { type: 'gap', ...gap, reason: 'the spool was full' }]);
  rows.push([seconds - 1, { type: 'session_closed', reason: 'ended by the person' }]);
  rows.sort(([one], [other]) => one - other);
  return rows.map(([second, what], seq) => ({
    v: 1,
    seq,
    at_us: Math.round(second * 1e6),
    time: new Date(start + second * 1000).toISOString(),
    session: recording.id,
    subject: recording.subject,
    policy: recording.policy.revision,
    rule: rules[what.type] ?? 'contractors.yaml:7 allow.open',
    ...what,
  }));
}
