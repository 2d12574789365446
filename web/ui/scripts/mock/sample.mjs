/** A sample of a recorded screen: drawn as a page, photographed by Chromium, made into fragmented MP4 and HLS by ffmpeg. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from './browser.mjs';

const WIDTH = 1280;
const HEIGHT = 800;
/** Seconds. */
const LENGTH = 60;

/** What is on the screen from which second on: a frame where it changes, none where it rests. */
function scenes() {
  const typed = (second, before, text) =>
    [...text].map((_, n) => [second + n * 0.14, [...before, `$ ${text.slice(0, n + 1)}▌`]]);
  const status = ['$ git status', 'On branch staging', 'nothing to commit, working tree clean'];
  const test = [...status, '$ cargo test --workspace', '   Compiling gate v0.1.0', '    Finished in 4.21s'];
  const passed = [...test, '     Running 214 tests', 'test result: ok. 214 passed; 0 failed', '$ ▌'];
  return [
    [0, ['▌']],
    [1.2, ['$ ▌']],
    ...typed(3, [], 'git status'),
    [5, [...status, '$ ▌']],
    ...typed(9, status, 'cargo test --workspace'),
    [14, test],
    [17, passed],
    [22, passed, 'letter'],
    [26.4, passed, 'letter2'],
    [38, passed, 'chart'],
    [43, passed, 'chart2'],
    [57, [...passed.slice(0, -1), '$ exit▌']],
  ];
}

const windows = {
  letter: '<h3>notes.txt</h3><p>Deploy window: Thursday 14:00.</p>',
  letter2: '<h3>notes.txt</h3><p>Deploy window: Thursday 14:00.</p><p>Rollback owner: Dana.</p>',
  chart: '<h3>Latency, p99</h3><div class="bars"><i></i><i></i><i></i></div>',
  chart2: '<h3>Latency, p99</h3><div class="bars"><i></i><i></i><i></i><i></i><i></i></div>',
};

function page([, lines, shown]) {
  const escape = (text) => text.replace(/[<&]/g, (sign) => (sign === '<' ? '&lt;' : '&amp;'));
  const extra = shown ? `<section class="w two">${windows[shown]}</section>` : '';
  return `<style>
    body { margin: 0; height: ${HEIGHT}px; background: linear-gradient(160deg, #29423f, #16211f); font: 15px/1.5 'DejaVu Sans', sans-serif; overflow: hidden }
    .w { position: absolute; border-radius: 6px; box-shadow: 0 18px 50px #0009; overflow: hidden }
    .one { left: 90px; top: 70px; width: 760px; height: 470px; background: #10181a; color: #d8e6df; font: 17px/1.55 'DejaVu Sans Mono', monospace }
    .one h3 { margin: 0; padding: 7px 14px; background: #243230; font: 14px 'DejaVu Sans', sans-serif }
    .one pre { margin: 14px 18px; font: inherit }
    .two { right: 80px; bottom: 110px; width: 520px; height: 330px; padding: 18px 24px; background: #f7f5ef; color: #2a2d2b }
    .bars { display: flex; align-items: end; gap: 18px; height: 210px } .bars i { width: 56px; background: #2c7a6f }
    .bars i:nth-child(1) { height: 60% } .bars i:nth-child(2) { height: 85% } .bars i:nth-child(3) { height: 48% } .bars i:nth-child(4) { height: 70% } .bars i:nth-child(5) { height: 30%; background: #b4552d }
    footer { position: absolute; inset: auto 0 0; height: 38px; background: #0c1312; color: #9fb4ae; padding: 8px 16px }
  </style><section class="w one"><h3>terminal — staging</h3><pre>${lines.map(escape).join('\n')}</pre></section>${extra}<footer>Applications</footer>`;
}

/**
 * Makes the sample in `folder` unless it is there.
 * Returns the folder of the HLS files, the length in ms, and one screen as raw R,G,B,0 with its size.
 */
