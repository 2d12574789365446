/** The bundle of the pretended gate that can be verified: the sample's video, signed here, and put wrong where the world says so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonical, flattened, jws, keyOf, sha256 } from '../verify/sign.mjs';
import { me, playable } from './fixtures.mjs';
import { json } from './gate.mjs';

export const golden = join(import.meta.dirname, '../../../../recorder/evidence/tests/golden/v1');
/** The key that the bundle is signed with, and another gate's. */
export const key = keyOf(21);
export const other = keyOf(22);

/** The recording that it is the bundle of. */
const proved = playable.interrupted;
const STARTED = '2026-11-20T09:12:31.000000Z';
const bundles = new WeakMap();

/** A list of keys as a gate keeps it. */
export const listOf = (...keys) => ({
  issued: STARTED,
  keys: keys.map(({ kid, raw }) => ({
    crv: 'Ed25519',
    from: '2026-01-01T00:00:00.000000Z',
    kid,
    kty: 'OKP',
    reason: '',
    revoked: '',
    until: '',
    x: raw.toString('base64url'),
  })),
  v: 1,
});

/** Answers calls for the keys and for the files of the proved recording; false for any other. */
export function proof(world, response, pathname, sample) {
  if (pathname === '/api/trust') {
    json(response, { key_list: null, keys: listOf(...world.keys) });
    return true;
  }
  const path = pathname.split(`/api/recordings/${proved}/`)[1];
  if (!path || path === 'events') return false;
  const files = bundles.get(sample) ?? bundles.set(sample, made(sample)).get(sample);
  if (path === 'bundle') {
    const listed = [...files].filter(([one]) => one !== world.gone);
    json(response, { files: listed.map(([one, { length }]) => ({ path: one, bytes: length })), extra: [] });
    return true;
  }
  const inBundle = path.replace(/^bundle\//, '');
  const lies = files.get(inBundle);
  if (!lies || inBundle === world.gone) return false;
  // What is played may be other bytes than what is handed out to be proved.
  const wrong = world.changed === inBundle || (world.lies === inBundle && path === inBundle);
  const bytes = Buffer.from(lies);
  if (wrong) bytes[bytes.length - 40] ^= 1;
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  response.end(bytes);
  return true;
}

/** Every file of a closed bundle around the sample's video. */
function made({ hls, lengthMs }) {
  const files = new Map();
  const put = (path, bytes) => files.set(path, Buffer.from(bytes));
  const listed = (path) => ({ bytes: files.get(path).length, path, sha256: sha256(files.get(path)) });
  const policy = { policy: 'ab12cd3', rule: 'contractors.yaml:4 allow control' };
  const manifest = {
    desktop: 'terminal',
    gate: '1.0.0',
    groups: ['users'],
    id: proved,
    issuer: '',
    key: key.kid,
    mode: 'strict',
    started: STARTED,
    subject: me.subject,
    v: 1,
    ...policy,
  };
  put('session.json', `${canonical(manifest)}\n`);
  const sums = [listed('session.json')];
  let prev = sums[0].sha256;
  const playlist = readFileSync(join(hls, 'index.m3u8'), 'utf8');
  const lengths = [...playlist.matchAll(/#EXTINF:([\d.]+)/g)].map(([, seconds]) => Math.round(seconds * 1e6));
  let at = 0;
  lengths.forEach((length, n) => {
    const name = String(n + 1).padStart(5, '0');
    const event = {
      at_us: at,
      seq: n + 1,
      session: proved,
      subject: me.subject,
      time: STARTED,
      type: 'bell',
      v: 1,
      ...policy,
    };
    put(`events/${name}.jsonl`, `${canonical(event)}\n`);
    const own = [`events/${name}.jsonl`, ...(n === 0 ? ['video/init-0001.mp4'] : []), `video/${name}.m4s`];
    for (const path of own.slice(1)) put(path, readFileSync(join(hls, path)));
    const link = {
      files: own.map(listed),
      from_us: at,
      n: n + 1,
      prev,
      session: proved,
      to_us: at + length,
      v: 1,
    };
    put(`chain/${name}.jws`, jws('link', link, key).join('.'));
    prev = sha256(files.get(`chain/${name}.jws`));
    sums.push(...link.files, listed(`chain/${name}.jws`));
    at += length;
  });
  put('index.m3u8', playlist);
  sums.push(listed('index.m3u8'));
  put('SHA256SUMS', sums.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join(''));
  const seal = {
    duration_us: Math.max(at, lengthMs * 1000),
    ended: '2026-11-20T09:13:31.000000Z',
    events: lengths.length,
    files: ['SHA256SUMS', 'index.m3u8', 'session.json'].map(listed),
    gaps: [],
    last: prev,
    links: lengths.length,
    reason: 'the gate was killed',
    revisions: 60,
    session: proved,
    state: 'interrupted',
    v: 1,
  };
  put('seal.json', flattened('seal', seal, key));
  return files;
}
