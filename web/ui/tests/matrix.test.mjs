/** The page's verifier and the one in Python over a matrix of tampering, as programs: each has to say the same of each bundle. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { bury, canonical, derive, flattened, golden, keyOf, root, tampered } from './forge.mjs';

/** Two programs over hundreds of bundles, on a slow machine. */
const PATIENCE = 180_000;
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'portcullis-matrix-'));
afterAll(() => rmSync(folder, { recursive: true }), PATIENCE);

const second = keyOf(3);
const list = join(golden, 'keys.json');
const given = [
  '--keys',
  list,
  '--tsa',
  join(golden, 'authority.pem'),
  '--identity',
  join(golden, 'identity.txt'),
];

/** A copy of a golden bundle, after a deed. */
function made(name, from, act) {
  const bundle = join(folder, `${name}-made`);
  cpSync(join(golden, from), bundle, { recursive: true });
  act(bundle);
  return bundle;
}

const bundles = {
  ...Object.fromEntries(
    ['bundle', 'growing', 'rotated', 'stamped', 'expired', 'encrypted'].map((name) => [
      name,
      join(golden, name),
    ]),
  ),
  derived: made('derived', 'stamped', (bundle) => derive(bundle, second)),
  expiring: made('expiring', 'closed', (bundle) => {
    bury(bundle, second);
    rmSync(join(bundle, 'video/00002.m4s'));
    rmSync(join(bundle, 'events'), { recursive: true });
  }),
};

/** What a verifier says of bundles: a verdict and faults for each. */
async function said(program, script, words) {
  // The exit code of the one in Python is the last verdict's; its lines are there all the same.
  const { stdout } = await run(program, [join(root, script), ...words], { maxBuffer: 1 << 26 }).catch(
    (failed) => (failed.stdout ? failed : Promise.reject(failed)),
  );
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line)).map(({ verdict, faults }) => ({ verdict, faults }));
}

/** Both over some bundles, which have to agree; gives what they say. */
async function agreed(cases, words = given) {
  const paths = [...words, ...cases.map(([, bundle]) => bundle)];
  const [ours, theirs] = await Promise.all([
    said('node', 'web/ui/scripts/verify.mjs', paths),
    said('python3', 'tests/verifier/verify.py', paths),
  ]);
  const named = (all) => Object.fromEntries(cases.map(([what], n) => [what, all[n]]));
  expect(ours).toHaveLength(cases.length);
  expect(named(ours)).toEqual(named(theirs));
  return ours;
}

describe('tampering', () => {
  it.each(Object.entries(bundles))(
    'of %s is told as the other verifier tells it',
    async (name, bundle) => {
      const cases = [...tampered(name, bundle, folder)];
      const found = await agreed(cases);
      const wrong = found.filter(({ faults }) => faults.some(({ kind }) => kind !== 'unsealed'));
      expect(wrong.length).toBeGreaterThan(cases.length / 2);
    },
    PATIENCE,
  );

  it(
    'with tombstones and derivations that are not what they should be',
    async () => {
      const stranger = keyOf(9);
      const stories = [
        ['of a stranger', 'unknown_key', (bundle) => bury(bundle, stranger)],
        [
          'too early',
          'not_due',
          (bundle) => bury(bundle, second, (told) => (told.due = '2026-01-31T10:00:00.000000Z')),
        ],
        [
          'before it was due',
          'not_due',
          (bundle) => bury(bundle, second, (told) => (told.at = '2026-03-01T00:00:00.000000Z')),
        ],
        [
          'of another session',
          'reordered',
          (bundle) => bury(bundle, second, (told) => (told.session = 'other')),
        ],
        [
          'of another seal',
          'reordered',
          (bundle) => bury(bundle, second, (told) => (told.seal = '0'.repeat(64))),
        ],
        [
          'with a day that is none',
          'malformed',
          (bundle) => bury(bundle, second, (told) => (told.at = '2026-02-30T00:00:00.000000Z')),
        ],
        [
          'with a long reason',
          'malformed',
          (bundle) => bury(bundle, second, (told) => (told.reason = 'ä'.repeat(513))),
        ],
        ['in order', 'expired', (bundle) => bury(bundle, second)],
        ['derived by a stranger', 'unknown_key', (bundle) => derive(bundle, stranger)],
        ['derived', 'derived', (bundle) => derive(bundle, second)],
        ['derived, and expired', 'expired', (bundle) => (derive(bundle, second), bury(bundle, second))],
        [
          'derived of another',
          'reordered',
          (bundle) => derive(bundle, second, (told) => (told.of = '0'.repeat(64))),
        ],
        [
          'derived of another session',
          'edited',
          (bundle) => derive(bundle, second, (told) => (told.session = 'other')),
        ],
        [
          'derived without a file',
          'malformed',
          (bundle) => derive(bundle, second, (told) => told.files.pop()),
        ],
        [
          'derived with one more',
          'malformed',
          (bundle) =>
            derive(bundle, second, (told) =>
              told.files.push({ ...told.files.at(-1), path: 'video/00009.m4s' }),
            ),
        ],
        [
          'derived out of order',
          'edited',
          (bundle) => derive(bundle, second, (told) => told.files.reverse()),
        ],
        [
          'derived with a long text',
          'edited',
          (bundle) => derive(bundle, second, (told) => (told.tool = 'x'.repeat(257))),
        ],
      ];
      const cases = stories.map(([what, , act], n) => [what, made(`story-${n}`, 'closed', act)]);
      const found = await agreed(cases);
      expect(found.map(({ verdict }, n) => [stories[n][0], verdict])).toEqual(
        stories.map(([what, verdict]) => [what, verdict]),
      );
    },
    PATIENCE,
  );
});

