/** Text that was on the screen: found by a search, gone to in the player, marked on the picture; and the small pictures of the list. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, profile } from './browser.mjs';
import { Gate } from './gate.mjs';
import { end, open, signIn } from './session.mjs';
import { steps, until } from './until.mjs';

const POLICY = 'policy: text\napplies: {groups: [users], desktops: [terminal]}\nrecording: {text: read}\n';
/** What rests is read; a little more, for a machine that has much to do. */
const REST = 2_500;
/** A recording is read at the lowest priority: others may come first. */
const READ_WITHIN = 120_000;

let gate, browser;
before(async () => {
  gate = await Gate.start(undefined, { 'text.yaml': POLICY });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gate?.stop();
});

test('text that was on the screen', async (t) => {
  const step = steps(t);
  const { context, witness } = await profile(browser);
  const page = await context.newPage();
  const video = page.locator('video');
  const ask = async (path) => (await context.request.get(`${gate.url}${path}`)).json();
  let id, hit;

  await step('it is shown on a desktop, and goes again', async () => {
    await signIn(page, gate);
    let canvas;
    ({ id, canvas } = await open(page, 'Terminal'));
    const place = await page.locator('[role="application"] canvas').boundingBox();
    await page.mouse.click(place.x + place.width - 20, place.y + place.height - 20);
    const before = await canvas.keep();
    // What is typed is not what it prints.
    await page.keyboard.type(
      "clear; printf 'Q%s payroll transfer\\n\\n<img src=x onerror=%s> 4711\\n' uarterly alert",
    );
    await page.keyboard.press('Enter');
    await canvas.restsAfter(before, 'what was printed', ({ height }) => height >= 20);
    await page.waitForTimeout(REST);
    await page.keyboard.type('clear');
    await page.keyboard.press('Enter');
    await page.waitForTimeout(REST);
    assert.deepEqual(
      (await ask(`/api/search?q=quarterly`)).hits,
      [],
      'nothing is read while the session runs',
    );
    await end(page);
  });

  await step('once the session has ended it is read', async () => {
    const standing = await until(
      'the text is read',
      async () => {
        const { readings } = await ask(`/api/recordings/${id}`);
        assert.notEqual(readings.text.state, 'failed', readings.text.reason);
        return readings.text.state === 'made' && readings.thumbnail.state === 'made' && readings;
      },
      READ_WITHIN,
    );
    assert(standing.text.lines >= 2, `${standing.text.lines} lines`);
  });

  await step('the list shows a small picture, in a place of its own', async () => {
    await page.goto(`${gate.url}/recordings`);
    const image = page
      .getByRole('row')
      .filter({ has: page.locator(`a[href$="${id}"]`) })
      .locator('img');
    await until('it is there', () => image.evaluate((image) => image.complete && image.naturalWidth > 0));
    const seen = await image.evaluate((image) => [image.naturalWidth, image.naturalHeight, image.loading]);
    // The desktop is as large as the page has room for it.
    assert.deepEqual([seen[0], seen[2]], [320, 'lazy']);
    assert(seen[1] > 100 && seen[1] <= 240, `${seen[1]} pixels high`);
    const box = await image.boundingBox();
    assert(Math.abs(box.width - 96) <= 3 && Math.abs(box.height - 60) <= 3, JSON.stringify(box));
    assert.match(gate.journal(), /"part":"thumbnail"/, 'the viewing is on the record');
  });

  await step('a search finds it, and the hit leads to its second with the line marked', async () => {
    await page.getByRole('searchbox').fill('"quarterly payroll transfer"');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Moments' }).click();
    const row = page.getByRole('list', { name: 'Moments' }).getByRole('listitem');
    await row.first().waitFor();
    assert.match(await row.first().innerText(), /on the screen/);
    ({
      hits: [hit],
    } = await ask(`/api/search?q=%22quarterly%20payroll%20transfer%22&recording=${id}`));
    assert(hit.screen.confidence >= 60, JSON.stringify(hit));
    await row.first().getByRole('link').click();
    await until('the picture of that second', () =>
      video.evaluate(
        (video, [from, to]) =>
          !video.seeking && video.readyState >= 2 && video.currentTime >= from && video.currentTime < to,
        [hit.at / 1000, hit.screen.until / 1000],
      ),
    );
    await page.locator('.found .current').waitFor();
  });

  await step('the box lies around the letters of the picture', async () => {
    const { box, inside, around } = await page.evaluate(() => {
      const video = document.querySelector('video');
      const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
      const paint = canvas.getContext('2d', { willReadFrequently: true });
      paint.drawImage(video, 0, 0);
      const [frame, mark] = [video, document.querySelector('.found .current')].map((one) =>
        one.getBoundingClientRect(),
      );
      const scale = Math.min(frame.width / video.videoWidth, frame.height / video.videoHeight);
      const box = {
        x: (mark.left - frame.left - (frame.width - video.videoWidth * scale) / 2) / scale,
        y: (mark.top - frame.top - (frame.height - video.videoHeight * scale) / 2) / scale,
        width: mark.width / scale,
        height: mark.height / scale,
      };
      const light = (x, y) => paint.getImageData(Math.round(x), Math.round(y), 1, 1).data[1];
      const ground = light(box.x - 3, box.y + box.height / 2);
      const ink = (left, width) => {
        let count = 0;
        for (let y = box.y; y < box.y + box.height; y += 1)
          for (let x = left; x < left + width; x += 1) if (Math.abs(light(x, y) - ground) > 90) count += 1;
        return count;
      };
      return {
        box,
        inside: ink(box.x, box.width),
        around: ink(box.x + box.width + 3, 30),
      };
    });
    for (const side of ['x', 'y', 'width', 'height'])
      assert(Math.abs(box[side] - hit.screen[side]) <= 1.5, `${side}: ${JSON.stringify([box, hit.screen])}`);
    assert(inside > 300, `${inside} pixels of letters in the box`);
    assert.equal(around, 0, 'letters behind the end of the line');
  });

  await step('keys go from hit to hit, and markup stays text', async () => {
    await page.keyboard.press('w');
    await page.getByRole('searchbox', { name: 'Words on the screen or in events' }).fill('onerror');
    await page.keyboard.press('Enter');
    const list = page.getByRole('region', { name: 'Found' });
    await list.getByText('onerror').first().waitFor();
    assert.match(await list.getByRole('listitem').first().innerText(), /<img src=x onerror/);
    assert.equal(await page.locator('img[src="x"]').count(), 0);
    assert.match(page.url(), /[?&]q=onerror/);
    await page.getByRole('heading', { level: 1 }).click();
    await page.keyboard.press('Home');
    await until('the start', () => video.evaluate((video) => !video.seeking && video.currentTime === 0));
    await page.keyboard.press(')');
    await page.locator('.found .current').waitFor();
    assert((await video.evaluate((video) => video.currentTime)) > 0);
  });

  await step('the pages had nothing to complain of', () => {
    assert.deepEqual(witness.complaints, []);
  });
  await context.close();
});
