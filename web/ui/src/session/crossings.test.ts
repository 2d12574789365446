import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Session } from '../api/types';
import { strings } from '../strings';
import { Crossings } from './crossings.svelte';

const say = strings.session;
const NOTICE = {
  type: 'refused',
  what: 'copy_redacted',
  why: 'the policy p lets this text cross without one part of it, which is marked [redacted]',
  rule: 'p.yaml:4 deny[0].containing',
} as const;

describe('what is said of a copied text', () => {
  let written: string[] = [];
  let blocked = false;
  let now = 0;
  beforeEach(() => {
    [written, blocked, now] = [[], false, 0];
    const writeText = (text: string) =>
      blocked ? Promise.reject(new Error('no click')) : Promise.resolve(void written.push(text));
    vi.stubGlobal('navigator', { clipboard: { writeText } });
  });
  afterEach(() => vi.unstubAllGlobals());

  const crossings = () =>
    new Crossings(
      () => null,
      () => ({ allows: { copy: true } }) as Session,
      () => now,
    );

  it('that parts are missing outlasts that it was copied, whichever comes first', async () => {
    for (const first of ['notice', 'text']) {
      const here = crossings();
      if (first === 'notice') here.refused(NOTICE);
      await here.copied('card [redacted]');
      if (first === 'text') here.refused(NOTICE);
      expect(here.said?.words, first).toBe(say.refused.copy_redacted);
      expect(here.said?.rule).toBe(NOTICE.rule);
    }
    expect(written).toEqual(['card [redacted]', 'card [redacted]']);
  });

  it('is of that text alone', async () => {
    const here = crossings();
    here.refused(NOTICE);
    await here.copied('card [redacted]');
    await here.copied('clean');
    expect(here.said?.words).toBe(say.copied(5));
    here.refused(NOTICE);
    now = 60_000;
    await here.copied('later');
    expect(here.said?.words).toBe(say.copied(5));
  });

  it('goes with the offer to take it where the browser wants a click', async () => {
    const here = crossings();
    blocked = true;
    here.refused(NOTICE);
    await here.copied('card [redacted]');
    expect(here.said?.words).toContain(say.refused.copy_redacted);
    expect(here.said?.words).toContain(say.copyWaiting(15));
    expect(here.said?.act).toBeDefined();
  });
});
