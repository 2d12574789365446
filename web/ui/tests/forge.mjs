/** Bundles that are put wrong, and parts of bundles that are signed here: with the second key of the golden list, whose seed anybody may know. */
import {
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { canonical, flattened, jws, keyOf, sha256 } from '../scripts/verify/sign.mjs';

export const root = join(import.meta.dirname, '../../..');
export const golden = join(root, 'recorder/evidence/tests/golden/v1');

export { canonical, flattened, jws, keyOf, sha256 };

/** All files below a folder, sorted. */
export function filesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
    .sort();
}

/** Makes of the bundle in a folder a derived one; `change` may change the derivation. */
export function derive(bundle, key, change = () => {}) {
  const made = [];
  const video = filesOf(bundle).filter((path) => path.startsWith('video/'));
  for (const path of video.sort((a, b) => b.includes('init') - a.includes('init') || (a < b ? -1 : 1))) {
    const bytes = Buffer.from(`made of ${path}`);
    writeFileSync(join(bundle, path), bytes);
    made.push({ path, bytes: bytes.length, sha256: sha256(bytes) });
  }
  const seal = readFileSync(join(bundle, 'seal.json'));
  const derivation = {
    v: 1,
    session: sessionOf(bundle),
    of: sha256(seal),
    made: '2026-03-01T00:00:00.000000Z',
    codec: 'vp9',
    tool: 'a test',
    settings: 'crf=35',
    pictures: 3,
    duration_us: 1,
    files: made,
  };
  change(derivation);
  writeFileSync(join(bundle, 'derivation.json'), flattened('derivation', derivation, key));
}

/** Puts a tombstone on the bundle in a folder; `change` may change it. */
export function bury(bundle, key, change = () => {}) {
  const tombstone = {
    v: 1,
    session: sessionOf(bundle),
    seal: sha256(readFileSync(join(bundle, 'seal.json'))),
    due: '2026-03-02T10:01:00.000000Z',
    at: '2026-03-03T00:00:00.000000Z',
    by: 'portcullis',
    reason: 'kept for 30 days',
  };
  change(tombstone);
  writeFileSync(join(bundle, 'expired.json'), flattened('tombstone', tombstone, key));
}

/** Says of the bundle in a folder that its video was replaced; `change` may change what is said. */
export function replace(bundle, key, change = () => {}) {
  const replacement = {
    v: 1,
    session: sessionOf(bundle),
    seal: sha256(readFileSync(join(bundle, 'seal.json'))),
    derivation: sha256('a derivation'),
    at: '2026-03-03T00:00:00.000000Z',
    by: 'portcullis',
    reason: 'encoded anew',
  };
  change(replacement);
  writeFileSync(join(bundle, 'replaced.json'), flattened('replacement', replacement, key));
}

const sessionOf = (bundle) => JSON.parse(readFileSync(join(bundle, 'session.json'), 'utf8')).id;

/** Copies of a bundle below `folder`, each with one thing put wrong: what it is, and where. */
export function* tampered(name, source, folder) {
  const paths = filesOf(source);
  let count = 0;
  const copy = (what, act) => {
    count += 1;
    const bundle = join(folder, name, String(count));
    cpSync(source, bundle, { recursive: true });
    act(bundle);
    return [`${name}: ${what}`, bundle];
  };
  yield copy('nothing', () => {});
  for (const path of paths) {
    const bytes = readFileSync(join(source, path));
    const write = (bundle, changed) => writeFileSync(join(bundle, path), changed);
    for (const at of new Set([bytes.length >> 1, bytes.length - 1])) {
      const changed = Buffer.from(bytes);
      changed[at] ^= 1;
      yield copy(`${path} flipped at ${at}`, (bundle) => write(bundle, changed));
    }
    yield copy(`${path} removed`, (bundle) => rmSync(join(bundle, path)));
    yield copy(`${path} longer`, (bundle) => write(bundle, Buffer.concat([bytes, Buffer.from('\n')])));
    yield copy(`${path} empty`, (bundle) => write(bundle, Buffer.alloc(0)));
    yield copy(`${path} spaced`, (bundle) =>
      write(bundle, Buffer.from(bytes.toString('latin1').replace(',', ', '), 'latin1')),
    );
    yield copy(`${path} a link`, (bundle) => {
      renameSync(join(bundle, path), join(folder, `${name}-${count}`));
      symlinkSync(join(folder, `${name}-${count}`), join(bundle, path));
    });
  }
  const numbered = paths.filter((path) => /\d{5}\./.test(path));
  for (const path of numbered) {
    const next = path.replace(/(\d{5})\./, (_, n) => `${String(Number(n) + 1).padStart(5, '0')}.`);
    yield copy(`${path} as ${next}`, (bundle) => cpSync(join(source, path), join(bundle, next)));
  }
  yield copy('last segment taken away', (bundle) => {
    const last = paths.filter((path) => path.startsWith('chain/')).at(-1);
    for (const path of numbered.filter((one) => one.includes(last.slice(6, 11)))) rmSync(join(bundle, path));
  });
  yield copy('seal and listing taken away', (bundle) => {
    for (const path of ['seal.json', 'SHA256SUMS']) rmSync(join(bundle, path), { force: true });
  });
  yield copy('another file', (bundle) => writeFileSync(join(bundle, 'notes'), ''));
  yield copy('a folder', (bundle) => mkdirSync(join(bundle, 'more')));
  yield copy('a file for a folder', (bundle) => {
    rmSync(join(bundle, 'chain'), { recursive: true });
    writeFileSync(join(bundle, 'chain'), '');
  });
  for (const path of ['seal.json', 'session.json'])
    yield copy(`${path} of another bundle`, (bundle) => {
      const other = name === 'closed' ? 'bundle' : 'closed';
      cpSync(join(golden, other, path), join(bundle, path));
    });
}
