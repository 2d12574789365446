/** An encrypted recording of the pretended gate: the sample's files, each an age file made when it is asked for. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { events, playable } from './fixtures.mjs';
import { problem } from './gate.mjs';

/** One who may open, and one who may not. */
export const auditor = await generateX25519Identity();
export const stranger = await generateX25519Identity();
export const recipient = await identityToRecipient(auditor);

export async function encrypted(plain) {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return Buffer.from(await encrypter.encrypt(new Uint8Array(plain)));
}

/** Answers calls for files of the encrypted recording; false for any other. */
export async function sealed(world, response, pathname, sample) {
  const path = pathname.split(`/api/recordings/${playable.sealed}/`)[1];
  if (!path || !/^(index\.m3u8|(events|video)\/.+)$/.test(path)) return false;
  if (path === 'index.m3u8') {
    const playlist = readFileSync(join(sample.hls, path), 'utf8').replace(
      /(\.m4s|init-\d{4}\.mp4)/g,
      '$1.age',
    );
    response.end(playlist);
    return true;
  }
  const plain = plainOf(world, path, sample);
  if (!plain) {
    problem(response, 404, 'No such file', 'It is not of this bundle.');
    return true;
  }
  const bytes = await encrypted(plain);
  if (world.changed === path) bytes[bytes.length - 1] ^= 1;
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  response.end(bytes);
  return true;
}

function plainOf(world, path, sample) {
  const name = path.replace(/\.age$/, '');
  if (name === path) return null;
  if (name === 'events/00001.jsonl') {
    const recording = world.recordings.find(({ id }) => id === playable.sealed);
    return Buffer.from(
      events(recording)
        .map((event) => `${JSON.stringify(event)}\n`)
        .join(''),
    );
  }
  const file = join(sample.hls, name);
  // A link for each segment of video, the others' events empty.
  const segment = name.match(/^events\/(\d{5})\.jsonl$/)?.[1];
  if (segment) return existsSync(join(sample.hls, `video/${segment}.m4s`)) ? Buffer.alloc(0) : null;
  return /^video\/[\w-]+\.(m4s|mp4)$/.test(name) && existsSync(file) ? readFileSync(file) : null;
}