export async function sample(folder) {
  const hls = join(folder, 'hls');
  const raw = join(folder, 'screen.raw');
  if (!existsSync(join(hls, 'index.m3u8'))) {
    mkdirSync(join(hls, 'video'), { recursive: true });
    const all = scenes();
    await photograph(all, folder);
    encode(all, folder, hls);
    const last = join(folder, `${all.length - 2}.png`);
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', last, '-f', 'rawvideo', '-pix_fmt', 'rgb0', raw]);
  }
  const small = join(hls, 'thumbnail.jpg');
  if (!existsSync(small)) {
    const shown = join(folder, `${scenes().length - 3}.png`);
    execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', shown, '-vf', 'scale=320:-2', '-q:v', '6', small]);
  }
  return {
    hls,
    lengthMs: LENGTH * 1000,
    screen: { width: WIDTH, height: HEIGHT, pixels: readFileSync(raw) },
  };
}

async function photograph(all, folder) {
  const browser = await launch();
  const tab = await browser.newPage({ viewport: { width: WIDTH, height: HEIGHT } });
  for (const [n, scene] of all.entries()) {
    await tab.setContent(page(scene));
    await tab.screenshot({ path: join(folder, `${n}.png`) });
  }
  await browser.close();
}

function encode(all, folder, hls) {
  const starts = all.map(([second]) => second);
  const list = starts.map(
    (second, n) => `file '${n}.png'\nduration ${((starts[n + 1] ?? LENGTH) - second).toFixed(3)}`,
  );
  // The last frame is named again, or its duration is lost.
  writeFileSync(
    join(folder, 'list.txt'),
    `ffconcat version 1.0\n${list.join('\n')}\nfile '${all.length - 1}.png'\n`,
  );
  // A key frame where a scene begins at least 8 s after the last one.
  const keys = starts.reduce(
    (found, second) => (second - found.at(-1) >= 8 ? [...found, second] : found),
    [0],
  );
  const whole = join(folder, 'whole.mp4');
  const from = ['-v', 'error', '-y', '-f', 'concat', '-safe', '0', '-i', join(folder, 'list.txt')];
  const frames = [
    '-vf',
    'settb=1/1000',
    '-fps_mode',
    'passthrough',
    '-enc_time_base',
    '1/1000',
    '-video_track_timescale',
    '1000',
  ];
  const codec = [
    '-pix_fmt',
    'yuv420p',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-tune',
    'stillimage,zerolatency',
    '-crf',
    '20',
  ];
  const cut = [
    '-g',
    '9999',
    '-force_key_frames',
    keys.map((second) => second.toFixed(3)).join(','),
    '-movflags',
  ];
  execFileSync('ffmpeg', [
    ...from,
    ...frames,
    ...codec,
    ...cut,
    'frag_keyframe+empty_moov+default_base_moof',
    whole,
  ]);
  split(readFileSync(whole), keys, hls);
}

/** Cuts a fragmented MP4 at its moof boxes into the files of a bundle, and names them in a playlist. */
function split(whole, keys, hls) {
  const parts = [];
  let init = Buffer.alloc(0);
  for (let at = 0; at + 8 <= whole.length; at += whole.readUInt32BE(at)) {
    const kind = whole.toString('latin1', at + 4, at + 8);
    const box = whole.subarray(at, at + whole.readUInt32BE(at));
    if (kind === 'ftyp' || kind === 'moov') init = Buffer.concat([init, box]);
    else if (kind === 'moof') parts.push(box);
    else if (kind === 'mdat') parts.push(Buffer.concat([parts.pop(), box]));
  }
  const name = (n) => `video/${String(n + 1).padStart(5, '0')}.m4s`;
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:20', '#EXT-X-PLAYLIST-TYPE:EVENT'];
  lines.push('#EXT-X-MAP:URI="video/init-0001.mp4"');
  for (const [n, part] of parts.entries()) {
    writeFileSync(join(hls, name(n)), part);
    lines.push(`#EXTINF:${((keys[n + 1] ?? LENGTH) - keys[n]).toFixed(3)},`, name(n));
  }
  writeFileSync(join(hls, 'video', 'init-0001.mp4'), init);
  writeFileSync(join(hls, 'index.m3u8'), `${lines.join('\n')}\n#EXT-X-ENDLIST\n`);
}
