/** Every page against the real gate, in both themes and two widths: pictures for a person to look at, and no sideways scrolling. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, profile, shoot } from './browser.mjs';
import { Gate } from './gate.mjs';
import { end, open, signIn } from './session.mjs';
import { cutText, keepSockets } from './socket.mjs';
import { until } from './until.mjs';

let gate, browser;
before(async () => {
  gate = await Gate.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gate?.stop();
});

/** What is typed for the picture. */
const LINES = [
  'PS1="\\[\\e[1;32m\\]desktop\\[\\e[0m\\]:\\[\\e[1;36m\\]\\w\\[\\e[0m\\]\\$ "; clear',
  'id',
  'ls -l --color /',
  'find /usr -maxdepth 1 | sort',
  'echo "Everything seen here is on the record."',
];

test('every page has its looks', async () => {
  const { context, witness } = await profile(browser);
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: gate.url });
  await keepSockets(context);
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
  assert.deepEqual(
    witness.complaints.filter((words) => !/401 \(Unauthorized\)/.test(words)),
    [],
  );
  witness.complaints.length = 0;

  await signIn(page, gate);
  await look('launcher');
  await page.goto(`${gate.url}/recordings`);
  await page.getByText('No recordings yet').waitFor();
  await look('recordings-empty');
  await page.getByRole('link', { name: 'Desktops', exact: true }).click();

  const { canvas } = await open(page, 'Terminal');
  for (const line of LINES) {
    const before = await canvas.keep();
    await page.keyboard.type(`${line}\n`);
    await canvas.restsAfter(before, line, () => true);
  }
  await look('session', () => canvas.shows('the desktop in its new size'));
  // One paste beyond the bounds of the policy, which the page would not send, and one that is permitted: the player shows both.
  await cutText(page, 'x'.repeat(64 * 1024 + 1));
  await page.evaluate(() => navigator.clipboard.writeText('x'.repeat(24)));
  await page.getByRole('button', { name: 'Paste', exact: true }).click();
  await page.getByText("which judges it: 24 characters").waitFor();
  await look('session-paste', () => canvas.shows('the desktop in its new size'));
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
  // The screen changed its size several times: the film plays on across each.
  await page.getByRole('slider', { name: 'Position' }).press('End');
  await until('it has come to the end', () =>
    video.evaluate(
      (video) => !video.seeking && video.readyState >= 2 && video.currentTime > video.duration - 0.1,
    ),
  );
  assert.equal(
    await page.getByRole('region', { name: 'Recorded screen' }).getByRole('alert').count(),
    0,
    'the player complains',
  );
  await page
    .getByRole('region', { name: /^Events/ })
    .getByRole('listitem')
    .filter({ hasText: 'Keys' })
    .last()
    .getByRole('button')
    .click();
  await page.evaluate(() => scrollTo(0, 0));
  for (const title of ['permitted', 'stopped'])
    await page.getByRole('listitem').filter({ hasText: 'Paste in' }).getByText(title).waitFor();
  await look('player', () =>
    until('the frame is there', () => video.evaluate((video) => !video.seeking && video.readyState >= 2)),
  );
  await page.getByRole('link', { name: 'All recordings' }).click();
  await page.getByText('Sealed').waitFor();
  await look('recordings');
  await page.getByRole('link', { name: 'Policies' }).click();
  await page.getByText('The source is at what is in force.').waitFor();
  await look('policies');
  assert.deepEqual(witness.complaints, []);
});
