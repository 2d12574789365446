/** What came after the seal: the tombstone of a recording whose time is over, and the derivation of one whose video was made anew. */
import type { Check } from './check';
import { isName } from './files';
import type { Derivation, Listed, Tombstone } from './forms';
import { formed, proved } from './jws';
import { microseconds } from './times';
import { need } from './verdict';

const MOST_TOMBSTONE = 16_384;
const MOST_DERIVATION = 24 * 1024 * 1024;
const MOST_REASON = 1_024;
/** Bytes of each of a derivation's texts. */
const MOST_TEXT = 256;

const length = (text: string): number => new TextEncoder().encode(text).length;

/** Reads the tombstone, if it and a seal file are there; of a faulty seal nothing is said. */
export async function readTombstone(check: Check): Promise<void> {
  const { files, trust } = check;
  const path = 'expired.json';
  if (!files.found.has(path) || !files.found.has('seal.json')) return;
  await files.guard(path, async () => {
    const bytes = await files.read(path, MOST_TOMBSTONE);
    const { seal } = check;
    if (!seal) return;
    const { payload, kid } = await proved(bytes, 'tombstone', trust.keys);
    check.good(kid);
    const told = formed<Tombstone>(payload, 'tombstone');
    const [due, at] = [microseconds(told.due), microseconds(told.at)];
    need(length(told.reason) <= MOST_REASON);
    need(told.session === seal.session && told.seal === check.sealedBy.digest, 'reordered');
    need(microseconds(seal.keep?.until ?? seal.ended) <= due && due <= at, 'not_due');
    const before = files.count;
    // The time stamp is the seal's, and proves nothing of what came later.
    check.signer(path, kid, at, null);
    if (files.count > before) return;
    files.good.set(path, bytes.length);
    check.tombstone = told;
  });
}

/** Reads the derivation, if it is there: what video is compared with in place of links. */
export async function readDerivation(check: Check): Promise<void> {
  const { files, trust } = check;
  const path = 'derivation.json';
  if (!files.found.has(path)) return;
  await files.guard(path, async () => {
    const bytes = await files.read(path, MOST_DERIVATION);
    const { payload, kid } = await proved(bytes, 'derivation', trust.keys);
    check.good(kid);
    const told = formed<Derivation>(payload, 'derivation');
    const made = microseconds(told.made);
    need([told.codec, told.tool, told.settings].every((text) => length(text) <= MOST_TEXT));
    need(told.files.every((file, n) => rises(told.files[n - 1], file)));
    need(check.seal && check.sealedBy.digest === told.of, 'reordered');
    need(check.seal.session === told.session);
    check.signer(path, kid, made, null);
    files.good.set(path, bytes.length);
    check.derivation = told;
    check.made = new Map(told.files.map((file) => [file.path, file]));
  });
}

/** Whether a file of a derivation is video in clear that comes after the one before: init segments first, then segments. */
function rises(before: Listed | undefined, { path }: Listed): boolean {
  const place = (one: string) => (one.startsWith('video/init-') ? 0 : 1);
  const after =
    !before || place(before.path) < place(path) || (place(before.path) === place(path) && before.path < path);
  return after && isName(path) && path.startsWith('video/') && !path.endsWith('.age');
}

/** What the derivation lists and no good link does. */
export function underived(check: Check): void {
  const { files, made, unproved } = check;
  files.claim('derivation.json', unproved.size > 0 || made.size === 0);
  // Of a link that proves nothing, neither does what is in its video's place.
  for (const path of made.keys()) files.judged.add(path);
}
