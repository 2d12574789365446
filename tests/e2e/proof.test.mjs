/** Proof in the page: what is played is verified against the gate's keys and against pinned ones, and whatever is put wrong in the vault is unmistakable. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { launch, profile } from './browser.mjs';
import { files, flip } from './bundle.mjs';
import { DESKTOPS, Gate } from './gate.mjs';
import { end, open, signIn } from './session.mjs';
import { steps, until } from './until.mjs';

/** An auditor's identity that anybody may know, and its public half. */
const IDENTITY = 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX';
const RECIPIENT = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj';
/** A file of each kind, after which the page and the program have to say the same. */
const KINDS = [/^session\.json$/, /^chain\/00001/, /^events\/00001/, /^video\/init-/, /^index/, /^SHA256SUMS$/, /^seal\.json$/];

/** A session of a few seconds under a gate, and the page of its recording. */
async function record(page, gate) {
  await signIn(page, gate);
  const { id, canvas } = await open(page, 'Terminal');
  const before = await canvas.keep();
  await page.keyboard.type('echo proof');
  await page.keyboard.press('Enter');
  await canvas.restsAfter(before, 'the command and its output', ({ height }) => height > 0);
  await end(page);
  const sealed = () => page.context().request.get(`${gate.url}/api/recordings/${id}`);
  await until('the recording is sealed', async () => (await (await sealed()).json()).state === 'closed');
  await page.goto(`${gate.url}/recordings/${id}`);
  return id;
}

/** Verifies what is played, and gives the verdict and all that the panel says. */
async function verify(page) {
  const panel = page.getByRole('region', { name: 'Proof', exact: true });
  await panel.getByRole('button', { name: 'Verify what is played' }).click();
  const found = panel.locator('[data-verdict]');
  await found.waitFor();
  return { verdict: await found.getAttribute('data-verdict'), words: await panel.innerText() };
}

/** Waits until the panel's words hold something: what the player is handed comes when it comes. */
const says = (page, words) => page.getByRole('region', { name: 'Proof', exact: true }).getByText(words).first().waitFor();

/** Pins what is in a file, or in bytes. */
const pin = (page, file) =>
  page.locator('section[aria-labelledby=proof] input[type=file][multiple]').setInputFiles(file);

/** The verdict of `portcullis verify`, as a name. */
function verdictOf(gate, bundle) {
  return gate.verify(bundle).then(({ code }) => CODES[code] ?? `code ${code}`);
}

const CODES = { 0: 'sound', 9: 'reordered', 11: 'missing', 12: 'bad_signature', 13: 'edited', 17: 'malformed' };

