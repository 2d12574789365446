/** The time stamp of the seal, held against the authorities that were given. */
import type { Check } from '../check';
import { Bad } from '../verdict';

const MOST_TIME_STAMP = 65_536;

/** Reads the time stamp, if it and a seal file are there. One of a faulty seal proves nothing, and is left alone. */
export async function readTimeStamp(check: Check): Promise<void> {
  const { files, trust } = check;
  const path = 'seal.tsr';
  if (!files.found.has(path) || !files.found.has('seal.json')) return;
  await files.guard(path, async () => {
    const bytes = await files.read(path, MOST_TIME_STAMP);
    if (!check.seal || trust.authorities.length === 0) return;
    const { stampedAt } = await import('./token');
    try {
      check.stamped = await stampedAt(bytes, check.sealedBy.digest, trust.authorities);
    } catch {
      throw new Bad('bad_time_stamp');
    }
    files.good.set(path, bytes.length);
  });
}
