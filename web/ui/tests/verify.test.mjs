/** The page's verifier against the golden bundles: what it says of them, and what it says that it looked at. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { place as folderOf } from '../scripts/verify/folder.mjs';
import { Keyring } from '../src/sealed/keyring';
import { NoBundle } from '../src/verify/files';
import { trustOf } from '../src/verify/keys';
import { verify } from '../src/verify/verify';
import { bury, canonical, derive, flattened, golden, keyOf, replace } from './forge.mjs';

const read = (name) => readFileSync(join(golden, name), 'utf8');
const place = (name) => folderOf(join(golden, name), NoBundle);
const pem = await trustOf(read('evidence.pub'));
const list = await trustOf(read('keys.json'));
const all = await trustOf(read('keys.json') + read('authority.pem'));

describe('golden bundles', () => {
  it.each([
    ['closed', 'sound', 'closed', 'clear'],
    ['bundle', 'gap_declared', 'closed', 'clear'],
    ['interrupted', 'sound', 'interrupted', 'clear'],
    ['stamped', 'sound', 'closed', 'clear'],
    ['rotated', 'sound', 'interrupted', 'clear'],
    ['growing', 'unsealed', null, 'clear'],
    ['expired', 'expired', 'closed', 'clear'],
    ['encrypted', 'sound', 'closed', 'encrypted'],
  ])('%s is %s', async (name, verdict, state, contents) => {
    const report = await verify(place(name), all);
    expect([report.verdict, report.state, report.contents]).toEqual([verdict, state, contents]);
    expect(report.faults.filter(({ kind }) => kind !== 'unsealed')).toEqual([]);
    expect(report.signatures).toBe(report.links + (state ? 1 : 0) + (name === 'expired' ? 1 : 0));
    expect(report.links).toBe(report.ofLinks);
    expect(report.stamp).toEqual(
      name === 'stamped' ? { proved: expect.stringMatching(/^20\d\d-.*Z$/) } : null,
    );
  });

  it('are counted by their parts', async () => {
    const { parts, files, bytes, played } = await verify(place('closed'), pem);
    const counts = Object.entries(parts).map(([part, { files, faults }]) => [part, files, faults]);
    expect(counts).toEqual([
      ['manifest', 1, 0],
      ['seal', 1, 0],
      ['chain', 3, 0],
      ['video', 5, 0],
      ['events', 3, 0],
      ['listing', 2, 0],
    ]);
    const sum = (of) => Object.values(parts).reduce((one, part) => one + part[of], 0);
    expect([files, bytes]).toEqual([sum('files'), sum('bytes')]);
    expect(played.map(([path]) => path).sort()).toEqual([
      'index.m3u8',
      'video/00001.m4s',
      'video/00002.m4s',
      'video/00003.m4s',
      'video/init-0001.mp4',
      'video/init-0002.mp4',
    ]);
  });

  it('that are encrypted are opened by an identity of theirs, and by no other', async () => {
    const { keyring } = await Keyring.of(read('identity.txt'), null);
    const open = (bytes, path) => keyring.open(bytes, path);
    const own = { recipients: keyring.recipients, open };
    const opened = await verify(place('encrypted'), list, undefined, own);
    expect([opened.verdict, opened.contents]).toEqual(['sound', 'decrypted']);
    expect(opened.events).toBeGreaterThan(0);
    const strange = await verify(place('encrypted'), list, undefined, { recipients: ['age1x'], open });
    expect([strange.verdict, strange.contents, strange.events]).toEqual(['sound', 'encrypted', 0]);
  });

  it('say of a time stamp that nobody vouches for that it was not checked', async () => {
    expect((await verify(place('stamped'), list)).stamp).toEqual({ proved: null });
  });

  it('tell how far it is', async () => {
    const seen = [];
    const { bytes, files } = await verify(place('closed'), pem, (progress) => seen.push(progress));
    expect(seen.at(-1)).toEqual({ bytes, of: bytes, files, ofFiles: files });
    expect(seen.every(({ bytes }, n) => n === 0 || bytes >= seen[n - 1].bytes)).toBe(true);
  });

  it('are not believed without their key', async () => {
    const nobody = { keys: new Map(), validity: new Map(), authorities: [] };
    const report = await verify(place('closed'), nobody);
    expect([report.verdict, report.signatures, report.played]).toEqual(['unknown_key', 0, []]);
  });

  it('say when the place fails, or there is none', async () => {
    const { list, read } = place('closed');
    const failing = {
      list,
      async *read(path) {
        if (path.endsWith('.m4s')) throw new Error('gone');
        yield* read(path);
      },
    };
    expect((await verify(failing, pem)).verdict).toBe('unreadable');
    const none = await verify(place('nothing'), pem);
    expect([none.verdict, none.faults]).toEqual([
      'not_a_file',
      [{ path: '.', kind: 'not_a_file', at: null }],
    ]);
  });

  it('are the same in whatever pieces they come', async () => {
    const { list, read } = place('bundle');
    const crumbs = {
      list,
      async *read(path) {
        for await (const piece of read(path)) for (const byte of piece) yield Uint8Array.of(byte);
      },
    };
    const [whole, small] = [await verify(place('bundle'), pem), await verify(crumbs, pem)];
    expect(small).toEqual(whole);
  });

  it('have no more entries than are looked at', async () => {
    const crowded = {
      list: async () => new Map(Array.from({ length: 311_005 }, (_, n) => [`events/${n}`, 1])),
      read: place('closed').read,
    };
    const { verdict, faults } = await verify(crowded, pem);
    expect([verdict, faults]).toEqual(['extra', [{ path: '.', kind: 'extra', at: null }]]);
  });

  it('with more faults than are listed say how many', async () => {
    const { list, read } = place('closed');
    const more = Array.from({ length: 1_500 }, (_, n) => [`notes-${n}`, 1]);
    const report = await verify({ list: async () => new Map([...(await list()), ...more]), read }, pem);
    expect([report.verdict, report.faults.length, report.more]).toEqual(['extra', 1000, 500]);
  });

  it('tell which stretch of the recording a fault is about', async () => {
    const { list, read } = place('bundle');
    const without = async (...gone) => {
      const left = [...(await list())].filter(([path]) => !gone.includes(path));
      const { faults } = await verify({ list: async () => new Map(left), read }, pem);
      return faults.map(({ path, at }) => [path, at && [at.from_us, at.to_us]]);
    };
    const sound = await verify(place('bundle'), pem);
    const end = sound.duration_us;
    const [[, middle]] = await without('video/00002.m4s');
    expect(middle[0]).toBeGreaterThan(0);
    expect(middle[1]).toBeGreaterThan(middle[0]);
    expect(middle[1]).toBeLessThanOrEqual(end);
    // Without its link it is what lies between the links beside it, which is the same.
    expect(await without('chain/00002.jws')).toEqual([['chain/00002.jws', middle]]);
    expect(await without('seal.json')).toEqual([['seal.json', null]]);
    expect(await without('video/init-0001.mp4')).toEqual([['video/init-0001.mp4', [0, middle[0]]]]);
  });
});

describe('replaced video', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-replaced-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const second = keyOf(3);
  let count = 0;

  /** What is found of a closed bundle whose video was replaced, after a deed. */
  async function found(act, change) {
    count += 1;
    const bundle = join(folder, String(count));
    cpSync(join(golden, 'closed'), bundle, { recursive: true });
    replace(bundle, second, change);
    act(bundle);
    return verify(folderOf(bundle, NoBundle), list);
  }
  const gone = (bundle) => rmSync(join(bundle, 'video'), { recursive: true });

  it('may be gone, all of it or some, and nothing else', async () => {
    const whole = await found(gone);
    expect([whole.verdict, whole.replaced?.at]).toEqual(['replaced', '2026-03-03T00:00:00.000000Z']);
    expect((await found((bundle) => rmSync(join(bundle, 'video/00002.m4s')))).verdict).toBe('replaced');
    expect((await found((bundle) => rmSync(join(bundle, 'events/00002.jsonl')))).verdict).toBe('missing');
    const edited = await found((bundle) => writeFileSync(join(bundle, 'video/00002.m4s'), 'other'));
    expect(edited.faults).toMatchObject([{ path: 'video/00002.m4s', kind: 'edited' }]);
  });

  it('is not where what says so is not in order', async () => {
    const none = () => {};
    expect((await found(none, (said) => (said.at = '2026-01-31T10:00:00.000000Z'))).verdict).toBe('not_due');
    expect((await found(none, (said) => (said.session = 'other'))).verdict).toBe('reordered');
    expect((await found(none, (said) => (said.derivation = 'x'))).verdict).toBe('malformed');
    expect((await found((bundle) => replace(bundle, keyOf(9)))).verdict).toBe('unknown_key');
    expect((await found((bundle) => derive(bundle, second))).faults).toMatchObject([
      { path: 'replaced.json', kind: 'extended' },
    ]);
    expect((await found((bundle) => bury(bundle, second))).verdict).toBe('expired');
  });
});

