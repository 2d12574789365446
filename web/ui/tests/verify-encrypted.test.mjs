/** The page's verifier on an encrypted bundle that is made here: a golden one, its events and video encrypted, and signed anew. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { beforeAll, describe, expect, it } from 'vitest';
import { Keyring } from '../src/sealed/keyring';
import { trustOf } from '../src/verify/keys';
import { verify } from '../src/verify/verify';
import { canonical, jws as signed, keyOf, root, sha256 } from './forge.mjs';

const golden = join(root, 'recorder/evidence/tests/golden/v1/closed');

const read = (path) => readFileSync(join(golden, path));

const key = keyOf(4);
const { kid, pem } = key;
const jws = (typ, payload) => signed(typ, payload, key);

/** All files of an encrypted bundle, by path; `plainOf` may say of a file what its link is to claim of its plaintext. */
async function bundle(recipient, plainOf = (_, plain) => plain) {
  const files = new Map();
  const listed = (path, more = {}) => ({
    path,
    bytes: files.get(path).length,
    sha256: sha256(files.get(path)),
    ...more,
  });
  const manifest = { ...JSON.parse(read('session.json')), key: kid, recipients: [recipient] };
  files.set('session.json', Buffer.from(`${canonical(manifest)}\n`));
  const sums = [listed('session.json')];
  let prev = sums[0].sha256;
  const links = readdirSync(join(golden, 'chain')).sort();
  for (const name of links) {
    const link = JSON.parse(Buffer.from(read(`chain/${name}`).toString().split('.')[1], 'base64url'));
    const own = [];
    for (const { path } of link.files) {
      const encrypter = new Encrypter();
      encrypter.addRecipient(recipient);
      files.set(`${path}.age`, Buffer.from(await encrypter.encrypt(new Uint8Array(read(path)))));
      const plain = plainOf(path, { bytes: read(path).length, sha256: sha256(read(path)) });
      own.push(listed(`${path}.age`, { plain }));
    }
    files.set(`chain/${name}`, Buffer.from(jws('link', { ...link, files: own, prev }).join('.')));
    prev = sha256(files.get(`chain/${name}`));
    sums.push(...own, listed(`chain/${name}`));
  }
  files.set(
    'index.m3u8',
    Buffer.from(
      read('index.m3u8')
        .toString()
        .replace(/(\.m4s|\.mp4)/g, '$1.age'),
    ),
  );
  sums.push(listed('index.m3u8'));
  files.set('SHA256SUMS', Buffer.from(sums.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join('')));
  const seal = JSON.parse(Buffer.from(JSON.parse(read('seal.json')).payload, 'base64url'));
  const ends = ['SHA256SUMS', 'index.m3u8', 'session.json'].map((path) => listed(path));
  const [head, payload, signature] = jws('seal', { ...seal, last: prev, files: ends });
  files.set('seal.json', Buffer.from(`${canonical({ payload, protected: head, signature })}\n`));
  return files;
}

const place = (files) => ({
  list: async () => new Map([...files].map(([path, bytes]) => [path, bytes.length])),
  async *read(path) {
    yield new Uint8Array(files.get(path));
  },
});

describe('an encrypted bundle', () => {
  let [trust, files, recipient, open] = [];
  beforeAll(async () => {
    const identity = await generateX25519Identity();
    recipient = await identityToRecipient(identity);
    trust = await trustOf(pem);
    files = await bundle(recipient);
    const { keyring } = await Keyring.of(identity, [recipient]);
    open = { recipients: keyring.recipients, open: (bytes, path) => keyring.open(bytes, path) };
  });

  it('is sound to somebody who cannot read it', async () => {
    const report = await verify(place(files), trust);
    expect([report.faults, report.verdict, report.contents]).toEqual([[], 'sound', 'encrypted']);
  });

  it('is sound to an auditor, events and all', async () => {
    const report = await verify(place(files), trust, undefined, open);
    expect([report.faults, report.verdict, report.contents]).toEqual([[], 'sound', 'decrypted']);
    expect(report.events).toBeGreaterThan(0);
  });

  it('whose ciphertext was changed is edited', async () => {
    const changed = new Map(files);
    const bytes = Buffer.from(files.get('video/00002.m4s.age'));
    bytes[bytes.length - 1] ^= 1;
    changed.set('video/00002.m4s.age', bytes);
    const { faults } = await verify(place(changed), trust);
    expect(faults).toMatchObject([{ path: 'video/00002.m4s.age', kind: 'edited' }]);
  });

  it('whose plaintext is not what was signed is malformed to who can read it', async () => {
    const lying = await bundle(recipient, (path, plain) =>
      path === 'events/00001.jsonl' ? { ...plain, bytes: plain.bytes + 1 } : plain,
    );
    expect((await verify(place(lying), trust)).verdict).toBe('sound');
    const { faults } = await verify(place(lying), trust, undefined, open);
    expect(faults).toMatchObject([{ path: 'events/00001.jsonl.age', kind: 'malformed' }]);
  });

  it('with a file in clear is none', async () => {
    const mixed = new Map(files);
    mixed.set('events/00001.jsonl', read('events/00001.jsonl'));
    const { faults } = await verify(place(mixed), trust);
    expect(faults).toMatchObject([{ path: 'events/00001.jsonl', kind: 'extended' }]);
  });
});
