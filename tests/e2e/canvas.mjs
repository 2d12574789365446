/** What a viewer sees: the canvas that noVNC paints, read in the page. */
import { picture } from './media.mjs';
import { until } from './until.mjs';

/** A picture rests when it stayed the same for so long, in milliseconds. */
const REST = 1_000;

export class Canvas {
  #place;

  constructor(page) {
    this.#place = page.locator('[role="application"] canvas');
  }

  /** The picture as the viewer has it, without loss. */
  async picture() {
    const address = await this.#place.evaluate((canvas) => canvas.toDataURL('image/png'));
    return picture(Buffer.from(address.split(',')[1], 'base64'));
  }

  /** The pixels now, kept in the page to be compared with. */
  async keep() {
    return this.#place.evaluateHandle((canvas) =>
      canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height),
    );
  }

  /** Waits until `changed`, given the region that differs from what was kept, is true and the picture rests; returns that region. */
  async restsAfter(kept, what, changed) {
    let [last, since] = ['', performance.now()];
    return until(what, async () => {
      const { region, hash } = await this.#place.evaluate(look, kept);
      if (hash !== last) [last, since] = [hash, performance.now()];
      return region && changed(region) && performance.now() - since >= REST ? region : null;
    });
  }

  /** Waits until a desktop is shown (not one colour) and rests. */
  async shows(what) {
    await this.#place.waitFor();
    const nothing = await this.#place.evaluateHandle((canvas) => {
      const { width, height } = canvas;
      return { width, height, data: new Uint8ClampedArray(width * height * 4) };
    });
    let [last, since] = ['', performance.now()];
    await until(what, async () => {
      const { hash, colours } = await this.#place.evaluate(look, nothing);
      if (hash !== last) [last, since] = [hash, performance.now()];
      return colours > 2 && performance.now() - since >= REST;
    });
  }

  async size() {
    return this.#place.evaluate(({ width, height }) => ({ width, height }));
  }
}

/** In the page: the region that differs from a kept picture, a hash of the whole, and how many colours there are (at most 16). */
function look(canvas, kept) {
  const { width, height } = canvas;
  const now = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, width, height).data.buffer);
  const then =
    kept.width === width && kept.height === height ? new Uint32Array(kept.data.buffer) : new Uint32Array(0);
  let [left, top, right, bottom, hash] = [width, height, -1, -1, 0x811c9dc5];
  const colours = new Set();
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 1) {
      hash = Math.imul(hash ^ now[at], 0x01000193);
      if (colours.size < 16) colours.add(now[at]);
      if (now[at] === then[at]) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  const region = right < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
  return { region, hash: `${width}x${height} ${hash}`, colours: colours.size };
}