describe('keys', () => {
  const root = keyOf(7);
  const known = JSON.parse(read('keys.json'));

  it.each([
    ['', 'none'],
    ['x', 'none'],
    ['{}', 'none'],
    ['-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', 'none'],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', 'certificate'],
    [' '.repeat(2e6), 'long'],
    [flattened('keys', known, root), 'signed'],
    [flattened('keys', known, root) + keyOf(8).pem, 'unsigned'],
    [flattened('seal', known, root) + root.pem, 'unsigned'],
  ])('%# that are none are none', async (text, why) => expect(await trustOf(text)).toBe(why));

  it('of small order are none', async () => {
    const head = Buffer.from('302a300506032b6570032100', 'hex');
    const der = Buffer.concat([head, Buffer.alloc(31), Buffer.from([0x80])]);
    const text = `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`;
    expect(await trustOf(text)).toBe('none');
  });

  it('of a list of which one is wrong are not believed, none of them', async () => {
    for (const change of [
      (keys) => (keys[0].kid = '0'.repeat(16)),
      (keys) => (keys[0].until = '2026-02-30T00:00:00.000000Z'),
      (keys) => (keys[0].x = keys[0].x.slice(1)),
      (keys) => keys.push(keys[0]),
    ]) {
      const copy = structuredClone(known);
      change(copy.keys);
      expect(await trustOf(`${canonical(copy)}\n`)).toBe('none');
    }
  });

  it('in PEM stand beside a list, but for a root, which signs no bundle', async () => {
    const kids = (trust) => [...trust.keys.keys()].sort();
    const two = known.keys.map(({ kid }) => kid).sort();
    expect(kids(await trustOf(read('keys.json') + root.pem))).toEqual([...two, root.kid].sort());
    expect(kids(await trustOf(root.pem + flattened('keys', known, root)))).toEqual(two);
  });
});
