/** The ends of a bundle: its seal, its manifest and its listing. */
import { sha256 } from './bytes';
import { textOf } from './canonical';
import { Lines } from './events';
import { isName, type Files } from './files';
import type { Link, Manifest, Seal } from './forms';
import { formed, line, proved, type Keys } from './jws';
import { microseconds } from './times';
import { need } from './verdict';

const MOST_SEAL = 262_144;
const MOST_LINK = 4_096;
const MOST_MANIFEST = 65_536;
/** Bytes of the reason that a seal gives. */
const MOST_REASON = 1_024;

/** The seal, the name of its key, and the hash of its file. */
export async function readSeal(
  files: Files,
  keys: Keys,
): Promise<{ seal: Seal; kid: string; digest: string }> {
  files.judged.add('seal.json');
  need(files.found.has('seal.json'), 'unsealed');
  const bytes = await files.read('seal.json', MOST_SEAL);
  const { payload, kid } = await proved(bytes, 'seal', keys);
  const seal = formed<Seal>(payload, 'seal');
  need(seal.files.map(({ path }) => path).join() === 'SHA256SUMS,index.m3u8,session.json');
  microseconds(seal.ended);
  if (seal.keep) microseconds(seal.keep.until);
  need(new TextEncoder().encode(seal.reason).length <= MOST_REASON);
  return { seal, kid, digest: await sha256(bytes) };
}

export async function readLink(
  files: Files,
  keys: Keys,
  n: number,
): Promise<{ link: Link; kid: string; digest: string }> {
  const bytes = await files.read(linkPath(n), MOST_LINK);
  const { payload, kid } = await proved(bytes, 'link', keys);
  const link = formed<Link>(payload, 'link');
  need(link.files.every(({ path }) => isName(path)));
  return { link, kid, digest: await sha256(bytes) };
}

/** The manifest, and the hash that counts as its own: the one that was signed, where one was. */
export async function readManifest(
  files: Files,
  keys: Keys,
  seal: Seal | null,
): Promise<{ manifest: Manifest | null; digest: string | null; seal: Seal | null }> {
  const bytes = await files.guard('session.json', () => files.read('session.json', MOST_MANIFEST));
  const first = await files.guard(null, () => readLink(files, keys, 1));
  files.judged.delete(linkPath(1));
  const sealed = seal?.files[2].sha256;
  const said = [sealed, first?.link.n === 1 ? first.link.prev : undefined].filter((one) => one !== undefined);
  const own = bytes && (await sha256(bytes));
  const digest = own && (said.length === 0 || said.includes(own)) ? own : (said[0] ?? null);
  files.claim('session.json', own === null || own === digest, 'edited');
  const manifest =
    bytes && own === digest
      ? await files.guard('session.json', () => {
          const read = formed<Manifest>(line(textOf(bytes)), 'manifest');
          microseconds(read.started);
          return read;
        })
      : null;
  if (sealed !== undefined && sealed !== digest) {
    files.claim('seal.json', false, 'reordered');
    seal = null;
  }
  files.claim('seal.json', !seal || !manifest || seal.session === manifest.id);
  if (manifest && bytes && said.length > 0) files.good.set('session.json', bytes.length);
  return { manifest, digest, seal };
}

/** SHA256SUMS as the seal has it: hashes by path. */
export async function readSums(
  files: Files,
  { files: [sums, index, session] }: Seal,
): Promise<Map<string, string>> {
  const listed = new Map<string, string>();
  const lines = new Lines((row) => {
    const [, digest = '', path = ''] = /^([0-9a-f]{64}) {2}(.*)$/.exec(textOf(row)) ?? [];
    need(digest !== '' && isName(path) && !listed.has(path));
    listed.set(path, digest);
  });
  await files.signed('SHA256SUMS', sums.sha256, sums.bytes, (piece) => lines.push(piece));
  need(lines.end() === null);
  need([index, session].every(({ path, sha256 }) => listed.get(path) === sha256));
  return listed;
}

export const linkPath = (n: number): string => `chain/${String(n).padStart(5, '0')}.jws`;
