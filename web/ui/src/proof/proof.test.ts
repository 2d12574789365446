import { describe, expect, it } from 'vitest';
import { canonical, flattened, keyOf } from '../../scripts/verify/sign.mjs';
import type { Report } from '../verify/report';
import { Against } from './against.svelte';
import { rowsOf } from './rows';
import { stretchesOf } from './tampered.svelte';
import { toneOf } from './tone';
import { compare, pathIn } from './watched.svelte';

const looked = (files: number, faults = 0) => ({ files, bytes: files * 10, faults });
const sound: Report = {
  verdict: 'sound',
  faults: [],
  more: 0,
  files: 9,
  bytes: 90,
  parts: {
    manifest: looked(1),
    seal: looked(1),
    chain: looked(2),
    video: looked(3),
    events: looked(2),
    listing: looked(2),
  },
  signatures: 3,
  links: 2,
  ofLinks: 2,
  events: 12,
  state: 'closed',
  started: '2026-01-31T10:00:00.000000Z',
  duration_us: 20_000_000,
  gaps: 0,
  keys: ['0123456789abcdef'],
  contents: 'clear',
  stamp: null,
  expired: null,
  replaced: null,
  derived: null,
  played: [
    ['index.m3u8', 'p'],
    ['video/00001.m4s', 'a'],
  ],
};
const states = (report: Report, pinned = true) =>
  Object.fromEntries(rowsOf(report, pinned).map(({ name, state }) => [name, state]));

describe('what was checked', () => {
  it('of a sound recording is all good, and whose keys they are is said where they are the gate’s', () => {
    expect(new Set(Object.values(states(sound)))).toEqual(new Set(['good']));
    expect(states(sound, false)['Origin']).toBe('not');
  });

  it('is bad where it fails, and not checked where nothing proves it', () => {
    const fault = { path: 'video/00001.m4s', kind: 'edited', at: { from_us: 0, to_us: 10_000_000 } } as const;
    const changed = { ...sound, faults: [fault], parts: { ...sound.parts, video: looked(2, 1) } };
    expect(states(changed)).toMatchObject({ Video: 'bad', Events: 'good', Signatures: 'good' });
    const open: Report = {
      ...sound,
      verdict: 'unsealed',
      state: null,
      faults: [{ path: 'seal.json', kind: 'unsealed', at: null }],
    };
    expect(states(open)).toMatchObject({ Seal: 'not', Chain: 'good' });
    expect(states(open)['Listing and playlist']).toBeUndefined();
    const stranger: Report = {
      ...sound,
      state: null,
      links: 0,
      signatures: 0,
      keys: [],
      faults: ['seal.json', 'chain/00001.jws'].map((path) => ({
        path,
        kind: 'unknown_key' as const,
        at: null,
      })),
      parts: {
        ...sound.parts,
        manifest: looked(0),
        seal: looked(0, 1),
        chain: looked(0, 2),
        video: looked(0),
        events: looked(0),
      },
    };
    const rows = rowsOf(stranger, true);
    expect(rows.map(({ name, state }) => [name, state])).toEqual([
      ['Manifest', 'not'],
      ['Seal', 'bad'],
      ['Chain', 'bad'],
      ['Signatures', 'bad'],
      ['Video', 'not'],
      ['Events', 'not'],
    ]);
    expect(rows[1]?.words).toBe('key not known');
  });

  it('names time stamp, contents, expiry and derivation where there are such', () => {
    expect(states({ ...sound, stamp: { proved: null }, contents: 'encrypted' })).toMatchObject({
      'Time stamp': 'not',
      Contents: 'not',
    });
    const proved = { proved: '2026-02-01T00:00:00.000000Z' };
    expect(states({ ...sound, stamp: proved, contents: 'decrypted' })).toMatchObject({
      'Time stamp': 'good',
      Contents: 'good',
    });
    const over = {
      ...sound,
      expired: '2026-03-01T00:00:00.000000Z',
      parts: { ...sound.parts, video: looked(0), events: looked(0) },
    };
    expect(states(over)).toMatchObject({ Expiry: 'good', Video: 'not', Events: 'not' });
    const replaced = {
      ...sound,
      replaced: { at: '2026-03-01T00:00:00.000000Z', derivation: '' },
      parts: { ...sound.parts, video: looked(0) },
    };
    expect(states(replaced)).toMatchObject({ Replaced: 'good', Video: 'not', Events: 'good' });
    const derived = { made: '2026-03-01T00:00:00.000000Z', codec: 'vp9', tool: 't', settings: 's' };
    expect(states({ ...sound, derived })['Derived']).toBe('good');
  });
});

