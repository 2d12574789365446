import { describe, expect, it } from 'vitest';
import { hasForm } from './schema';

const event = {
  v: 1,
  seq: 1,
  at_us: 0,
  time: '2026-01-31T10:00:00.000000Z',
  session: 's',
  subject: 'alice',
  policy: 'p',
  rule: '',
};
const bell = { ...event, type: 'bell' };
const opened = { ...event, type: 'session_opened', desktop: 'd', runtime: 'process' };

describe('the form of an event', () => {
  it('is that of its type, and has no other members', () => {
    expect([bell, opened].every((one) => hasForm(one, 'event'))).toBe(true);
    for (const wrong of [
      { ...bell, desktop: 'd' },
      { ...opened, runtime: 1 },
      { ...event, type: 'session_opened', desktop: 'd' },
      { ...bell, seq: 0 },
      { ...bell, time: '2026-01-31' },
      event,
      null,
      [],
      'bell',
    ])
      expect(hasForm(wrong, 'event'), JSON.stringify(wrong)).toBe(false);
  });

  it('of a type that is not known is that of all events, and what it likes', () => {
    expect(hasForm({ ...event, type: 'later', more: [1] }, 'event')).toBe(true);
    expect(hasForm({ ...event, type: 'later', v: 2 }, 'event')).toBe(false);
    // Not by the name of something that every object has.
    expect(hasForm({ ...event, type: 'constructor' }, 'event')).toBe(true);
  });
});

it('is asked for by a name that the schema has', () => {
  expect(() => hasForm({}, 'nothing')).toThrow();
});
