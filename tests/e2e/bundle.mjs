/** A bundle on disk: its files, its events, and one byte of it at a time put wrong. */
import { closeSync, openSync, readFileSync, readSync, readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of all files of a bundle, relative to it, sorted. */
export function files(bundle) {
  const all = readdirSync(bundle, { recursive: true });
  return all.filter((path) => statSync(join(bundle, path)).isFile()).sort();
}

/** All events of a bundle, in order. */
export function events(bundle) {
  const paths = files(bundle).filter((path) => path.startsWith('events/'));
  const lines = paths.flatMap((path) => readFileSync(join(bundle, path), 'utf8').split('\n'));
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

/** Offsets to try in a file of `size` bytes: both ends, and so many spread between them. */
export function offsets(size, between = 4) {
  const spread = Array.from({ length: between }, (_, n) => Math.floor(((n + 1) * size) / (between + 1)));
  return [...new Set([0, ...spread, size - 1])];
}

/** Flips one bit of the byte at `offset`; the same call again restores it. */
export function flip(path, offset, bit) {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  byte[0] ^= 1 << bit;
  writeSync(file, byte, 0, 1, offset);
  closeSync(file);
}
