/** Words inside a PNG (W3C PNG, 3rd edition, iTXt), so that a picture tells where it is from without a pixel being changed. Pure. */

/** Bytes of signature and IHDR, behind which the words go. */
const HEAD = 8 + 25;

/** The picture with these words; each name is 1 to 79 characters of Latin-1. */
export function withWords(png: Uint8Array, words: Readonly<Record<string, string>>): Uint8Array {
  const chunks = Object.entries(words).map(([name, text]) => chunk('iTXt', itxt(name, text)));
  const parts = [png.subarray(0, HEAD), ...chunks, png.subarray(HEAD)];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Name, neither compressed nor translated, text in UTF-8. */
function itxt(name: string, text: string): Uint8Array {
  return new TextEncoder().encode(`${name}\0\0\0\0\0${text}`);
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(content.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

/** CRC-32 as PNG has it (Annex D). */
export function crc(bytes: Uint8Array): number {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  }
  return (rest ^ 0xffffffff) >>> 0;
}
