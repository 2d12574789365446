// noVNC's own RFB class outside a browser, as a second opinion on what Portcullis writes: it decides where messages end and what they
// paint. Standard input and output carry frames of one byte (a letter), four bytes (the length, big-endian) and the content.
//   in:  d  bytes of RFB      p  tell the pixels      c  tell the cursor      v  paste this text      q  end
//   out: d  bytes of RFB      p  u16 width, u16 height, then R, G, B, A of each pixel      c  the cursor likewise, hotspot first
//        t  text of the clipboard      b  bell      x  why the connection ended
import { pathToFileURL } from 'node:url';

const [module, ...wishes] = process.argv.slice(2);

function tell(kind, content = new Uint8Array()) {
  const head = Buffer.alloc(5);
  head.write(kind, 0, 'latin1');
  head.writeUInt32BE(content.length, 1);
  process.stdout.write(Buffer.concat([head, content]));
}

// A canvas that knows the four operations that noVNC's Display paints with.
class Canvas2d {
  constructor(canvas) {
    this.canvas = canvas;
  }
  get pixels() {
    return this.canvas.pixels;
  }
  row(x, y, width) {
    const start = (y * this.canvas.width + x) * 4;
    return [start, start + width * 4];
  }
  fillRect(x, y, width, height) {
    const colour = /rgb\((\d+),\s*(\d+),\s*(\d+)\)/.exec(this.fillStyle).slice(1).map(Number);
    for (let line = y; line < y + height; line++) {
      const [start, end] = this.row(x, line, width);
      for (let at = start; at < end; at += 4) this.pixels.set([...colour, 255], at);
    }
  }
  clearRect() {} // Only before putImageData, which replaces what was there.
  putImageData(image, x, y) {
    const [width, height] = [Math.min(image.width, this.canvas.width - x), Math.min(image.height, this.canvas.height - y)];
    for (let line = 0; line < height; line++) {
      const source = image.data.subarray(line * image.width * 4, (line * image.width + width) * 4);
      this.pixels.set(source, this.row(x, y + line, image.width)[0]);
    }
  }
  getImageData(x, y, width, height) {
    const image = new ImageData(new Uint8ClampedArray(width * height * 4), width, height);
    for (let line = 0; line < height; line++) image.data.set(this.pixels.subarray(...this.row(x, y + line, width)), line * width * 4);
    return image;
  }
  drawImage(source, sx, sy, width, height, dx, dy) {
    if (source !== this.canvas) return; // The visible canvas is not looked at.
    this.putImageData(this.getImageData(sx, sy, width, height), dx, dy);
  }
}

class Element extends EventTarget {
  style = {};
  children = [];
  offsetWidth = 0;
  clientWidth = 0;
  #width = 0;
  #height = 0;
  pixels = new Uint8ClampedArray();
  context = new Canvas2d(this);
  get width() {
    return this.#width;
  }
  set width(value) {
    this.#width = value;
    this.pixels = new Uint8ClampedArray(this.#width * this.#height * 4);
  }
  get height() {
    return this.#height;
  }
  set height(value) {
    this.#height = value;
    this.pixels = new Uint8ClampedArray(this.#width * this.#height * 4);
  }
  getContext() {
    return this.context;
  }
  appendChild(child) {
    child.parentNode = this;
  }
  removeChild() {}
  contains() {
    return true;
  }
  focus() {}
  setAttribute() {}
  toDataURL() {
    return 'data:,';
  }
  getBoundingClientRect() {
    return { left: 0, top: 0, width: 0, height: 0 };
  }
}

globalThis.ImageData = class {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};
globalThis.ResizeObserver = class {
  observe() {}
  disconnect() {}
};
globalThis.MutationObserver = globalThis.ResizeObserver;
globalThis.WebSocket ??= { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
globalThis.document = Object.assign(new Element(), {
  createElement: () => new Element(),
  documentElement: new Element(),
  body: new Element(),
});
globalThis.window = Object.assign(new EventTarget(), {
  isSecureContext: true,
  devicePixelRatio: 1,
  requestAnimationFrame: (act) => setTimeout(act, 0),
  setTimeout,
  clearTimeout,
});
Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Node', platform: 'Linux', maxTouchPoints: 0 } });
// What it has to say is said by events; standard output is ours.
for (const level of ['log', 'info', 'warn', 'error', 'debug']) console[level] = (...words) => process.stderr.write(`${words.join(' ')}\n`);

const channel = {
  binaryType: 'arraybuffer',
  protocol: '',
  readyState: 'open',
  onopen: null,
  onmessage: null,
  onerror: null,
  onclose: null,
  send: (bytes) => tell('d', Buffer.from(bytes)),
  close() {
    this.readyState = 'closed';
    this.onclose?.({ code: 1000, reason: '', wasClean: true });
  },
};

const { default: RFB } = await import(pathToFileURL(module));
const rfb = new RFB(new Element(), channel, { shared: true });
// JPEG needs a browser's decoder: quality is not asked for unless the caller wishes it.
if (!wishes.includes('jpeg')) {
  Object.defineProperty(rfb, '_qualityLevel', { value: undefined, writable: true });
}
rfb.addEventListener('disconnect', (event) => tell('x', Buffer.from(event.detail.clean ? 'clean' : 'not clean')));
rfb.addEventListener('clipboard', (event) => tell('t', Buffer.from(event.detail.text)));
rfb.addEventListener('bell', () => tell('b'));
rfb.addEventListener('securityfailure', () => tell('x', Buffer.from('security')));

const size = (width, height) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE(width, 0);
  bytes.writeUInt16BE(height, 2);
  return bytes;
};

const acts = {
  d: (content) => channel.onmessage({ data: content.buffer.slice(content.byteOffset, content.byteOffset + content.length) }),
  p: () => {
    const { _fbWidth: width, _fbHeight: height, _drawCtx: painted } = rfb._display;
    tell('p', Buffer.concat([size(width, height), Buffer.from(painted.getImageData(0, 0, width, height).data)]));
  },
  c: () => {
    const { rgbaPixels = [], hotx = 0, hoty = 0, w = 0, h = 0 } = rfb._cursorImage;
    tell('c', Buffer.concat([size(hotx, hoty), size(w, h), Buffer.from(rgbaPixels)]));
  },
  v: (content) => rfb.clipboardPasteFrom(content.toString()),
  q: () => process.exit(0),
};

let waiting = Buffer.alloc(0);
process.stdin.on('data', (more) => {
  waiting = Buffer.concat([waiting, more]);
  while (waiting.length >= 5) {
    const end = 5 + waiting.readUInt32BE(1);
    if (waiting.length < end) return;
    const [kind, content] = [String.fromCharCode(waiting[0]), waiting.subarray(5, end)];
    waiting = waiting.subarray(end);
    acts[kind](content);
  }
});
process.stdin.on('end', () => process.exit(0));
