/** Verification of a bundle, step by step as docs/evidence-format.md says it. */
import { readDerivation, readTombstones, underived } from './buried';
import { followChain } from './chain';
import { Check, type Opens } from './check';
import { linkPath, readManifest, readSeal, readSums } from './ends';
import { Files, Unreadable, type Place, type Progress } from './files';
import type { Seal } from './forms';
import type { Trust } from './keys';
import { reportOf, type Report } from './report';
import { readTimeStamp } from './stamp/seal';
import { microseconds } from './times';

/** How much later than its time stamp a seal may say that the session ended, in microseconds. */
const CLOCKS_DIFFER = 5n * 60n * 1_000_000n;

/** Verifies the bundle at a place with the keys, authorities and identities of those who ask. */
export async function verify(
  place: Place,
  trust: Trust,
  onprogress: (progress: Progress) => void = () => {},
  opens: Opens | null = null,
): Promise<Report> {
  const files = new Files(place, onprogress);
  const check = new Check(files, trust, opens);
  try {
    if (await files.look()) await all(check);
  } catch (thrown) {
    if (!(thrown instanceof Unreadable)) throw thrown;
    files.claim(thrown.message, false, 'unreadable');
  }
  return reportOf(check);
}

async function all(check: Check): Promise<void> {
  const { files, trust } = check;
  const sealed = await files.guard('seal.json', () => readSeal(files, trust.keys));
  if (sealed) check.good(sealed.kid);
  const begin = await readManifest(files, trust.keys, sealed?.seal ?? null);
  [check.manifest, check.seal, check.last] = [begin.manifest, begin.seal, begin.digest];
  if (sealed && check.seal) {
    check.sealedBy = sealed;
    files.good.set('seal.json', files.found.get('seal.json') || 0);
  }
  if (check.manifest?.recipients) check.contents = 'encrypted';
  await readTimeStamp(check);
  signersOfTheEnds(check);
  await readTombstones(check);
  if (check.seal) await sealedFiles(check, check.seal);
  await readDerivation(check);
  const links = await followChain(check);
  underived(check);
  againstSeal(check, links);
  await leftovers(check, links);
}

/** The keys of manifest and seal, and the seal's time. */
function signersOfTheEnds(check: Check): void {
  const { files, manifest, seal } = check;
  const since = manifest && check.trust.validity.get(manifest.key)?.from;
  if (manifest && since)
    files.claim('session.json', microseconds(manifest.started) >= microseconds(since), 'key_not_valid');
  if (!seal) return;
  const ended = microseconds(seal.ended);
  check.signer('seal.json', check.sealedBy.kid, ended);
  files.claim('seal.json', check.stamped === null || ended - CLOCKS_DIFFER <= check.stamped, 'wrong_clock');
}

/** Listing and index against the hashes in the seal. */
async function sealedFiles(check: Check, seal: Seal): Promise<void> {
  const { files } = check;
  check.sums = await files.guard('SHA256SUMS', () => readSums(files, seal));
  const { path, sha256, bytes } = seal.files[1];
  if (check.gone(path)) return;
  await files.guard(path, () => files.signed(path, sha256, bytes));
  if (files.good.has(path)) check.played.push([path, sha256]);
}

/** What the seal says of the chain, once the chain is known. */
function againstSeal(check: Check, links: number): void {
  const { files, seal, last, tally, counted } = check;
  if (!seal) return;
  if (last !== null && last !== seal.last)
    return files.claim(links > 0 ? linkPath(links) : 'seal.json', false, 'reordered');
  files.claim('seal.json', last === null || check.to <= seal.duration_us, 'not_monotonic');
  files.claim('seal.json', !counted || seal.events === tally.events);
  files.claim('seal.json', !counted || JSON.stringify(seal.gaps) === JSON.stringify(tally.gaps));
}

/** Files that no good link listed: those of faulty links are looked up in the listing, all others are too many. */
async function leftovers(check: Check, links: number): Promise<void> {
  const { files, seal, sums, unproved } = check;
  // Numbers are compared, whether or not the name ends with .age.
  const newest = check.init.slice(0, 'video/init-0000'.length);
  for (const [path, length] of files.found) {
    if (length === false || files.judged.has(path)) continue;
    const segment = /\/(\d{5})\./.exec(path)?.[1];
    const n = segment === undefined ? null : Number(segment);
    const lost = n === null ? unproved.size > 0 : unproved.has(n);
    const newer = path.startsWith('video/init-') && path.slice(0, newest.length || undefined) > newest;
    const open = path === 'index.m3u8' || path === 'SHA256SUMS' || n === links + 1 || newer;
    const digest = sums?.get(path);
    if (lost && digest !== undefined) await files.guard(path, () => files.signed(path, digest, null));
    else files.claim(path, !sums && (lost || (!seal && open)), 'extended');
  }
  for (const path of sums?.keys() ?? [])
    files.claim(path, files.judged.has(path) || files.found.has(path) || check.gone(path), 'missing');
}

export type { Opens, Progress, Report };