describe('what is watched', () => {
  const seen = (...all: [string, string[]][]) => new Map(all);

  it('is what was signed when every hash is', () => {
    const all = seen(['index.m3u8', ['p']], ['video/00001.m4s', ['a']]);
    expect(compare(all, sound)).toEqual({ same: 2, other: [], unproved: [] });
  });

  it('is not when it ever was another, or the file is at fault', () => {
    expect(compare(seen(['video/00001.m4s', ['a', 'b']]), sound).other).toEqual(['video/00001.m4s']);
    const fault = { path: 'video/00002.m4s', kind: 'edited', at: null } as const;
    const changed = { ...sound, faults: [fault] };
    expect(compare(seen(['video/00002.m4s', ['x']]), changed).other).toEqual(['video/00002.m4s']);
    expect(compare(seen(['video/00003.m4s', ['x']]), sound).unproved).toEqual(['video/00003.m4s']);
  });

  it('has its path from its address', () => {
    expect(pathIn('https://gate/api/recordings/0193/video/00001.m4s.age?x#y')).toBe('video/00001.m4s.age');
    expect(pathIn('/api/recordings/0193/index.m3u8')).toBe('index.m3u8');
    expect(pathIn('video/init-0001.mp4')).toBe('video/init-0001.mp4');
  });
});

describe('a verdict', () => {
  it('is loud where what is there is not what was signed', () => {
    const tones = (
      [
        'sound',
        'gap_declared',
        'derived',
        'replaced',
        'unsealed',
        'unknown_key',
        'edited',
        'missing',
      ] as const
    ).map(toneOf);
    expect(tones).toEqual(['good', 'warn', 'warn', 'warn', 'warn', 'warn', 'stop', 'stop']);
  });

  it('marks stretches in the order of time', () => {
    const at = (from: number) => ({ from_us: from * 1e6, to_us: (from + 5) * 1e6 });
    const faults = [
      { path: 'video/00003.m4s', kind: 'edited', at: at(10) },
      { path: 'seal.json', kind: 'malformed', at: null },
      { path: 'events/00001.jsonl', kind: 'missing', at: at(0) },
    ] as const;
    expect(stretchesOf({ faults: [...faults] })).toEqual([
      { from: 0, until: 5, path: 'events/00001.jsonl' },
      { from: 10, until: 15, path: 'video/00003.m4s' },
    ]);
  });
});

describe('keys', () => {
  const [own, stranger, root] = [keyOf(1), keyOf(2), keyOf(3)];
  const listOf = (key: typeof own, revoked = '') => ({
    v: 1,
    issued: '2026-01-01T00:00:00.000000Z',
    keys: [
      {
        kty: 'OKP',
        crv: 'Ed25519',
        x: key.raw.toString('base64url'),
        kid: key.kid,
        from: '2026-01-01T00:00:00.000000Z',
        until: '',
        revoked,
        reason: '',
      },
    ],
  });
  const sorted = (value: unknown): unknown => JSON.parse(canonical(value));
  const handing =
    (keys: unknown, key_list: unknown = null) =>
    async () => ({ keys: sorted(keys), key_list });

  function store(kept = new Map<string, string>()) {
    const own = {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, text: string) => void kept.set(name, text),
      removeItem: (name: string) => void kept.delete(name),
    };
    return { kept, own: () => own };
  }

  it('of the gate are taken until some are pinned, which are remembered', async () => {
    const { kept, own: storage } = store();
    const against = new Against(storage, handing(listOf(own)));
    await against.load();
    expect([against.from, [...(against.trust?.keys.keys() ?? [])]]).toEqual(['gate', [own.kid]]);
    await against.pin(stranger.pem);
    expect([against.from, against.strange]).toEqual(['pinned', [own.kid]]);
    const later = new Against(storage, handing(listOf(own)));
    await later.load();
    expect([later.from, [...(later.trust?.keys.keys() ?? [])]]).toEqual(['pinned', [stranger.kid]]);
    later.forget();
    expect([later.from, kept.size]).toEqual(['gate', 0]);
  });

  it('that are none change nothing', async () => {
    const against = new Against(store().own, handing(listOf(own)));
    await against.load();
    await against.pin(own.pem);
    await against.pin('nothing');
    expect([against.wrong, against.from, against.strange]).toEqual(['none', 'pinned', []]);
  });

  it('that a pinned root has signed count as pinned', async () => {
    const signed = JSON.parse(flattened('keys', listOf(own), root)) as unknown;
    const against = new Against(store().own, handing(listOf(own), signed));
    await against.load();
    await against.pin(root.pem);
    expect([against.rooted, against.strange]).toEqual([true, []]);
    await against.pin(stranger.pem);
    expect([against.rooted, against.strange]).toEqual([false, [own.kid]]);
  });

  it('that the gate calls revoked are told of', async () => {
    const against = new Against(store().own, handing(listOf(own, '2026-02-01T00:00:00.000000Z')));
    await against.load();
    await against.pin(own.pem);
    expect(against.revoked).toEqual([own.kid]);
  });

  it('are pinned without a gate that hands out any, and without a browser that keeps them', async () => {
    const broken = () => {
      throw new Error('no storage');
    };
    const against = new Against(broken, () => Promise.reject(new Error('404')));
    await against.load();
    expect([against.without, against.trust]).toEqual([true, null]);
    await against.pin(own.pem);
    expect([against.unkept, [...(against.trust?.keys.keys() ?? [])]]).toEqual([true, [own.kid]]);
  });
});
