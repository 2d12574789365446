import { describe, expect, it } from 'vitest';
import { MOST_ATTEMPTS, pauseBefore } from './backoff';
import { asksToCopy, asksToPaste, crossingOf, type Press } from './clipboard';
import { endingOf, sessionLives } from './close';
import { passing } from './end';
import { keepGrant, takeGrant } from './tickets';

describe('close codes', () => {
  it.each([
    [1000, 'left'],
    [1001, 'stopping'],
    [1002, 'violation'],
    [4001, 'over'],
    [4003, 'not-permitted'],
    [4008, 'too-slow'],
    [4009, 'crowded'],
    [4010, 'recording-failed'],
    [4011, 'desktop-ended'],
    [4013, 'ended'],
  ])('%d means %s', (code, ending) => expect(endingOf(code)).toBe(ending));

  it('of the network, and unknown ones, mean that the connection is lost', () => {
    for (const code of [1005, 1006, 1011, 1012, 4999]) expect(endingOf(code)).toBe('lost');
  });

  it('offer to connect again only where the session lives', () => {
    expect(sessionLives('too-slow')).toBe(true);
    expect(sessionLives('crowded')).toBe(true);
    expect(sessionLives('lost')).toBe(true);
    for (const ending of ['stopping', 'over', 'not-permitted', 'recording-failed', 'ended'] as const) {
      expect(sessionLives(ending)).toBe(false);
    }
  });
});

describe('attempts', () => {
  it('pause longer and longer, up to a limit, and end', () => {
    const pauses = Array.from({ length: MOST_ATTEMPTS }, (_, attempt) => pauseBefore(attempt, 1));
    expect(pauses.slice(0, 6)).toEqual([500, 1000, 2000, 4000, 8000, 15_000]);
    expect(pauses.at(-1)).toBe(15_000);
    expect(pauseBefore(MOST_ATTEMPTS, 1)).toBeNull();
  });

  it('are spread by chance over half the pause', () => {
    expect(pauseBefore(2, 0)).toBe(1000);
    expect(pauseBefore(2, 0.5)).toBe(1500);
  });
});

describe('refusals', () => {
  const problem = (status: number) => ({ type: '', title: '', detail: '', status });
  it('that pass are tried again', () => {
    for (const status of [0, 429, 502, 503, 504]) expect(passing(problem(status))).toBe(true);
  });
  it('that stand are not', () => {
    for (const status of [400, 401, 403, 404, 410, 500]) expect(passing(problem(status))).toBe(false);
  });
});

describe('grants', () => {
  const grant = { id: 's1', ticket: 't', rfb: '/sessions/s1/rfb', expires: '' };

  it('are taken once', () => {
    keepGrant(grant, 0);
    expect(takeGrant('s1', 10)).toBe(grant);
    expect(takeGrant('s1', 10)).toBeNull();
  });

  it('are not worth trying when old', () => {
    keepGrant(grant, 0);
    expect(takeGrant('s1', 25_000)).toBeNull();
  });
});

describe('the clipboard', () => {
  const press = (code: string, held: Partial<Press> = {}): Press => ({
    key: code.startsWith('Key') ? code.slice(3).toLowerCase() : code,
    code,
    ctrlKey: false,
    shiftKey: false,
    altKey: false,
    metaKey: false,
    ...held,
  });

  it('counts characters, not code units, bytes as policies do, and what Latin-1 lacks', () => {
    expect(crossingOf('naïve')).toEqual({ characters: 5, bytes: 6, latin1Lacks: 0 });
    expect(crossingOf('a€😀')).toEqual({ characters: 3, bytes: 8, latin1Lacks: 2 });
    expect(crossingOf('a\r\nb\rc\n').bytes).toBe(6);
  });

  it('knows the keys that paste', () => {
    expect(asksToPaste(press('KeyV', { ctrlKey: true }))).toBe(true);
    expect(asksToPaste(press('KeyV', { metaKey: true }))).toBe(true);
    expect(asksToPaste(press('KeyV', { ctrlKey: true, shiftKey: true }))).toBe(true);
    expect(asksToPaste(press('Insert', { shiftKey: true }))).toBe(true);
    expect(asksToPaste(press('KeyV'))).toBe(false);
    expect(asksToPaste(press('KeyV', { ctrlKey: true, altKey: true }))).toBe(false);
    expect(asksToPaste(press('Insert', { ctrlKey: true }))).toBe(false);
  });

  it('goes by the letter on a Latin layout and by the place on any other', () => {
    expect(asksToPaste(press('KeyV', { key: 'k', ctrlKey: true }))).toBe(false);
    expect(asksToPaste(press('Period', { key: 'v', ctrlKey: true }))).toBe(true);
    expect(asksToPaste(press('KeyV', { key: 'м', ctrlKey: true }))).toBe(true);
  });

  it('knows the keys that copy', () => {
    expect(asksToCopy(press('KeyC', { ctrlKey: true }))).toBe(true);
    expect(asksToCopy(press('KeyX', { ctrlKey: true }))).toBe(true);
    expect(asksToCopy(press('Insert', { ctrlKey: true }))).toBe(true);
    expect(asksToCopy(press('KeyC'))).toBe(false);
  });
});
