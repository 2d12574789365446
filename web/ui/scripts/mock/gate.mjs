/** A pretended gate on loopback: the built pages with the strict CSP, and the HTTP API over the small world. */
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { files as filesApi } from './files.mjs';
import { finder } from './finder.mjs';
import { desktops, events, files, me, playable, policy, recordings, sessions } from './fixtures.mjs';
import { longEvents, longPlaylist, longSegment } from './long.mjs';
import { notes as notesApi } from './notes.mjs';
import { key, proof } from './proof.mjs';
import { accept } from './rfb.mjs';
import { recipient, sealed } from './sealed.mjs';

export const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // noVNC paints JPEG rectangles and the cursor from data: addresses.
  "img-src 'self' data:",
  "connect-src 'self'",
  // Media Source Extensions play from a blob: address.
  "media-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.m4s': 'video/iso.segment',
  '.mp4': 'video/mp4',
  '.jpg': 'image/jpeg',
};

/** Starts the pretended gate; resolves to its address, its world and its live connections. */
export async function start(dist, sample, port = 0) {
  const now = Date.now();
  const world = {
    signedIn: true,
    /** How one can sign in, and where one signs out at the provider. */
    ways: { providers: [], passwords: false },
    there: '',
    desktops,
    sessions: sessions(now),
    policy: policy(now),
    recordings: recordings(now, sample.lengthMs, recipient),
    /** A file of the encrypted recording whose bytes are not those that were encrypted; the age file of a kept text. */
    changed: '',
    /** A file of the proved bundle that is not there; one that is handed to players other than to verifiers; the keys of the gate. */
    gone: '',
    lies: '',
    keys: [key],
    kept: '',
    /** Paths that answer with a problem instead: `METHOD /path` to problem. */
    problems: new Map(),
    /** Where the events of interrupted recordings cannot be read. */
    faults: [],
    filters: [
      { name: 'Stopped at partners', query: 'group=partners&verdict=denied' },
      { name: 'Long ones', query: 'min_ms=3600000' },
    ],
    connections: [],
    /** Notes on the closed recording; null where the gate knows of none. */
    notes: [],
    /** Numbers of segments that the playlist has as gaps. */
    gaps: [],
    /** The closed recording is the sample again and again, for so many seconds. */
    long: 0,
    /** What lies in the transfer folder, and uploads that are not whole. */
    files: files(now),
    uploads: new Map(),
    /** Names that the gate stops, each with its problem. */
    stopped: new Map(),
    /** What is held back of files on their way, until it is let go. */
    held: null,
    /** Pages that listen to a session: each is told a notice. */
    pages: [],
    tickets: 0,
  };
  const server = createServer((request, response) => {
    void answer(request, response).catch((error) => problem(response, 500, 'Mock failed', String(error)));
  });
  server.on('upgrade', (request, socket) => {
    const offered = request.headers['sec-websocket-protocol'] ?? '';
    if (!/^binary, ticket\.\w+/.test(offered) || request.url.includes('?')) return socket.destroy();
    world.connections.push(accept(request, socket, sample.screen));
  });

  async function answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, 'http://mock');
    if (!pathname.startsWith('/api/')) return page(response, pathname);
    const forced = world.problems.get(`${request.method} ${pathname}`);
    if (forced) return problem(response, forced.status, forced.title, forced.detail, forced.rule);
    if (world.signedIn && (await filesApi(world, request, response, pathname, searchParams))) return;
    if (world.signedIn && proof(world, response, pathname, sample)) return;
    if (world.signedIn && (await sealed(world, response, pathname, sample))) return;
    const body = await read(request);
    if (pathname === '/api/sign-in/ways') return json(response, world.ways);
    if (pathname.startsWith('/api/sign-in/')) {
      if (world.held) await world.held;
      return json(response, { go: `/signed-out?at=${pathname.split('/')[3]}` });
    }
    if (pathname === '/api/sign-in') {
      if ('name' in body && body.password !== 'good')
        return problem(response, 401, 'Unauthorized', 'Name and password are not those of an account.');
      if (!('name' in body) && body.link !== 'good')
        return problem(response, 401, 'Link not known', 'This link was used, or is too old.');
      world.signedIn = true;
      return empty(response);
    }
    if (!world.signedIn) return problem(response, 401, 'Not signed in', 'Sign in first.');
    if (finder(world, request, response, pathname, searchParams, body)) return;
    return api(request.method, pathname, body, response);
  }

  function api(method, pathname, body, response) {
    const [, , kind, id, part, ...rest] = pathname.split('/');
    const session = world.sessions.find((one) => one.id === id);
    const recording = world.recordings.find((one) => one.id === id);
    switch (`${method} ${kind}${id ? '/id' : ''}${part ? `/${part}` : ''}`) {
      case 'GET me':
        return json(response, me);
      case 'POST sign-out':
        world.signedIn = false;
        return world.there ? json(response, { go: world.there }) : empty(response);
      case 'GET desktops':
        return json(response, { desktops: world.desktops });
      case 'GET policy':
        return json(response, world.policy);
      case 'GET sessions':
        return json(response, { sessions: world.sessions });
      case 'POST sessions': {
        const wanted = world.desktops.find(({ name }) => name === body.desktop);
        if (!wanted) return problem(response, 404, 'No such desktop', `There is no desktop ${body.desktop}.`);
        const existing = world.sessions[0];
        return json(response, grant(existing?.id ?? 'none'), 201);
      }
      case 'GET sessions/id':
        return session
          ? json(response, session)
          : problem(response, 404, 'No such session', 'It has ended, or it is not yours.');
      case 'DELETE sessions/id':
        world.sessions = world.sessions.filter((one) => one !== session);
        world.connections.splice(0).forEach((one) => one.close(4013, `ended by ${me.subject}`));
        return empty(response);
      case 'GET sessions/id/notices':
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
        response.flushHeaders();
        world.pages.push((notice) =>
          response.write(`event: ${notice.type}\ndata: ${JSON.stringify(notice)}\n\n`),
        );
        return;
      case 'POST sessions/id/tickets':
        return session
          ? json(response, grant(id), 201)
          : problem(response, 404, 'No such session', 'It has ended, or it is not yours.');
      case 'GET recordings/id':
        return recording
          ? json(response, recording)
          : problem(response, 404, 'No such recording', 'There is no recording with this name for you.');
      case 'GET recordings/id/thumbnail':
        return file(response, join(sample.hls, 'thumbnail.jpg'));
      case 'GET recordings/id/notes':
      case 'POST recordings/id/notes':
      case 'DELETE recordings/id/notes':
        return notesApi(world, method, rest[0], body, response);
      case 'GET recordings/id/events':
        if (world.long && id === playable.closed)
          return json(response, { events: longEvents(recording, world.long), faults: [] });
        return json(response, {
          events: recording && !recording.encrypted ? events(recording, world.kept) : [],
          faults: recording?.state === 'interrupted' ? world.faults : [],
        });
      case 'GET recordings/id/index.m3u8':
        response.writeHead(200, { 'content-type': types['.m3u8'] });
        return response.end(playlist(id));
      case 'GET recordings/id/video':
        if (world.long && id === playable.closed && rest[0].endsWith('.m4s'))
          return response.end(longSegment(sample.hls, Number.parseInt(rest[0], 10)));
        return file(
          response,
          join(sample.hls, 'video', normalize(rest.join('/')).replace(/^(\.\.[/\\])+/, '')),
        );
      default:
        return problem(response, 404, 'Not found', `${method} ${pathname} is not of this API.`);
    }
  }

  function playlist(id) {
    if (world.long && id === playable.closed) return longPlaylist(sample.hls, world.long);
    const text = readFileSync(join(sample.hls, 'index.m3u8'), 'utf8');
    return world.gaps.reduce(
      (whole, n) => whole.replace(`video/0000${n}`, `#EXT-X-GAP\nvideo/0000${n}`),
      text,
    );
  }

  function grant(id) {
    world.tickets += 1;
    const expires = new Date(Date.now() + 30_000).toISOString();
    return { id, ticket: `mock${world.tickets}`, rfb: `/sessions/${id}/rfb`, expires };
  }

  function page(response, pathname) {
    const asked = join(dist, normalize(pathname));
    const found =
      pathname !== '/' && existsSync(asked) && statSync(asked).isFile() ? asked : join(dist, 'index.html');
    return file(response, found);
  }

  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${server.address().port}`;
  const close = () => {
    world.connections.splice(0).forEach((one) => one.cut());
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { address, world, close };
}

function file(response, path) {
  if (!existsSync(path)) return problem(response, 404, 'Not found', 'There is no such file.');
  response.writeHead(200, {
    'content-type': types[extname(path)] ?? 'application/octet-stream',
    'content-security-policy': CSP,
    'x-content-type-options': 'nosniff',
  });
  createReadStream(path).pipe(response);
}

export function json(response, value, status = 200) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

export function empty(response) {
  response.writeHead(204);
  response.end();
}

export function problem(response, status, title, detail, rule, policy) {
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ type: 'about:blank', title, status, detail, rule, policy }));
}

async function read(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? {} : JSON.parse(text);
}
