import { Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { beforeAll, describe, expect, it } from 'vitest';
import { CallFailed } from '../api/http';
import type { EvidenceEvent } from '../api/types';
import { keptOf } from './contents';
import { lastSegment, openedEvents } from './events';
import { identitiesOf } from './identity';
import { CannotOpen, Keyring } from './keyring';

let [mine, recipient, stranger] = ['', '', ''];
beforeAll(async () => {
  mine = await generateX25519();
  recipient = await identityToRecipient(mine);
  stranger = await generateX25519();
});

async function generateX25519(): Promise<string> {
  const { generateX25519Identity } = await import('age-encryption');
  return generateX25519Identity();
}

async function encrypted(plain: Uint8Array | string, to = recipient): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(to);
  return encrypter.encrypt(plain);
}

async function keyring(): Promise<Keyring> {
  const given = await Keyring.of(`# auditor\n${mine}\n`, [recipient]);
  if ('unusable' in given) throw new Error(given.unusable);
  return given.keyring;
}

describe('an identity', () => {
  it('is read as age-keygen writes it', () => {
    const text = `# created: 2026-11-22T10:00:00Z\r\n# public key: ${recipient}\r\n${mine}\r\n`;
    expect(identitiesOf(text)).toEqual({ identities: [mine] });
    expect(identitiesOf(mine.toLowerCase())).toEqual({ identities: [mine] });
  });

  it.each([
    ['', 'none'],
    ['# nothing\n', 'none'],
    ['AGE-SECRET-KEY-1SHORT', 'unknown'],
    ['hello', 'unknown'],
    ['age-encryption.org/v1\n-> scrypt', 'locked'],
    ['-----BEGIN AGE ENCRYPTED FILE-----\n', 'locked'],
    ['x'.repeat(70_000), 'long'],
  ])('%# is not one of %s', (text, unusable) => expect(identitiesOf(text)).toEqual({ unusable }));

  it('is not its public key', () => expect(identitiesOf(recipient)).toEqual({ unusable: 'public' }));

  it('with a wrong digit is none', async () => {
    const wrong = mine.slice(0, -1) + (mine.endsWith('Q') ? 'P' : 'Q');
    expect(await Keyring.of(wrong, [recipient])).toEqual({ unusable: 'unknown' });
  });

  it('of somebody else is told at once', async () => {
    expect(await Keyring.of(stranger, [recipient])).toEqual({ unusable: 'stranger' });
    expect(await Keyring.of(`${stranger}\n${mine}`, [recipient])).toHaveProperty('keyring');
  });

  it('does not show in what is printed or stored', async () => {
    const given = await keyring();
    expect(JSON.stringify(given) + String(Object.values(given))).not.toContain(mine.slice(20, 40));
  });
});

describe('an encrypted file', () => {
  it('opens to the bytes that were encrypted, over many chunks', async () => {
    const plain = crypto.getRandomValues(new Uint8Array(65_536));
    const long = new Uint8Array([...plain, ...plain, 7]);
    const opened = await (await keyring()).open(await encrypted(long), 'video/00001.m4s.age');
    expect(opened).toEqual(long);
  });

  it('that was changed anywhere does not open', async () => {
    const ring = await keyring();
    const whole = await encrypted('a recorded screen');
    for (const at of [0, 30, 80, 150, whole.length - 20, whole.length - 1]) {
      const changed = whole.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(ring.open(changed, 'p'), `byte ${at}`).rejects.toBeInstanceOf(CannotOpen);
    }
    await expect(ring.open(whole.slice(0, -1), 'p')).rejects.toMatchObject({ why: 'bytes', path: 'p' });
    await expect(ring.open(new Uint8Array(), 'p')).rejects.toMatchObject({ why: 'bytes' });
  });

  it('to somebody else does not open', async () => {
    const theirs = await encrypted('x', await identityToRecipient(stranger));
    await expect((await keyring()).open(theirs, 'p')).rejects.toMatchObject({ why: 'identity' });
  });

  it('of another kind of recipient is no matter of ours', async () => {
    const hybrid = await identityToRecipient(await generateIdentity());
    await expect((await keyring()).open(await encrypted('x', hybrid), 'p')).rejects.toBeInstanceOf(
      CannotOpen,
    );
  });
});

describe('encrypted events', () => {
  const line = (seq: number) => `${JSON.stringify({ seq, type: 'bell' })}\n`;
  const none = () => new CallFailed({ type: '', title: '', status: 404, detail: '' });

  it('are opened segment by segment; what cannot be read is told', async () => {
    const ring = await keyring();
    const lying = new Map([
      ['events/00001.jsonl.age', await encrypted(line(1) + line(2))],
      ['events/00003.jsonl.age', (await encrypted(line(3))).reverse()],
      ['events/00004.jsonl.age', await encrypted(`${line(4)}not json\n`)],
    ]);
    const fetch = async (path: string) => {
      const found = lying.get(path);
      if (!found) throw none();
      return ring.open(found, path);
    };
    const { events, faults } = await openedEvents(fetch, 3);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 4]);
    expect(faults).toEqual([
      { path: 'events/00002.jsonl.age', line: 0 },
      { path: 'events/00003.jsonl.age', line: 0 },
      { path: 'events/00004.jsonl.age', line: 2 },
    ]);
  });

  it('fail as a whole when the gate does not answer', async () => {
    const away = async () => Promise.reject(new CallFailed({ type: '', title: '', status: 0, detail: '' }));
    await expect(openedEvents(away, 1)).rejects.toBeInstanceOf(CallFailed);
  });

  it('are as many as the playlist names, at least', () => {
    expect(lastSegment('#EXTM3U\nvideo/00001.m4s.age\n#EXTINF:1,\nvideo/00012.m4s.age\n')).toBe(12);
    expect(lastSegment('#EXTM3U\n')).toBe(0);
  });
});

describe('a kept text', () => {
  const event = (seq: number, what: object) => ({ seq, at_us: 5, ...what }) as EvidenceEvent;
  const base64url = (bytes: Uint8Array) =>
    btoa(String.fromCharCode(...bytes))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/=+$/, '');

  it('is put together from its parts, and opens', async () => {
    const age = await encrypted('naïve €');
    const part = (part: number, from: number, to: number) =>
      event(10 + part, { type: 'contents', of: 7, part, parts: 2, age: base64url(age.slice(from, to)) });
    const events = [event(7, { type: 'paste' }), part(2, 90, age.length), part(1, 0, 90)];
    const [kept] = keptOf(events);
    expect([kept?.seq, kept?.of?.type]).toEqual([7, 'paste']);
    const plain = await (await keyring()).open(kept?.age ?? new Uint8Array(), '7');
    expect(new TextDecoder().decode(plain)).toBe('naïve €');
  });

  it('without all of its parts does not', () => {
    const part = event(8, { type: 'contents', of: 7, part: 2, parts: 2, age: 'AAAA' });
    expect(keptOf([part])).toMatchObject([{ seq: 7, of: null, age: null }]);
  });
});
