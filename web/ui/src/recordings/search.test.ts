import { describe, expect, it } from 'vitest';
import { dayOf, dayStart, narrowed, nothing, pathOf, piecesOf, queryOf, searchOf, showOf } from './search';

describe('a search', () => {
  it('comes back from the address that it was put into', () => {
    const search = {
      ...nothing,
      q: '"payment card" & more',
      subject: 'müller+1@example.org',
      verdict: 'denied' as const,
      min_ms: '60000',
    };
    expect(searchOf(pathOf(search, 'recordings').split('?')[1] ?? '')).toEqual(search);
    expect(queryOf(nothing)).toBe('');
    expect(pathOf(nothing, 'moments')).toBe('/recordings');
  });

  it('shows moments only of words', () => {
    expect(showOf('q=a&show=moments')).toBe('moments');
    expect(showOf('subject=a&show=moments')).toBe('recordings');
    expect(pathOf({ ...nothing, q: 'a' }, 'moments')).toBe('/recordings?q=a&show=moments');
  });

  it('leaves out what it does not know', () => {
    expect(searchOf('?sort=x&verdict=maybe&state=open&before=3')).toEqual(nothing);
    expect(narrowed(searchOf('q=a&subject=b&state=closed'))).toBe(2);
  });

  it('counts days in the reader’s zone', () => {
    for (const day of ['2026-03-29', '2026-11-22', '2024-02-29']) {
      expect(dayOf(dayStart(day))).toBe(day);
      expect(dayOf(dayStart(day, 1), 1)).toBe(day);
    }
    expect(dayStart('')).toBe('');
    expect(dayOf('nonsense')).toBe('');
  });
});

describe('a snippet', () => {
  it('is cut where its marks are, by characters', () => {
    const snippet = {
      text: '🦀 payment-card',
      marks: [
        { from: 2, to: 9 },
        { from: 10, to: 14 },
      ],
    };
    expect(piecesOf(snippet)).toEqual([
      { text: '🦀 ', marked: false },
      { text: 'payment', marked: true },
      { text: '-', marked: false },
      { text: 'card', marked: true },
    ]);
    expect(piecesOf({ text: '', marks: [] })).toEqual([]);
  });
});
