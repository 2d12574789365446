/** Pictures and films, as FFmpeg reads them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Runs a program over some bytes and returns what it wrote; anything on its standard error is a fault. */
export function run(program, args, input = Buffer.alloc(0)) {
  return new Promise((done, fail) => {
    const child = spawn(program, args);
    const [out, err] = [[], []];
    child.stdout.on('data', (bytes) => out.push(bytes));
    child.stderr.on('data', (bytes) => err.push(bytes));
    // A program that has read enough may close its input.
    child.stdin.on('error', () => undefined);
    child.once('error', fail);
    child.once('close', (code) => {
      const words = Buffer.concat(err).toString();
      if (code === 0 && words === '') done(Buffer.concat(out));
      else fail(new Error(`${program} left with ${code}: ${words}`));
    });
    child.stdin.end(input);
  });
}

/** A picture: width, height, and 3 bytes R, G, B a pixel. */
export async function picture(bytes) {
  const { streams } = await probe(bytes);
  const { width, height } = streams[0];
  // Each frame as it is, with its own time: no frame rate is guessed.
  const film = ['-fps_mode', 'passthrough', '-enc_time_base', '-1'];
  const flags = ['-vf', 'scale=flags=accurate_rnd+full_chroma_int+full_chroma_inp'];
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  const rgb = await run('ffmpeg', ['-v', 'error', '-i', '-', ...film, ...flags, ...raw], bytes);
  const size = width * height * 3;
  assert(
    rgb.length >= size && rgb.length % size === 0,
    `${rgb.length} bytes are no frames of ${width}x${height}`,
  );
  // The last frame, where there are several.
  return { width, height, rgb: rgb.subarray(rgb.length - size), frames: rgb.length / size };
}

export async function probe(bytes) {
  const words = await run(
    'ffprobe',
    ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', '-'],
    bytes,
  );
  return JSON.parse(words);
}

/** The times of all frames of a film, in the order in which they are shown, in seconds. */
export async function times(bytes) {
  const asked = ['-show_entries', 'packet=pts_time', '-of', 'json'];
  const words = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', ...asked, '-'], bytes);
  return JSON.parse(words)
    .packets.map((packet) => Number(packet.pts_time))
    .sort((one, other) => one - other);
}

/** The last stretch of one size in a bundle's playlist: the init segment, and all media segments after it. */
export function lastStretch(bundle) {
  const lines = readFileSync(join(bundle, 'index.m3u8'), 'utf8').split('\n');
  const start = lines.findLastIndex((line) => line.startsWith('#EXT-X-MAP:'));
  assert(start >= 0, 'the playlist names no init segment');
  const read = (path) => readFileSync(join(bundle, path));
  const init = read(lines[start].match(/URI="([^"]+)"/)[1]);
  const segments = lines
    .slice(start)
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(read);
  return { init, segments, film: Buffer.concat([init, ...segments]) };
}

/** The boxes of an ISO BMFF file (ISO/IEC 14496-12 section 4.2), one level deep: type and content. */
export function boxes(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const size = bytes.readUInt32BE(at);
    assert(size >= 8 && at + size <= bytes.length, `a box of ${size} bytes at ${at} of ${bytes.length}`);
    found.push({
      type: bytes.toString('latin1', at + 4, at + 8),
      content: bytes.subarray(at + 8, at + size),
    });
    at += size;
  }
  return found;
}

/** Peak signal-to-noise ratio of a region {x, y, width, height} of two pictures, in dB; equal ones have Infinity. */
export function psnr(one, other, region) {
  assert.deepEqual([one.width, one.height], [other.width, other.height], 'pictures of two sizes');
  let squares = 0;
  for (let y = region.y; y < region.y + region.height; y += 1) {
    const from = (y * one.width + region.x) * 3;
    for (let at = from; at < from + region.width * 3; at += 1) squares += (one.rgb[at] - other.rgb[at]) ** 2;
  }
  return 10 * Math.log10((255 ** 2 * region.width * region.height * 3) / squares);
}