test('proof of a recording', async (t) => {
  const step = steps(t);
  const [gate, browser] = [await Gate.start(), await launch()];
  t.after(async () => {
    await browser.close();
    await gate.stop();
  });
  const { context, witness } = await profile(browser);
  const page = await context.newPage();
  let bundle;

  await step('sound: all of it, and what is watched is what was signed', async () => {
    const id = await record(page, gate);
    bundle = gate.bundle(id);
    await until('the video is ready', () => page.locator('video').evaluate((video) => video.readyState >= 3));
    const { verdict, words } = await verify(page);
    assert.equal(verdict, 'sound', words);
    await says(page, 'What you watch is what was signed');
    for (const part of ['Manifest', 'Seal', 'Chain', 'Signatures', 'Video', 'Events', 'Listing and playlist'])
      assert.match(words, new RegExp(`^${part}$`, 'm'));
    assert.match(words, /that these keys are your gate’s: they came from the gate/);
    await page.getByText('Verified in this page: all of it is what was signed.').waitFor();
    assert.equal(await verdictOf(gate, bundle), 'sound');
  });

  await step('each file that is put wrong is found, and named as the program names it', async () => {
    for (const kind of KINDS) {
      const file = files(bundle).find((path) => kind.test(path));
      const path = join(bundle, file);
      const at = statSync(path).size >> 1;
      flip(path, at, 0);
      const [{ verdict, words }, told] = [await verify(page), await verdictOf(gate, bundle)];
      flip(path, at, 0);
      assert.equal(verdict, told, `${file}: ${words}`);
      assert(words.includes(file), `${file} is not named: ${words}`);
    }
  });

  await step('one flipped byte of video is unmistakable: where, which file, which stretch', async () => {
    const file = files(bundle).find((path) => /^video\/00001\.m4s$/.test(path));
    flip(join(bundle, file), statSync(join(bundle, file)).size - 1, 3);
    await page.reload();
    await page.getByRole('region', { name: 'Proof', exact: true }).getByText('Keys that this gate hands out').waitFor();
    const { verdict, words } = await verify(page);
    assert.equal(verdict, 'edited', words);
    assert.match(words, /This recording is not what was signed/);
    assert.match(words, /First bad place\s+video\/00001\.m4s changed, 0:00\.0 to 0:/);
    assert.doesNotMatch(words, /What you watch is what was signed/);
    await page.getByRole('status').getByText('Verified in this page: this recording is not what was signed').waitFor();
    await page.getByRole('button', { name: /^Show 0:00/ }).click();
    flip(join(bundle, file), statSync(join(bundle, file)).size - 1, 3);
  });

  await step('against pinned keys, which the browser remembers', async () => {
    await pin(page, join(gate.data, 'keys/evidence.keys.json'));
    // The file is read before it is kept: a page that is left earlier remembers nothing.
    await says(page, 'Had from where you trust it');
    await page.reload();
    await says(page, 'Had from where you trust it');
    assert(await page.getByRole('radio', { name: /Keys that you pinned/ }).isChecked());
    const { verdict, words } = await verify(page);
    assert.equal(verdict, 'sound', words);
    assert.doesNotMatch(words, /they came from the gate/);
  });

  await step('against a stranger’s key it is signed by nobody, and the gate’s keys are called strange', async () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    await pin(page, { name: 'stranger.pem', mimeType: 'text/plain', buffer: Buffer.from(pem) });
    await says(page, 'The gate hands out a key that you have not pinned');
    const { verdict, words } = await verify(page);
    assert.equal(verdict, 'unknown_key', words);
    await page.getByRole('button', { name: 'Forget them' }).click();
    assert.equal((await verify(page)).verdict, 'sound');
  });

  await step('nobody complains, and each proof is one viewing on the record', async () => {
    assert.deepEqual(witness.complaints, []);
    assert.match(gate.journal(), /"part":"bundle"/);
  });
});

test('proof of an encrypted recording', async (t) => {
  const step = steps(t);
  const config = `${DESKTOPS}\n[recording]\nrecipients = ["${RECIPIENT}"]\n`;
  const [gate, browser] = [await Gate.start(config), await launch()];
  t.after(async () => {
    await browser.close();
    await gate.stop();
  });
  const { context, witness } = await profile(browser);
  const page = await context.newPage();

  await step('without an identity the ciphertext is proved, and what is in it is not', async () => {
    await record(page, gate);
    await page.getByText('This recording is encrypted').waitFor();
    const { verdict, words } = await verify(page);
    assert.equal(verdict, 'sound', words);
    assert.match(words, /no identity of theirs was given/);
  });

  await step('with one both layers are, and what is watched is what was signed', async () => {
    await page.getByLabel('Your identity').fill(IDENTITY);
    await page.getByRole('button', { name: 'Open the recording' }).click();
    await until('the video is ready', () => page.locator('video').evaluate((video) => video.readyState >= 3));
    const { verdict, words } = await verify(page);
    assert.equal(verdict, 'sound', words);
    assert.match(words, /opened with your identity: what is in them is what was signed/);
    await says(page, 'What you watch is what was signed');
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
    assert(!kept.includes('AGE-SECRET'), 'the identity is kept');
    assert(!witness.addresses.some((address) => address.includes('AGE-SECRET')), 'the identity was sent');
  });
});
