/** A desktop of one picture behind a WebSocket: enough RFB 3.8 (RFC 6143) for noVNC to show it, and closing at a word. */
import { createHash } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const BINARY = 2;
const CLOSE = 8;

/** Lengths of the viewer's messages whose length is fixed, by type. */
const FIXED = { 0: 20, 3: 10, 4: 8, 5: 6, 150: 10, 248: null, 251: null, 255: 12 };

/** Accepts an upgrade; returns a connection with `close(code, reason)`, `cut()` and `copy(text)`. */
export function accept(request, socket, screen) {
  const key = createHash('sha1')
    .update(request.headers['sec-websocket-key'] + GUID)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\nSec-WebSocket-Protocol: binary\r\n\r\n`,
  );
  const send = (bytes) => socket.write(frame(BINARY, bytes));
  const desktop = conversation(send, screen);
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let found = unframe(rest); found; found = unframe(rest)) {
      rest = rest.subarray(found.length);
      if (found.kind === CLOSE) socket.end(frame(CLOSE, found.payload));
      else if (found.kind === BINARY) desktop.receive(found.payload);
    }
  });
  socket.on('error', () => socket.destroy());
  send(Buffer.from('RFB 003.008\n'));
  return {
    close(code, reason) {
      const body = Buffer.alloc(2);
      body.writeUInt16BE(code);
      socket.end(frame(CLOSE, Buffer.concat([body, Buffer.from(reason)])));
    },
    cut: () => socket.destroy(),
    copy(text) {
      const bytes = Buffer.from(text, 'latin1');
      const head = Buffer.alloc(8);
      head[0] = 3;
      head.writeUInt32BE(bytes.length, 4);
      send(Buffer.concat([head, bytes]));
    },
    /** Texts that the viewer pasted. */
    pasted: desktop.pasted,
    keys: desktop.keys,
  };
}

/** The desktop's side of the handshake and of what follows. */
function conversation(send, screen) {
  let rest = Buffer.alloc(0);
  let step = 'version';
  let painted = false;
  const pasted = [];
  const keys = [];
  const take = (length) => {
    if (rest.length < length) return null;
    const taken = rest.subarray(0, length);
    rest = rest.subarray(length);
    return taken;
  };
  const steps = {
    version: () => take(12) && (send(Buffer.from([1, 1])), (step = 'security')),
    security: () => take(1) && (send(Buffer.alloc(4)), (step = 'init')),
    init: () => take(1) && (send(serverInit(screen)), (step = 'messages')),
    messages() {
      if (rest.length === 0) return null;
      const length = messageLength(rest);
      const message = length === null ? null : take(length);
      if (message?.[0] === 6) pasted.push(message.subarray(8).toString('latin1'));
      if (message?.[0] === 4 && message[1] === 1) keys.push(message.readUInt32BE(4));
      if (message?.[0] === 3 && !painted) {
        painted = true;
        send(update(screen));
      }
      return message;
    },
  };
  return {
    pasted,
    keys,
    receive(bytes) {
      rest = Buffer.concat([rest, bytes]);
      while (steps[step]());
    },
  };
}

/** The length of the message at the start, or null when it is not whole. */
function messageLength(bytes) {
  const kind = bytes[0];
  if (kind === 2) return bytes.length < 4 ? null : 4 + 4 * bytes.readUInt16BE(2);
  if (kind === 6) return bytes.length < 8 ? null : 8 + Math.abs(bytes.readInt32BE(4));
  const length = FIXED[kind];
  if (length === undefined || length === null)
    throw new Error(`the mock desktop does not know message ${kind}`);
  return bytes.length < length ? null : length;
}

function serverInit({ width, height }) {
  const name = Buffer.from('portcullis');
  const head = Buffer.alloc(24);
  head.writeUInt16BE(width, 0);
  head.writeUInt16BE(height, 2);
  Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16]).copy(head, 4);
  head.writeUInt32BE(name.length, 20);
  return Buffer.concat([head, name]);
}

/** The whole screen as one Raw rectangle. */
function update({ width, height, pixels }) {
  const head = Buffer.alloc(16);
  head.writeUInt16BE(1, 2);
  head.writeUInt16BE(width, 8);
  head.writeUInt16BE(height, 10);
  return Buffer.concat([head, pixels]);
}

/** One unmasked frame of RFC 6455. */
function frame(kind, payload) {
  const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65536 ? 4 : 10);
  head[0] = 0x80 | kind;
  if (head.length === 2) head[1] = payload.length;
  else if (head.length === 4) {
    head[1] = 126;
    head.writeUInt16BE(payload.length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** The first frame of the browser, unmasked; null when it is not whole. */
function unframe(bytes) {
  if (bytes.length < 2) return null;
  let length = bytes[1] & 0x7f;
  let at = 2;
  if (length === 126) {
    if (bytes.length < 4) return null;
    length = bytes.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return null;
    length = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  if (bytes.length < at + 4 + length) return null;
  const mask = bytes.subarray(at, at + 4);
  const payload = Buffer.from(bytes.subarray(at + 4, at + 4 + length));
  for (let n = 0; n < length; n += 1) payload[n] ^= mask[n & 3];
  return { kind: bytes[0] & 0x0f, payload, length: at + 4 + length };
}
