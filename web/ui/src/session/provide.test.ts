import { describe, expect, it } from 'vitest';
import { provideMessage } from './provide';

/** What the gate reads: size and text. */
async function read(message: Uint8Array): Promise<string> {
  expect([...message.subarray(0, 4)]).toEqual([0x10, 0, 0, 1]);
  const inflating = new Blob([message.slice(4)]).stream().pipeThrough(new DecompressionStream('deflate'));
  const plain = new DataView(await new Response(inflating).arrayBuffer());
  expect(plain.getUint32(0)).toBe(plain.byteLength - 4);
  return new TextDecoder().decode(plain.buffer.slice(4));
}

describe('a provided text', () => {
  it.each([
    ['', '\0'],
    ['é 漢字 😀\nline', 'é 漢字 😀\r\nline\0'],
    ['a\rb\r\nc\n', 'a\r\nb\r\nc\r\n\0'],
    ['lone \ud800', 'lone \ufffd\0'],
  ])('%j is UTF-8 with CR LF and a NUL', async (text, wire) => {
    expect(await read(provideMessage(text))).toBe(wire);
  });

  it('is whole around every edge of its blocks, and at 1 MiB', async () => {
    const all = Array.from({ length: 1024 * 1024 }, (_, n) =>
      String.fromCharCode(33 + ((n * 7919) % 90)),
    ).join('');
    for (const length of [65529, 65530, 65531, 131060, 131065, 131066, all.length]) {
      const text = all.slice(0, length);
      expect((await read(provideMessage(text))) === `${text}\0`).toBe(true);
    }
  });
});
