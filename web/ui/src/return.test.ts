import { describe, expect, it } from 'vitest';
import { returnTo, signInFor } from './return';

describe('a sign-in', () => {
  it('leads to pages of the gate', () => {
    for (const path of [
      '/',
      '/recordings',
      '/recordings/0198-a?t=5',
      '/desktop/dev%20box',
      '/recordings?q=a%26b',
    ])
      expect(returnTo(path)).toBe(path);
  });

  it('leads nowhere else', () => {
    for (const path of [
      null,
      '',
      'recordings',
      '//evil.example',
      '/\\evil.example',
      'https://evil.example/',
      'javascript:alert(1)',
      '/api/me',
      '/sign-in?failed=x',
      '/signed-out',
      '/a"b',
      '/a b',
      '/../api/me',
      `/${'x'.repeat(1024)}`,
    ])
      expect(returnTo(path)).toBe('/');
  });

  it('remembers the page that was asked for', () => {
    expect(signInFor('/')).toBe('/sign-in');
    expect(signInFor('/recordings?q=a')).toBe('/sign-in?to=%2Frecordings%3Fq%3Da');
  });
});
