/**
 * `node scripts/verify.mjs --keys LIST [--root PEM] [--key PEM] [--tsa PEM] [--identity FILE] BUNDLE…`: the page's verifier as a program, which takes the
 * words of tests/verifier/verify.py and prints its lines, so that the matrix of tampering can be put to it.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { place } from './verify/folder.mjs';
import { load } from './verify/load.mjs';

const one = { type: 'string' };
const { values: words, positionals: bundles } = parseArgs({
  options: { key: one, keys: one, root: one, tsa: one, identity: one },
  allowPositionals: true,
});
const text = (name) => (words[name] ? readFileSync(words[name], 'utf8') : '');
const { certificatesOf, Keyring, keysOf, listOf, NoBundle, verify } = await load();

const trust = { keys: await keysOf(text('key')), validity: new Map(), authorities: [] };
if (words.keys) {
  const listed = await listOf(text('keys'), await keysOf(text('root')));
  if (typeof listed === 'string') throw new Error(`${words.keys}: ${listed}`);
  for (const [kid, key] of listed.keys) trust.keys.set(kid, key);
  trust.validity = listed.validity;
}
if (words.tsa) trust.authorities = certificatesOf(text('tsa')) ?? fail(words.tsa);
const opens = words.identity ? await opensWith(text('identity')) : null;

for (const bundle of bundles) {
  const { verdict, faults } = await verify(place(bundle, NoBundle), trust, undefined, opens);
  const sorted = faults
    .map(({ path, kind }) => ({ path, kind }))
    .sort((a, b) => order(a.path, b.path) || order(a.kind, b.kind));
  console.log(JSON.stringify({ path: bundle, verdict, faults: sorted }));
}

function order(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}

async function opensWith(identity) {
  const { keyring } = await Keyring.of(identity, null);
  if (!keyring) fail(words.identity);
  return { recipients: keyring.recipients, open: (bytes, path) => keyring.open(bytes, path) };
}

function fail(path) {
  throw new Error(`${path} cannot be read`);
}
