/**
 * The message by which a viewer provides a text (community specification of RFB, "Extended Clipboard Pseudo-Encoding"). Pure.
 *
 * noVNC 1.7 writes it too, but drops the end of texts whose deflated form just fills one of its pieces of 100 KiB, and cannot write a
 * lone surrogate at all. This one does not compress: a text is small beside a picture, and stored blocks have no such edges.
 */

/** Provide, text. */
const FLAGS = 0x1000_0001;
/** zlib (RFC 1950): deflate with a window of 32 KiB, no preset dictionary, the fastest level. */
const ZLIB = [0x78, 0x01];
/** The most bytes of a stored block (RFC 1951 section 3.2.4). */
const BLOCK = 0xffff;

/** Flags and zlib stream for a text: its size, UTF-8 with lines ended by CR LF, a NUL. */
export function provideMessage(text: string): Uint8Array {
  const utf8 = new TextEncoder().encode(`${text.replace(/\r\n|\r|\n/g, '\r\n')}\0`);
  const plain = new Uint8Array(4 + utf8.length);
  new DataView(plain.buffer).setUint32(0, utf8.length);
  plain.set(utf8, 4);

  const blocks = Math.ceil(plain.length / BLOCK);
  const message = new Uint8Array(4 + ZLIB.length + blocks * 5 + plain.length + 4);
  const view = new DataView(message.buffer);
  view.setUint32(0, FLAGS);
  message.set(ZLIB, 4);
  let at = 4 + ZLIB.length;
  for (let from = 0; from < plain.length; from += BLOCK) {
    const block = plain.subarray(from, from + BLOCK);
    message[at] = from + BLOCK < plain.length ? 0 : 1;
    view.setUint16(at + 1, block.length, true);
    view.setUint16(at + 3, ~block.length & 0xffff, true);
    message.set(block, at + 5);
    at += 5 + block.length;
  }
  view.setUint32(at, adler32(plain));
  return message;
}

/** RFC 1950 section 9. */
function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 0x10000 + a;
}
