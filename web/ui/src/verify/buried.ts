/** What came after the seal: the tombstones of a recording or of its video, and the derivation of one whose video was made anew. */
import type { Check } from './check';
import { isName } from './files';
import type { Derivation, Listed, Replacement, Tombstone } from './forms';
import { formed, proved } from './jws';
import { microseconds } from './times';
import { need } from './verdict';

const MOST_TOMBSTONE = 16_384;
const MOST_DERIVATION = 24 * 1024 * 1024;
const MOST_REASON = 1_024;
/** Bytes of each of a derivation's texts. */
const MOST_TEXT = 256;

const length = (text: string): number => new TextEncoder().encode(text).length;

/** Reads the tombstones that are there beside a seal file: of the recording, and of its video alone. */
export async function readTombstones(check: Check): Promise<void> {
  check.tombstone = await tombstone<Tombstone>(check, 'expired.json', 'tombstone');
  // What is derived has nothing that could be replaced: the file is found among what is left.
  if (!check.files.found.has('derivation.json'))
    check.replacement = await tombstone<Replacement>(check, 'replaced.json', 'replacement');
}

/** A tombstone with which nothing is wrong; of a faulty seal nothing is said. */
async function tombstone<T extends Replacement | Tombstone>(
  check: Check,
  path: string,
  typ: 'tombstone' | 'replacement',
): Promise<T | null> {
  const { files, trust } = check;
  if (!files.found.has(path) || !files.found.has('seal.json')) return null;
  return files.guard(path, async () => {
    const bytes = await files.read(path, MOST_TOMBSTONE);
    const { seal } = check;
    if (!seal) return null;
    const { payload, kid } = await proved(bytes, typ, trust.keys);
    check.good(kid);
    const told = formed<T>(payload, typ);
    const at = microseconds(told.at);
    const due = 'due' in told ? microseconds(told.due) : at;
    need(length(told.reason) <= MOST_REASON);
    need(told.session === seal.session && told.seal === check.sealedBy.digest, 'reordered');
    // Video alone may be replaced while nothing locks it.
    const kept = typ === 'tombstone' || seal.keep?.lock !== 'none' ? seal.keep?.until : undefined;
    need(microseconds(kept ?? seal.ended) <= due && due <= at, 'not_due');
    const before = files.count;
    // The time stamp is the seal's, and proves nothing of what came later.
    check.signer(path, kid, at, null);
    if (files.count > before) return null;
    files.good.set(path, bytes.length);
    return told;
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
    const sealed = told.files[0]?.path.endsWith('.age');
    need(
      told.files.every(
        ({ path, plain }) => path.endsWith('.age') === sealed && (plain !== undefined) === sealed,
      ),
    );
    need(check.seal && check.sealedBy.digest === told.of, 'reordered');
    need(check.seal.session === told.session);
    check.signer(path, kid, made, null);
    files.good.set(path, bytes.length);
    check.derivation = told;
    check.made = new Map(told.files.map((file) => [file.path, file]));
  });
}

/** Whether a file of a derivation is video that comes after the one before: init segments first, then segments. */
function rises(before: Listed | undefined, { path }: Listed): boolean {
  const place = (one: string) => (one.startsWith('video/init-') ? 0 : 1);
  const after =
    !before || place(before.path) < place(path) || (place(before.path) === place(path) && before.path < path);
  return after && isName(path) && path.startsWith('video/');
}

/** What the derivation lists and no good link does. */
export function underived(check: Check): void {
  const { files, made, unproved } = check;
  files.claim('derivation.json', unproved.size > 0 || made.size === 0);
  // Of a link that proves nothing, neither does what is in its video's place.
  for (const path of made.keys()) files.judged.add(path);
}
