/** The pretended gate's files: the transfer folder, uploads whole and by tus 1.0.0. */
import { empty, json, problem } from './gate.mjs';

/** Answers calls about files; false for any other. */
export async function files(world, request, response, pathname, query) {
  const [, , kind, , part, name] = pathname.split('/').map(decodeURIComponent);
  if (kind !== 'sessions' || (part !== 'files' && part !== 'uploads')) return false;
  const call = `${request.method} ${part}${name ? '/one' : ''}`;
  const upload = world.uploads.get(name);
  if (call === 'GET files') json(response, { files: world.files, folder: 'Transfer' });
  else if (call === 'GET files/one') fetch(world, response, name);
  else if (call === 'POST files') {
    const bytes = await take(world, request);
    if (bytes !== null) judge(world, response, query.get('name'), bytes, 201);
  } else if (call === 'POST uploads') create(world, request, response, pathname);
  else if (!upload) problem(response, 404, 'No such upload', 'It is over, or it has expired.');
  else if (call === 'HEAD uploads/one') {
    response.writeHead(200, { ...tus, 'upload-offset': upload.offset, 'upload-length': upload.bytes });
    response.end();
  } else if (call === 'PATCH uploads/one') await patch(world, request, response, name, upload);
  else {
    world.uploads.delete(name);
    empty(response);
  }
  return true;
}

const tus = { 'tus-resumable': '1.0.0' };

function fetch(world, response, name) {
  const stopped = world.stopped.get(name);
  if (stopped) return problem(response, 403, 'Not permitted', stopped.detail, undefined, stopped.policy);
  const found = world.files.find((file) => file.name === name);
  if (!found) return problem(response, 404, 'No such file', 'It is not in the folder any more.');
  const body = Buffer.alloc(Math.min(found.bytes, 65_536), 0x61);
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
    'content-length': body.length,
  });
  response.end(body);
}

function create(world, request, response, pathname) {
  const [, name] = request.headers['upload-metadata'].split(' ');
  const id = `u${world.uploads.size + 1}`;
  world.uploads.set(id, {
    name: Buffer.from(name, 'base64').toString(),
    bytes: Number(request.headers['upload-length']),
    offset: 0,
  });
  response.writeHead(201, { ...tus, location: `${pathname}/${id}` });
  response.end();
}

async function patch(world, request, response, id, upload) {
  if (Number(request.headers['upload-offset']) !== upload.offset)
    return problem(response, 409, 'Other offset', 'The gate has another part of it.');
  const bytes = await take(world, request, (arrived) => (upload.offset += arrived));
  if (bytes === null) return;
  if (upload.offset < upload.bytes) {
    response.writeHead(204, { ...tus, 'upload-offset': upload.offset });
    return response.end();
  }
  world.uploads.delete(id);
  judge(world, response, upload.name, upload.bytes, 204, { ...tus, 'upload-offset': upload.bytes });
}

/** Counts a body; null when it broke off. Where the world holds files back, it waits in the midst of it. */
async function take(world, request, onbytes = () => {}) {
  let bytes = 0;
  try {
    for await (const chunk of request) {
      bytes += chunk.length;
      onbytes(chunk.length);
      if (world.breaks) {
        world.breaks -= 1;
        request.destroy();
        return null;
      }
      if (world.held && bytes > 4_000_000) await world.held;
    }
  } catch {
    return null;
  }
  return bytes;
}

function judge(world, response, name, bytes, status, headers = {}) {
  const stopped = world.stopped.get(name);
  if (stopped) return problem(response, 403, 'Not permitted', stopped.detail, undefined, stopped.policy);
  world.files.unshift({ name, bytes, modified: new Date().toISOString() });
  response.writeHead(status, { ...headers, 'content-type': 'application/json' });
  if (status === 204) return response.end();
  const policy = { revision: 'sha256:1f9c04be77a2', rule: 'contractors.yaml:10 allow.upload' };
  const said = { found: [], policy, metadata_stripped: /\.(png|jpe?g)$/.test(name) };
  response.end(JSON.stringify({ name, bytes, sha256: '', media_type: '', ...said }));
}
