import { describe, expect, it } from 'vitest';
import { strings } from '../strings';
import { isCharacter, moveOf } from './keys';

describe('keys', () => {
  it('move the player', () => {
    expect(moveOf(' ', false)).toEqual({ kind: 'toggle' });
    expect(moveOf('ArrowLeft', false)).toEqual({ kind: 'by', seconds: -5 });
    expect(moveOf('ArrowRight', true)).toEqual({ kind: 'by', seconds: 30 });
    expect(moveOf('.', false)).toEqual({ kind: 'frame', step: 1 });
    expect(moveOf(']', false)).toEqual({ kind: 'event', step: 1, stopped: false });
    expect(moveOf('{', true)).toEqual({ kind: 'event', step: -1, stopped: true });
    expect(moveOf('0', false)).toEqual({ kind: 'zoom', step: 0 });
  });

  it('do the same in capitals', () => expect(moveOf('B', true)).toEqual({ kind: 'bookmark' }));

  it('leave the others to the page', () => {
    for (const key of ['ArrowUp', 'ArrowDown', 'PageDown', 'Tab', 'Enter', 'a', 'Escape'])
      expect(moveOf(key, false)).toBeNull();
  });

  it('that are characters can be told from those that are not', () => {
    expect(['b', '?', ','].map(isCharacter)).toEqual([true, true, true]);
    expect([' ', 'Home', 'ArrowLeft'].map(isCharacter)).toEqual([false, false, false]);
  });

  it('are all in the help, and the help has no other', () => {
    const named: Record<string, string> = { Space: ' ', '←': 'ArrowLeft', '→': 'ArrowRight' };
    const shown = strings.player.help.keys.flatMap(([keys]) => keys.split(' '));
    for (const key of shown) expect(moveOf(named[key] ?? key, false), key).not.toBeNull();
    for (const key of 'k,.[]{}()<>+-0sifbnplw/?')
      expect(shown).toContain(key.toUpperCase() === key ? key : key.toUpperCase());
  });
});
