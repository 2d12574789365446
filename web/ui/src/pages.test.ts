import { describe, expect, it } from 'vitest';
import type { Recording } from './api/types';
import { strings } from './strings';
import { policyName, shortRevision } from './policy';
import { merged } from './recordings/pages';
import { pathTo, routeOf } from './routes';
import { byteWords, lengthWords, localMoment, recordedFor, utcMoment } from './times';

describe('routes', () => {
  it('name their pages', () => {
    expect(routeOf('/')).toEqual({ page: 'launcher' });
    expect(routeOf('/sign-in')).toEqual({ page: 'sign-in' });
    expect(routeOf('/recordings/')).toEqual({ page: 'recordings' });
    expect(routeOf('/signed-out')).toEqual({ page: 'signed-out' });
    expect(routeOf('/policies')).toEqual({ page: 'policies' });
    expect(routeOf('/recordings/abc')).toEqual({ page: 'recording', id: 'abc' });
  });

  it('come back to the id that they were made from', () => {
    const id = 'a/b ü';
    expect(routeOf(pathTo.desktop(id))).toEqual({ page: 'desktop', id });
  });

  it('that name nothing are missing', () => {
    for (const path of ['/desktop', '/desktop/a/b', '/x', '/desktop/%E0%A4%A']) {
      expect(routeOf(path)).toEqual({ page: 'missing' });
    }
  });
});

describe('rules', () => {
  it('name their policy', () => {
    expect(policyName('contractors.yaml:7 allow.paste')).toBe('contractors');
    expect(policyName('teams/dev.yml:1 policy')).toBe('dev');
    expect(policyName('default deny')).toBe('default');
    expect(policyName('')).toBe('default');
  });

  it('stand in revisions short enough to read', () =>
    expect(['sha256:1f2e3d4c5b6a', `1f2e3d4c${'0'.repeat(32)}`].map(shortRevision)).toEqual([
      '1f2e3d4c',
      '1f2e3d4c',
    ]));
});

describe('faults', () => {
  it('are told with as much of their place as there is', () => {
    const { place } = strings.policies;
    expect([place('a.yaml', 3, 9), place('tests/a.yaml', 3, 0)]).toEqual(['a.yaml:3:9', 'tests/a.yaml:3']);
  });
});

describe('times', () => {
  it('are shown in the zone of the reader, and in UTC', () => {
    expect(localMoment('2026-11-21T23:30:05Z', 'Europe/Berlin', 'en-GB')).toBe('22 Nov 2026, 00:30');
    expect(utcMoment('2026-11-21T23:30:05.123456Z')).toBe('2026-11-21 23:30:05 UTC');
    expect(utcMoment('nonsense')).toBe('nonsense');
  });

  it('have lengths in words', () => {
    expect(lengthWords(0)).toBe('0 s');
    expect(lengthWords(59_700)).toBe('1 min');
    expect(lengthWords(185_000)).toBe('3 min 5 s');
    expect(lengthWords(7_440_000)).toBe('2 h 4 min');
  });

  it('of a running recording are counted from its start, by whatever clock', () => {
    const started = '2026-11-21T10:00:00Z';
    const now = Date.parse('2026-11-21T10:01:00Z');
    expect(recordedFor({ started, duration_ms: 10_000, state: 'recording' }, now)).toBe(60_000);
    expect(recordedFor({ started, duration_ms: 10_000, state: 'closed' }, now)).toBe(10_000);
    expect(recordedFor({ started, duration_ms: 10_000, state: 'recording' }, now - 600_000)).toBe(10_000);
    expect(recordedFor({ started: '', duration_ms: 5, state: 'recording' }, now)).toBe(5);
  });

  it('stand beside sizes', () => {
    expect(byteWords(812)).toBe('812 B');
    expect(byteWords(4_404_019)).toBe('4.2 MiB');
    expect(byteWords(250 * 1024)).toBe('250 KiB');
  });
});

describe('recordings', () => {
  const unread = { state: 'none', reason: 'not_asked', lines: 0, failed: 0, until: null } as const;
  const recording = (id: string, more: Partial<Recording> = {}): Recording => ({
    id,
    subject: 'alice',
    groups: ['users'],
    desktop: 'terminal',
    started: `2026-11-2${id}T10:00:00Z`,
    ended: null,
    duration_ms: 0,
    state: 'closed',
    reason: '',
    bytes: 0,
    events: 0,
    denied: 0,
    policy: { revision: 'sha256:aa', rule: 'staff.yaml:2 allow.open' },
    gaps: 0,
    encrypted: false,
    recipients: [],
    readings: { thumbnail: unread, text: unread },
    ...more,
  });

  it('of a newer reading replace the older, newest first', () => {
    const list = merged(
      [recording('2', { state: 'recording' }), recording('1')],
      [recording('3'), recording('2')],
    );
    expect(list.map(({ id, state }) => [id, state])).toEqual([
      ['3', 'closed'],
      ['2', 'closed'],
      ['1', 'closed'],
    ]);
  });
});
