import { describe, expect, it } from 'vitest';
import type { EvidenceEvent, What } from '../api/types';
import { detailOf, judgedOf, kindOf, matches, placeOf, titleOf } from './events';

const event = (what: What): EvidenceEvent =>
  ({
    v: 1,
    seq: 1,
    at_us: 0,
    time: '',
    session: '',
    subject: '',
    policy: '',
    rule: 'a.yaml:3 deny',
    ...what,
  }) as never;

const paste = (effect: 'permit' | 'deny') =>
  event({ type: 'paste', viewer: 1, effect, bytes: 2048, sha256: 'ab', reason: 'too long' });

describe('an event', () => {
  it('that was stopped is of that kind, whatever it is', () => {
    expect(kindOf(paste('deny'))).toBe('stopped');
    expect(kindOf(event({ type: 'refused', what: 'resize', reason: '' }))).toBe('stopped');
    expect(kindOf(event({ type: 'protocol_violation', side: 'viewer', reason: '' }))).toBe('stopped');
    expect(kindOf(event({ type: 'policy_changed', effect: 'deny', reason: '' }))).toBe('stopped');
  });

  it('that was permitted is of its own kind', () => {
    expect(kindOf(paste('permit'))).toBe('crossed');
    expect(kindOf(event({ type: 'keys', viewer: 1, pressed: 4 }))).toBe('input');
    expect(kindOf(event({ type: 'gap', from_us: 0, to_us: 1, reason: '' }))).toBe('gap');
  });

  it('of the keyboard says what a rule made of how many keys, and which there were where policy asks', () => {
    const input = (effect: 'permit' | 'deny') =>
      event({ type: 'input', viewer: 1, effect, kind: 'keys', count: 2, reason: 'too fast' });
    expect([kindOf(input('deny')), kindOf(input('permit'))]).toEqual(['stopped', 'input']);
    expect(detailOf(input('deny'))).toBe('2 presses: too fast');
    const stroke = (down: boolean, name: string) => ({ down, keysym: 97, name });
    const strokes = [stroke(true, 'a'), stroke(false, 'a'), stroke(true, 'Return')];
    expect(detailOf(event({ type: 'strokes', viewer: 1, strokes }))).toBe('a Return');
  });

  it('without a verdict has none', () => {
    expect(judgedOf(event({ type: 'bell' }))).toBeNull();
    expect(judgedOf(paste('permit'))).toBe('permit');
  });

  it('says why it was stopped and how much it was', () => {
    expect(detailOf(paste('deny'))).toBe('2.0 KiB: too long');
    expect(detailOf(paste('permit'))).toBe('2.0 KiB');
    const unread = event({
      type: 'copy',
      viewer: 0,
      effect: 'deny',
      bytes: 0,
      sha256: '',
      reason: 'not allowed',
    });
    expect(detailOf(unread)).toBe('not allowed');
  });

  it('of a desktop that was away says why and for how long', () => {
    expect(detailOf(event({ type: 'desktop_lost', reason: 'it closed its connection' }))).toBe(
      'it closed its connection',
    );
    expect(detailOf(event({ type: 'desktop_back', away_us: 1_340_000 }))).toBe('after 1.3 s');
    expect(kindOf(event({ type: 'desktop_back', away_us: 1 }))).toBe('session');
  });

  it('of a rule of the screen says which and whether it holds', () => {
    const rule = (holds: boolean) =>
      event({ type: 'screen_rule', holds, key: 'screen.mask', value: '40x30 at 0,0' });
    expect(detailOf(rule(true))).toBe('screen.mask: 40x30 at 0,0');
    expect(detailOf(rule(false))).toBe('no longer screen.mask: 40x30 at 0,0');
    expect(kindOf(rule(true))).toBe('screen');
  });

  it('of a newer gate is shown by its own name', () => {
    const newer = event({ type: 'file_uploaded' } as never);
    expect(titleOf(newer)).toBe('file uploaded');
    expect(detailOf(newer)).toBe('');
    expect(kindOf(newer)).toBe('session');
  });

  it('is found by its words and its rule', () => {
    expect(matches(paste('deny'), ' PASTE ')).toBe(true);
    expect(matches(paste('deny'), 'a.yaml')).toBe(true);
    expect(matches(paste('deny'), 'resize')).toBe(false);
    expect(matches(paste('deny'), '')).toBe(true);
  });

  it('names the place of its rule, where that stands in a file', () => {
    expect(placeOf('teams/dev.yaml:7 allow.paste')).toEqual({
      file: 'teams/dev.yaml',
      line: 7,
      key: 'allow.paste',
    });
    expect(placeOf('dev.yaml:7')).toEqual({ file: 'dev.yaml', line: 7, key: '' });
    expect(placeOf('default deny')).toBeNull();
    expect(placeOf('')).toBeNull();
  });
});
