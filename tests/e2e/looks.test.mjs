/** Every page against the real gate, in both themes and two widths: pictures for a person to look at, and no sideways scrolling. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, profile, shoot } from './browser.mjs';
import { Gate } from './gate.mjs';
import { end, open, signIn } from './session.mjs';
import { until } from './until.mjs';

let gate, browser;
before(async () => {
  [gate, browser] = await Promise.all([Gate.start(), launch()]);
});
after(async () => {
  await browser?.close();
  await gate?.stop();
});

test('every page has its looks', async () => {
  const { context, witness } = await profile(browser);
  const page = await context.newPage();
  const look = async (name, settled) => {
    await shoot(page, name, async () => {
      await settled?.();
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.equal(sideways, 0, `${name} scrolls ${sideways} px sideways`);
    });
  };

  await page.goto(`${gate.url}/sign-in`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await look('sign-in');
  // Asking who one is, before anybody is: the browser reports the answer.
  assert.deepEqual(witness.complaints.filter((words) => !/401 \(Unauthorized\)/.test(words)), []);
  witness.complaints.length = 0;

  await signIn(page, gate);
  await look('launcher');
  await page.goto(`${gate.url}/recordings`);
  await page.getByText('No recordings yet').waitFor();
  await look('recordings-empty');
  await page.getByRole('link', { name: 'Desktops', exact: true }).click();

  const { canvas } = await open(page, 'Terminal');
  for (const line of ['PS1="\\[\\e[1;34m\\]\\w\\[\\e[0m\\] \\$ "; clear', 'uname -srm; date -u', 'ls --color /usr/share | head -n 120 | column -c 108']) {
    const before = await canvas.keep();
    await page.keyboard.type(`${line}\n`);
    await canvas.restsAfter(before, line, () => true);
  }
  await look('session', () => canvas.shows('the desktop in its new size'));
  await page.getByRole('button', { name: 'What is allowed here' }).click();
  await look('session-allowed', () => canvas.shows('the desktop in its new size'));
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'End session' }).click();
  await look('session-end');
  await page.getByRole('dialog').getByRole('button', { name: 'Keep working' }).click();
  await end(page);
  await look('ended');

  await page.getByRole('link', { name: 'See the recording' }).click();
  const video = page.locator('video');
  await until('the video is ready', () => video.evaluate((video) => video.readyState >= 3));
  await page.getByRole('region', { name: /^Events/ }).getByRole('listitem').filter({ hasText: 'Keys' }).last().getByRole('button').click();
  await look('player', () => until('the frame is there', () => video.evaluate((video) => !video.seeking && video.readyState >= 2)));
  await page.getByRole('link', { name: 'All recordings' }).click();
  await page.getByText('Sealed').waitFor();
  await look('recordings');
  assert.deepEqual(witness.complaints, []);
});
