/** The scenes of proof in the page: sound, changed, handed to the player otherwise, and whose keys. */
import { join } from 'node:path';
import { playable } from './fixtures.mjs';
import { golden, key, listOf, other } from './proof.mjs';
import { canonical, flattened } from '../verify/sign.mjs';
import { showVideo, text } from './steps.mjs';

const path = `/recordings/${playable.interrupted}`;
const start = (tab) => tab.getByRole('button', { name: 'Verify what is played' }).click();
const verdict = (tab, name) => tab.locator(`[data-verdict=${name}]`).waitFor();
const pin = (tab, words) =>
  tab
    .locator('section[aria-labelledby=proof] input[type=file][multiple]')
    .setInputFiles([{ name: 'keys', mimeType: 'text/plain', buffer: Buffer.from(words) }]);
/** The panel, and not what lies around it. */
const show = (tab) => tab.locator('section[aria-labelledby=proof]').scrollIntoViewIfNeeded();

export const proofScenes = [
  {
    name: 'proof-keys',
    path,
    async act(tab) {
      await text(tab, 'Keys that this gate hands out');
      await tab.getByRole('button', { name: 'Paste keys' }).click();
      await tab.getByLabel('Public keys, a list of keys').fill('these are none');
      await tab.getByRole('button', { name: 'Pin them' }).click();
      await text(tab, 'There is no public key');
      await show(tab);
    },
  },
  {
    name: 'proof-sound',
    path,
    whole: true,
    async act(tab, _, fault) {
      await showVideo(tab);
      await start(tab);
      await verdict(tab, 'sound');
      await text(tab, 'All of it is what was signed.');
      await text(tab, 'What you watch is what was signed');
      await text(tab, 'that these keys are your gate’s');
      if ((await tab.locator('[data-verdict] ~ ul .bad').count()) > 0) fault('something is not good');
    },
  },
  {
    name: 'proof-pinned',
    path,
    whole: true,
    async act(tab, _, fault) {
      await text(tab, 'Keys that this gate hands out');
      await pin(tab, key.pem);
      await text(tab, 'Had from where you trust it');
      await tab.reload();
      // This browser remembers them.
      await text(tab, 'Had from where you trust it');
      if (!(await tab.getByRole('radio', { name: /Keys that you pinned/ }).isChecked()))
        fault('what was pinned is not what counts');
      await start(tab);
      await verdict(tab, 'sound');
      if ((await tab.getByText('that these keys are your gate’s').count()) > 0)
        fault('pinned keys are said to be the gate’s');
    },
  },
  {
    name: 'proof-rooted',
    path,
    async act(tab) {
      await text(tab, 'Keys that this gate hands out');
      await pin(tab, other.pem + flattened('keys', listOf(key), other));
      await text(tab, 'Had from where you trust it');
      await start(tab);
      await verdict(tab, 'sound');
      await show(tab);
    },
  },
  {
    name: 'proof-stranger',
    path,
    whole: true,
    async act(tab) {
      await text(tab, 'Keys that this gate hands out');
      await pin(tab, `${canonical(listOf(other))}\n`);
      await text(tab, 'The gate hands out a key that you have not pinned');
      await start(tab);
      await verdict(tab, 'unknown_key');
    },
  },
  {
    name: 'proof-changed',
    path,
    whole: true,
    before: (world) => (world.changed = 'video/00002.m4s'),
    async act(tab, _, fault) {
      await start(tab);
      await verdict(tab, 'edited');
      await text(tab, 'This recording is not what was signed');
      await text(tab, 'video/00002.m4s');
      const marks = (await tab.locator('[role="slider"] path.wrong').getAttribute('d'))?.length ?? 0;
      if (marks === 0) fault('the time line does not show what was changed');
      await tab.getByRole('button', { name: /Show 0:/ }).click();
    },
  },
  {
    name: 'proof-missing',
    path,
    before: (world) => (world.gone = 'chain/00002.jws'),
    async act(tab) {
      await start(tab);
      await verdict(tab, 'missing');
      await show(tab);
    },
  },
  {
    name: 'proof-lying',
    path,
    before: (world) => (world.lies = 'video/00001.m4s'),
    async act(tab, _, fault) {
      await tab.locator('video').waitFor();
      await start(tab);
      await verdict(tab, 'sound');
      await text(tab, 'What this player was handed is not what was signed: video/00001.m4s');
      if ((await tab.getByText('What you watch is what was signed').count()) > 0)
        fault('what is watched is called signed');
      await show(tab);
    },
  },
  {
    name: 'proof-folder',
    path: `/recordings/${playable.closed}`,
    expects: ['404'],
    async act(tab) {
      await text(tab, 'Keys that this gate hands out');
      await start(tab);
      await text(tab, 'does not hand this recording out');
      const file = tab.locator('section[aria-labelledby=proof] input[type=file][multiple]');
      await file.setInputFiles(join(golden, 'keys.json'));
      await text(tab, 'The gate hands out a key that you have not pinned');
      await tab.locator('input[webkitdirectory]').setInputFiles(join(golden, 'bundle'));
      await verdict(tab, 'gap_declared');
      await show(tab);
    },
  },
];
