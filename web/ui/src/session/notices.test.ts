import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noticeOf, secondsLeft } from './notice';
import { Notices } from './notices.svelte';

/** A stream that a test speaks on. */
class Stream extends EventTarget {
  closed = false;
  close(): void {
    this.closed = true;
  }
  say(notice: { type: string } & Record<string, unknown>): void {
    this.dispatchEvent(new MessageEvent(notice.type, { data: JSON.stringify(notice) }));
  }
}

describe('notices', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  const listening = () => {
    const stream = new Stream();
    const refused: string[] = [];
    const notices = new Notices(
      '/notices',
      ({ what }) => refused.push(what),
      () => stream as unknown as EventSource,
      () => Date.now(),
    );
    notices.listen();
    return { stream, notices, refused };
  };
  const ending = {
    type: 'ending',
    at: '2031-01-01T00:00:00Z',
    left_ms: 60_000,
    why: 'idle',
    rule: 'a.yaml:3',
  };

  it('count an end down by what is left of it, whatever the clock says', () => {
    const { stream, notices } = listening();
    stream.say(ending);
    expect(notices.ending).toEqual({ why: 'idle', rule: 'a.yaml:3', left: 60 });
    vi.advanceTimersByTime(15_500);
    expect(notices.ending?.left).toBe(45);
    vi.advanceTimersByTime(60_000);
    expect(notices.ending?.left).toBe(0);
  });

  it('take the end back', () => {
    const { stream, notices } = listening();
    stream.say(ending);
    stream.say({ type: 'staying' });
    expect(notices.ending).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('pass on what was refused', () => {
    const { stream, refused } = listening();
    stream.say({ type: 'refused', what: 'chord', why: 'F12 is blocked', rule: 'a.yaml:4' });
    expect(refused).toEqual(['chord']);
  });

  it('end with the session, and are not sought again', () => {
    const { stream, notices } = listening();
    stream.say(ending);
    stream.say({ type: 'ended', why: 'ended by alice', rule: '' });
    expect([notices.ending, stream.closed]).toEqual([null, true]);
  });

  it('are begun once', () => {
    const opened: string[] = [];
    const open = (url: string) => {
      opened.push(url);
      return new Stream() as unknown as EventSource;
    };
    const notices = new Notices('/notices', () => {}, open);
    notices.listen();
    notices.listen();
    expect(opened).toEqual(['/notices']);
  });
});

describe('a notice', () => {
  it('of a newer gate, or none at all, is none', () => {
    expect(noticeOf('{"type":"cake"}')).toBeNull();
    expect(noticeOf('null')).toBeNull();
    expect(noticeOf('no json')).toBeNull();
    expect(noticeOf('{"type":"staying"}')).toEqual({ type: 'staying' });
  });

  it('leaves whole seconds, and never less than none', () => {
    expect([secondsLeft(1001, 0), secondsLeft(1000, 0), secondsLeft(0, 5000)]).toEqual([2, 1, 0]);
  });
});
