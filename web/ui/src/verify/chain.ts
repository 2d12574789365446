/** The chain, link by link: signature, place, times and files. */
import { sha256 } from './bytes';
import type { Check } from './check';
import { linkPath, readLink } from './ends';
import { Lines } from './events';
import type { Link, Listed, Manifest } from './forms';
import { joined } from './hashing';
import { microseconds } from './times';
import { need } from './verdict';

/** Follows the chain as far as the seal says, or as there are links; gives how many were looked for. */
export async function followChain(check: Check): Promise<number> {
  const { files } = check;
  const numbers = [...files.found.keys()].filter((path) => path.startsWith('chain/'));
  const there = numbers.reduce((most, path) => Math.max(most, Number(path.slice(6, 11))), 0);
  const links = check.seal?.links ?? there;
  check.ofLinks = links;
  for (let n = 1; n <= links; n += 1) {
    // The listing names every one of those that are cut off; one fault is enough.
    files.claim(linkPath(n), n !== there + 1, 'truncated');
    if (n > there) files.judged.add(linkPath(n));
    check.last = n <= there ? await files.guard(linkPath(n), () => link(check, n)) : null;
    check.sure = check.last !== null;
    if (!check.sure) check.unproved.add(n);
  }
  check.counted &&= check.unproved.size === 0;
  return links;
}

/** Checks a link and its files; gives its hash. */
async function link(check: Check, n: number): Promise<string> {
  const { files, manifest, seal, sums, last } = check;
  const path = linkPath(n);
  const { link, kid, digest } = await readLink(files, check.trust.keys, n);
  check.good(kid);
  const session = manifest?.id ?? seal?.session ?? link.session;
  need(link.session === session && link.n === n, 'reordered');
  need(last === null || last === link.prev, 'reordered');
  need(!sums || sums.get(path) === digest, 'reordered');
  files.claim(path, n > 1 || !manifest || manifest.key === kid, 'wrong_key');
  check.signer(path, kid, manifest && microseconds(manifest.started) + BigInt(link.to_us));
  files.claim(
    path,
    link.from_us <= link.to_us && (!check.sure || link.from_us === check.to),
    'not_monotonic',
  );
  const init = initOf(link, n, check.init, manifest);
  files.claim(path, init !== null || !check.sure);
  check.init = init ?? check.init;
  check.to = Math.max(check.to, link.to_us);
  const listed = link.files.find((file) => file.path.startsWith('video/init-'))?.path ?? '';
  check.links.set(n, { from_us: link.from_us, to_us: link.to_us, init: listed });
  files.good.set(path, files.found.get(path) || 0);
  for (const one of link.files) await file(check, one, link.session);
  return digest;
}

/** One file that a link lists, against it; of a derived bundle's video against what is in its place. */
async function file(check: Check, listed: Listed, session: string): Promise<void> {
  const { files } = check;
  const { path } = listed;
  const events = path.startsWith('events/');
  if (check.gone(path)) {
    files.judged.add(path);
    // Of a derived bundle, what stood in its place.
    check.made.delete(path);
    check.counted &&= !events;
  } else if (!files.judged.has(path)) {
    const made = check.derivation && path.startsWith('video/') ? check.made.get(path) : listed;
    check.made.delete(path);
    files.claim('derivation.json', made);
    if (!made) files.judged.add(path);
    const sound = made && (await files.guard(path, () => bytes(check, made, session)));
    if (events) check.counted &&= sound === true;
  }
  files.claim('SHA256SUMS', !check.sums || check.sums.get(path) === listed.sha256);
}

/** The bytes of a file, and what is in them; false where that was not looked into. */
async function bytes(check: Check, listed: Listed, session: string): Promise<boolean> {
  const { path } = listed;
  if (path.endsWith('.age')) return sealed(check, listed, session);
  const reading = path.startsWith('events/') ? eventsOf(check, session) : null;
  await check.files.signed(path, listed.sha256, listed.bytes, (piece) => reading?.push(piece));
  if (path.startsWith('video/')) check.played.push([path, listed.sha256]);
  return reading?.end() ?? true;
}

/** An encrypted file, and where somebody can open it what it holds. Of these one is in memory at a time. */
async function sealed(check: Check, listed: Listed, session: string): Promise<boolean> {
  const { files, opens, manifest } = check;
  const { path, plain } = listed;
  if (check.contents === 'clear') check.contents = 'encrypted';
  const known = opens !== null && (manifest?.recipients ?? []).some((one) => opens.recipients.includes(one));
  const pieces: Uint8Array[] = [];
  await files.signed(path, listed.sha256, listed.bytes, (piece) => {
    if (known) pieces.push(piece);
  });
  if (path.startsWith('video/')) check.played.push([path, listed.sha256]);
  if (!known || !plain) return false;
  check.contents = 'decrypted';
  const opened = await opens.open(joined(pieces), path);
  need(plain.bytes === opened.length && plain.sha256 === (await sha256(opened)));
  if (!path.startsWith('events/')) return true;
  const reading = eventsOf(check, session);
  reading.push(opened);
  return reading.end();
}

/** Reads events while they pass; they count once their file is known to be as it was signed. */
function eventsOf(check: Check, session: string): { push: (piece: Uint8Array) => void; end: () => boolean } {
  const tally = check.tally.continued();
  const lines = new Lines((line) => tally.take(line, session));
  return {
    push: (piece) => lines.push(piece),
    end() {
      const fault = lines.end();
      check.tally.absorb(tally);
      need(fault === null, fault);
      return true;
    },
  };
}

/** The newest init segment after a link whose files are as described; null where they are not. */
function initOf(link: Link, n: number, before: string, manifest: Manifest | null): string | null {
  const encrypted = manifest
    ? manifest.recipients !== undefined
    : (link.files[0]?.path.endsWith('.age') ?? false);
  const suffix = encrypted ? '.age' : '';
  if (link.files.some(({ plain }) => (plain !== undefined) !== encrypted)) return null;
  const name = String(n).padStart(5, '0');
  const paths = link.files.map(({ path }) => path);
  const video = `video/${name}.m4s${suffix}`;
  const [init] = paths.filter((path) => path.startsWith('video/init-'));
  const has = paths.includes(video);
  const wanted = [`events/${name}.jsonl${suffix}`, ...(init ? [init] : []), ...(has ? [video] : [])];
  const good =
    paths.join() === wanted.join() &&
    (!init || (init.endsWith(`.mp4${suffix}`) && init > before)) &&
    (!has || init !== undefined || before !== '');
  return good ? (init ?? before) : null;
}