describe('keys', () => {
  let written = 0;
  const known = JSON.parse(readFileSync(list, 'utf8'));
  const write = (name, text) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const changed = (change) => {
    const copy = structuredClone(known);
    copy.keys.forEach(change);
    written += 1;
    return write(`keys-${written}.json`, `${canonical(copy)}\n`);
  };
  const all = ['closed', 'rotated', 'stamped', 'bundle', 'growing', 'expired'].map((name) => [
    name,
    join(golden, name),
  ]);
  const tsa = ['--tsa', join(golden, 'authority.pem')];
  const verdicts = async (words) => (await agreed(all, words)).map(({ verdict }) => verdict);

  it(
    'that are revoked prove what was time-stamped before',
    async () => {
      const late = changed((key) => (key.revoked = '2099-01-01T00:00:00.000000Z'));
      expect(await verdicts(['--keys', late, ...tsa])).toEqual([
        'revoked_key',
        'revoked_key',
        'sound',
        'revoked_key',
        'revoked_key',
        'revoked_key',
      ]);
      expect(await verdicts(['--keys', late])).toEqual(Array(6).fill('revoked_key'));
      const early = changed((key) => (key.revoked = '2020-01-01T00:00:00.000000Z'));
      expect(await verdicts(['--keys', early, ...tsa])).toEqual(Array(6).fill('revoked_key'));
    },
    PATIENCE,
  );

  it(
    'count for their time',
    async () => {
      const over = changed((key) => (key.until = '2025-01-01T00:00:00.000000Z'));
      expect(await verdicts(['--keys', over])).toEqual(Array(6).fill('key_not_valid'));
      const young = changed((key) => (key.from = '2027-01-01T00:00:00.000000Z'));
      expect(await verdicts(['--keys', young])).toEqual(Array(6).fill('key_not_valid'));
    },
    PATIENCE,
  );

  it(
    'of a list that a root signed are believed for its sake',
    async () => {
      const signer = keyOf(7);
      const signed = write('signed.json', flattened('keys', known, signer));
      const pem = write('root.pem', signer.pem);
      const plain = await verdicts(['--keys', list]);
      expect(await verdicts(['--keys', signed, '--root', pem])).toEqual(plain);
    },
    PATIENCE,
  );

  it(
    'of authorities that are strangers vouch for nothing',
    async () => {
      const { stdout } = await run('openssl', [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '3650',
        '-subj',
        '/CN=authority',
        '-keyout',
        '/dev/null',
      ]);
      const other = write('other.pem', stdout);
      const found = await verdicts(['--keys', list, '--tsa', other]);
      expect(found[2]).toBe('bad_time_stamp');
    },
    PATIENCE,
  );
});
