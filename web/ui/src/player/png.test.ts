import { describe, expect, it } from 'vitest';
import { crc, withWords } from './png';

/** A PNG of one transparent pixel, made by another program. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
const pixel = () => Uint8Array.from(atob(PIXEL), (letter) => letter.charCodeAt(0));

/** Types and contents of all chunks, and whether their sums are good. */
function chunks(png: Uint8Array) {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const found = [];
  for (let at = 8; at < png.length; at += 12 + view.getUint32(at)) {
    const end = at + 8 + view.getUint32(at);
    const body = png.subarray(at + 4, end);
    const words = new TextDecoder().decode(body);
    found.push({ type: words.slice(0, 4), text: words.slice(4), sound: view.getUint32(end) === crc(body) });
  }
  return found;
}

describe('a picture', () => {
  it('has sums that are those of other programs', () => {
    expect(chunks(pixel()).map(({ type, sound }) => [type, sound])).toEqual([
      ['IHDR', true],
      ['IDAT', true],
      ['IEND', true],
    ]);
    expect(crc(new TextEncoder().encode('IEND'))).toBe(0xae426082);
  });

  it('tells where it is from, behind its head and with good sums', () => {
    const found = chunks(withWords(pixel(), { Recording: '0193', Subject: 'zoë' }));
    expect(found.map(({ type }) => type)).toEqual(['IHDR', 'iTXt', 'iTXt', 'IDAT', 'IEND']);
    expect(found.every(({ sound }) => sound)).toBe(true);
    expect(found[1]?.text).toBe(`Recording${'\0'.repeat(5)}0193`);
    expect(found[2]?.text).toBe(`Subject${'\0'.repeat(5)}zoë`);
  });

  it('without words is as it was', () => expect(withWords(pixel(), {})).toEqual(pixel()));
});
