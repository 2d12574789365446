/** The bundle of the pretended gate that can be verified: a golden one, put wrong where the world says so. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { playable } from './fixtures.mjs';
import { json } from './gate.mjs';

export const golden = join(import.meta.dirname, '../../../../recorder/evidence/tests/golden/v1');
const bundle = join(golden, 'closed');

/** Answers calls for the files of the proved recording; false for any other. */
export function proof(world, response, pathname) {
  const path = pathname.split(`/api/recordings/${playable.interrupted}/`)[1];
  if (!path || !world.proves) return false;
  if (path === 'bundle') {
    const files = readdirSync(bundle, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(bundle.length + 1));
    json(response, {
      files: files.map((one) => ({ path: one, bytes: readFileSync(join(bundle, one)).length })),
    });
    return true;
  }
  const file = join(bundle, path);
  if (path === 'events' || !existsSync(file)) return false;
  const bytes = Buffer.from(readFileSync(file));
  if (world.changed === path) bytes[bytes.length >> 1] ^= 1;
  response.end(bytes);
  return true;
}
