import { describe, expect, it } from 'vitest';
import { linkTo, pictureName, secondIn } from './link';

describe('a link to a moment', () => {
  it('names a second', () => {
    expect(secondIn('?t=95')).toBe(95);
    expect(secondIn('?a=1&t=95.3')).toBe(95.3);
  });

  it('that names none, or nonsense, is the start', () => {
    for (const search of ['', '?t=', '?t=-4', '?t=1e3', '?t=0x10', '?t=1:20', '?t=Infinity', '?x=4'])
      expect(secondIn(search), search).toBeNull();
  });

  it('is the address with the second in it, and comes back to it', () => {
    const link = linkTo('https://gate.example/recordings/a?t=3#x', 3723.4567);
    expect(link).toBe('https://gate.example/recordings/a?t=3723.5');
    expect(secondIn(new URL(link).search)).toBe(3723.5);
    expect(linkTo(link, 0)).toBe('https://gate.example/recordings/a');
  });
});

describe('a picture', () => {
  it('is named after recording and time', () => {
    expect(pictureName('0193-ab', 3723.4)).toBe('0193-ab_1-02-03.4.png');
    expect(pictureName('../x', 7)).toBe('..-x_0-07.0.png');
  });
});
