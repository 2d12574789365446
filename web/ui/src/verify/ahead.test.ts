import { describe, expect, it } from 'vitest';
import { gate, NotHandedOut } from './ahead';
import { NoBundle } from './files';

const files = [
  'video/00001.m4s',
  'chain/00002.jws',
  'seal.json',
  'video/init-0001.mp4',
  'chain/00001.jws',
  'session.json',
  'events/00001.jsonl',
  'events/00002.jsonl',
  'video/00002.m4s',
];

/** A gate that keeps what it was asked for, and which answers are still open. */
function pretended(extra: string[] = [], listed = files) {
  const asked: string[] = [];
  const open = new Set<string>();
  const fetching = (async (address: string, { signal }: RequestInit) => {
    const path = address.replace('/b/', '');
    if (path === '/b')
      return Response.json({ files: listed.map((one) => ({ path: one, bytes: one.length })), extra });
    asked.push(path);
    if (!listed.includes(path)) return new Response('', { status: 404 });
    open.add(path);
    signal?.addEventListener('abort', () => open.delete(path));
    return new Response(path);
  }) as unknown as typeof fetch;
  return { place: gate('/b', fetching), asked, open };
}

async function text(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  let whole = '';
  for await (const piece of pieces) whole += new TextDecoder().decode(piece);
  return whole;
}

describe('a bundle at the gate', () => {
  it('lists its files, what is strange among them', async () => {
    const found = await pretended(['notes', 'video/00009.m4s']).place.list();
    expect(found.size).toBe(files.length + 2);
    expect([found.get('seal.json'), found.get('notes'), found.get('video/00009.m4s')]).toEqual([9, 0, false]);
  });

  it('asks for what comes next while it is read, and for each file once', async () => {
    const { place, asked } = pretended();
    await place.list();
    expect(await text(place.read('seal.json'))).toBe('seal.json');
    expect(asked).toEqual(['seal.json', 'session.json', 'chain/00001.jws']);
    const order = [
      'session.json',
      'chain/00001.jws',
      'events/00001.jsonl',
      'video/init-0001.mp4',
      'video/00001.m4s',
      'chain/00002.jws',
      'events/00002.jsonl',
      'video/00002.m4s',
    ];
    for (const path of order) expect(await text(place.read(path))).toBe(path);
    expect([...asked].sort()).toEqual([...files].sort());
  });

  it('gives up what was passed by', async () => {
    const { place, open } = pretended();
    await place.list();
    await text(place.read('chain/00001.jws'));
    expect(open).toContain('events/00001.jsonl');
    await text(place.read('chain/00002.jws'));
    expect([...open].sort()).toEqual([
      'chain/00001.jws',
      'chain/00002.jws',
      'events/00002.jsonl',
      'video/00002.m4s',
    ]);
  });

  it('that is none, or is not handed out, says so', async () => {
    await expect(pretended([], []).place.list()).rejects.toBeInstanceOf(NoBundle);
    const refused = (async () => new Response('', { status: 401 })) as unknown as typeof fetch;
    await expect(gate('/b', refused).list()).rejects.toMatchObject({ status: 401 });
    const { place } = pretended();
    await expect(text(place.read('chain/00009.jws'))).rejects.toBeInstanceOf(NotHandedOut);
  });
});
