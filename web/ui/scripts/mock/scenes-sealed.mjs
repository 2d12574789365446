/** The scenes of encrypted recordings. */
import { playable } from './fixtures.mjs';
import { auditor, encrypted, stranger } from './sealed.mjs';
import { showVideo, text } from './steps.mjs';

const path = `/recordings/${playable.sealed}`;
const give = async (tab, identity) => {
  await text(tab, 'This recording is encrypted');
  await tab.getByLabel('Your identity').fill(identity);
  await tab.getByRole('button', { name: 'Open the recording' }).click();
};
/** The end of the bundle is where the gate has no more files. */
const expects = ['404'];

export const sealedScenes = [
  {
    name: 'sealed',
    path,
    expects,
    async act(tab, _, fault) {
      await give(tab, stranger);
      await text(tab, 'none of those that the recording was encrypted to');
      if ((await tab.locator('video').count()) > 0) fault('a player is there before the recording is open');
    },
  },
  {
    name: 'sealed-opened',
    path,
    expects,
    async act(tab, _, fault) {
      const sent = [];
      tab.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
      await text(tab, 'This recording is encrypted');
      const file = { name: 'key.txt', mimeType: 'text/plain', buffer: Buffer.from(`# mine\n${auditor}\n`) };
      await tab.locator('section[aria-labelledby=sealed] input[type=file]').setInputFiles([file]);
      await showVideo(tab);
      await text(tab, 'Opened with your identity');
      await tab
        .getByRole('button', { name: /Paste in/ })
        .first()
        .waitFor();
      if ((await tab.getByText('Events are missing').count()) > 0) fault('events are missing');
      if (sent.some((one) => one.includes(auditor))) fault('the identity was sent');
      const kept = await tab.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
      if (kept.includes('AGE-SECRET')) fault('the identity was stored');
    },
  },
  {
    name: 'sealed-tampered',
    path,
    expects,
    before: (world) => (world.changed = 'events/00001.jsonl.age'),
    async act(tab) {
      await give(tab, auditor);
      await text(tab, 'events/00001.jsonl.age cannot be opened with this identity');
    },
  },
  {
    name: 'sealed-kept-text',
    path: `/recordings/${playable.closed}`,
    async before(world) {
      world.kept = (await encrypted(Buffer.from('naïve €\nIBAN DE02 1203 0000 0000 2020 51'))).toString(
        'base64url',
      );
    },
    async act(tab) {
      await text(tab, 'Kept texts');
      await tab.getByLabel('Your identity').fill(auditor);
      await tab.getByRole('button', { name: 'Open the recording' }).click();
      await tab.getByRole('button', { name: /Show the text/ }).click();
      await text(tab, 'naïve €');
      await tab.getByText('naïve €').scrollIntoViewIfNeeded();
    },
  },
];
