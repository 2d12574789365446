/** A bundle in a folder, as the page's verifier reads it; links are not followed. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of a piece. */
const PIECE = 256 * 1024;
const FOLDERS = ['chain', 'events', 'video'];

/** `NoBundle` is what is thrown where there is no folder. */
export function place(bundle, NoBundle) {
  return {
    async list() {
      if (!statSync(bundle, { throwIfNoEntry: false })?.isDirectory()) throw new NoBundle(bundle);
      const found = new Map();
      for (const entry of readdirSync(bundle, { withFileTypes: true })) {
        if (!FOLDERS.includes(entry.name) || !entry.isDirectory()) add(found, bundle, entry.name, entry);
        else
          for (const inner of readdirSync(join(bundle, entry.name), { withFileTypes: true }))
            add(found, bundle, `${entry.name}/${inner.name}`, inner);
      }
      return found;
    },
    async *read(path) {
      const file = openSync(join(bundle, path), constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        for (let left = fstatSync(file).size; left > 0;) {
          const piece = new Uint8Array(Math.min(left, PIECE));
          const bytes = readSync(file, piece);
          if (bytes === 0) return;
          left -= bytes;
          yield piece.subarray(0, bytes);
        }
      } finally {
        closeSync(file);
      }
    },
  };
}

function add(found, bundle, path, entry) {
  found.set(path, entry.isFile() ? statSync(join(bundle, path)).size : false);
}
