/** The page's verifier against the golden bundles, and against the verifier in Python over a matrix of tampering. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { trustOf } from '../src/verify/keys';
import { verify } from '../src/verify/verify';

const root = join(import.meta.dirname, '../../..');
const golden = join(root, 'recorder/evidence/tests/golden/v1');
const folder = mkdtempSync(join(tmpdir(), 'portcullis-verify-'));
afterAll(() => rmSync(folder, { recursive: true }), 120_000);

const pem = await trustOf(readFileSync(join(golden, 'evidence.pub'), 'utf8'));
const list = await trustOf(readFileSync(join(golden, 'keys.json'), 'utf8'));

/** A bundle in a folder, as a page comes by it from a gate. */
function place(bundle) {
  return {
    async list() {
      const found = new Map();
      for (const entry of readdirSync(bundle, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath ?? entry.path, entry.name).slice(bundle.length + 1);
        if (entry.isDirectory()) {
          if (!['chain', 'events', 'video'].includes(path)) found.set(path, false);
        } else found.set(path, entry.isFile() ? readFileSync(join(bundle, path)).length : false);
      }
      return found;
    },
    read: async (path) => new Uint8Array(readFileSync(join(bundle, path))),
  };
}

const inOrder = (faults) =>
  [...new Set(faults.map(({ path, kind }) => `${path} ${kind}`))].sort((one, other) =>
    one < other ? -1 : 1,
  );

describe('golden bundles', () => {
  it.each([
    ['closed', 'sound', 'closed'],
    ['bundle', 'gap_declared', 'closed'],
    ['interrupted', 'sound', 'interrupted'],
    ['stamped', 'sound', 'closed'],
    ['rotated', 'sound', 'interrupted'],
    ['growing', 'unsealed', null],
  ])('%s is %s', async (name, verdict, state) => {
    const report = await verify(place(join(golden, name)), list);
    expect([report.verdict, report.state, report.read]).toEqual([verdict, state, true]);
    expect(report.faults.filter(({ kind }) => kind !== 'unsealed')).toEqual([]);
    expect(report.signatures).toBe(report.links + (state ? 1 : 0));
    expect(report.stamped).toBe(name === 'stamped');
  });

  it('tell how far it is', async () => {
    const seen = [];
    const { bytes } = await verify(place(join(golden, 'closed')), pem, (progress) => seen.push(progress));
    expect(seen.at(-1)).toEqual({ bytes, of: expect.any(Number) });
    expect(seen.every(({ bytes }, n) => n === 0 || bytes >= seen[n - 1].bytes)).toBe(true);
  });

  it('are not believed without their key', async () => {
    const report = await verify(place(join(golden, 'closed')), { keys: new Map(), validity: new Map() });
    expect(report.verdict).toBe('unknown_key');
    expect(report.signatures).toBe(0);
  });

  it('say when the place fails', async () => {
    const { list, read } = place(join(golden, 'closed'));
    const failing = {
      list,
      read: (path) => (path.endsWith('.m4s') ? Promise.reject(new Error('gone')) : read(path)),
    };
    expect((await verify(failing, pem)).verdict).toBe('unreadable');
  });
});

describe('keys', () => {
  it('that are none are none', async () => {
    for (const text of [
      '',
      'x',
      '{}',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
      ' '.repeat(2e6),
    ])
      expect(await trustOf(text)).toBeNull();
  });

  it('of small order are none', async () => {
    const der = Buffer.concat([
      Buffer.from('302a300506032b6570032100', 'hex'),
      Buffer.alloc(31),
      Buffer.from([0x80]),
    ]);
    const text = `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`;
    expect(await trustOf(text)).toBeNull();
  });

  it('of a list count for their time', async () => {
    const revoked = structuredClone(list);
    for (const validity of revoked.validity.values()) validity.revoked = '2026-03-01T00:00:00.000000Z';
    expect((await verify(place(join(golden, 'closed')), revoked)).verdict).toBe('revoked_key');
    const over = structuredClone(list);
    for (const validity of over.validity.values()) validity.until = '2025-01-01T00:00:00.000000Z';
    expect((await verify(place(join(golden, 'closed')), over)).verdict).toBe('key_not_valid');
    const young = structuredClone(list);
    for (const validity of young.validity.values()) validity.from = '2027-01-01T00:00:00.000000Z';
    expect((await verify(place(join(golden, 'closed')), young)).verdict).toBe('key_not_valid');
  });
});

/** Copies of a golden bundle, each with one thing put wrong: names and folders. */
function* tampered(name) {
  const source = join(golden, name);
  const paths = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(source.length + 1))
    .sort();
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
    const last = paths
      .filter((path) => path.startsWith('chain/'))
      .at(-1)
      .slice(6, 11);
    for (const path of numbered.filter((one) => one.includes(last))) rmSync(join(bundle, path));
  });
  yield copy('seal and listing taken away', (bundle) => {
    for (const path of ['seal.json', 'SHA256SUMS']) rmSync(join(bundle, path), { force: true });
  });
  yield copy('another file', (bundle) => writeFileSync(join(bundle, 'events/00001.json'), ''));
  yield copy('a folder', (bundle) => mkdirSync(join(bundle, 'video/more')));
  yield copy('the seal of another bundle', (bundle) => {
    const other = name === 'closed' ? 'bundle' : 'closed';
    cpSync(join(golden, other, 'seal.json'), join(bundle, 'seal.json'));
  });
  yield copy('the manifest of another bundle', (bundle) => {
    const other = name === 'closed' ? 'bundle' : 'closed';
    cpSync(join(golden, other, 'session.json'), join(bundle, 'session.json'));
  });
}

describe('tampering', () => {
  it.each(['bundle', 'growing', 'rotated'])(
    'of %s is told as the other verifier tells it',
    async (name) => {
      const cases = [...tampered(name)];
      const words = ['--keys', join(golden, 'keys.json'), ...cases.map(([, bundle]) => bundle)];
      const said = python(words);
      expect(said).toHaveLength(cases.length);
      let wrong = 0;
      for (const [n, [what, bundle]] of cases.entries()) {
        const report = await verify(place(bundle), list);
        const ours = { verdict: report.verdict, faults: inOrder(report.faults) };
        expect(ours, what).toEqual({ verdict: said[n].verdict, faults: inOrder(said[n].faults) });
        if (report.faults.some(({ kind }) => kind !== 'unsealed')) wrong += 1;
      }
      expect(wrong).toBeGreaterThan(cases.length / 2);
    },
    120_000,
  );
});

function python(words) {
  const verifier = join(root, 'tests/verifier/verify.py');
  const run = () => execFileSync('python3', [verifier, ...words], { encoding: 'utf8', maxBuffer: 1 << 26 });
  let out;
  try {
    out = run();
  } catch (failed) {
    // The exit code is the last verdict's; lines are there all the same.
    out = failed.stdout;
    if (!out) throw failed;
  }
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}
