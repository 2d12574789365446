/** Files between the browser and a desktop: dropped, judged, listed, fetched; large ones in pieces; each on the record. */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, profile } from './browser.mjs';
import { events } from './bundle.mjs';
import { Desktop } from './desktop.mjs';
import { Gate, xterm } from './gate.mjs';
import { end, open, signIn } from './session.mjs';
import { steps, until } from './until.mjs';

const POLICY = `policy: files
applies: {desktops: [exchange]}
allow:
  upload: {max_bytes: 24 MiB}
  download: {max_bytes: 1 MiB}
deny:
  - {actions: [upload, download], containing: [private-key]}
`;
const MIB = 1024 * 1024;
/** Where the desktop has its transfer folder. */
const FOLDER = '/home/transfer';
const key = generateKeyPairSync('ed25519').privateKey.export({
  type: 'pkcs8',
  format: 'pem',
});
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

let gate, browser;
before(async () => {
  const desktop = xterm('exchange', 'Exchange', 'A shell that files go in and out of.', 'terminal');
  const closed = xterm('closed', 'Closed', 'A shell without files.', 'terminal');
  gate = await Gate.start(desktop + closed, { 'files.yaml': POLICY });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gate?.stop();
});

/** Drags a file over the page, or drops it there; a browser lets a test do that by events alone. */
async function drag(page, type, name, text) {
  await page.evaluate(
    ([type, name, text]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([text], name, { type: 'text/plain' }));
      const at = document.querySelector('main');
      at.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    },
    [type, name, text],
  );
}

test('files between the browser and a desktop', async (t) => {
  const step = steps(t);
  const { context } = await profile(browser, { acceptDownloads: true });
  const page = await context.newPage();
  await signIn(page, gate);
  let id, desktop;
  const row = (name) => page.getByRole('complementary').getByRole('listitem').filter({ hasText: name });
  const choose = (name, bytes) =>
    page
      .locator('aside input[type=file]')
      .setInputFiles([{ name, mimeType: 'text/plain', buffer: Buffer.from(bytes) }]);
  const sum = async (name) => (await desktop.run('sha256sum', [`${FOLDER}/${name}`]))?.split(' ')[0];

  await step('what is dropped on the page lies on the desktop', async () => {
    ({ id } = await open(page, 'Exchange'));
    desktop = await Desktop.find(id);
    await drag(page, 'dragenter', 'note.txt', 'over the page');
    await page.getByText('Drop to hand in').waitFor();
    await drag(page, 'drop', 'note.txt', 'dropped on the page\n');
    await page.getByText('“note.txt” lies on the desktop now.').first().waitFor({ state: 'attached' });
    assert.equal(await desktop.run('cat', [`${FOLDER}/note.txt`]), 'dropped on the page\n');
    await row('note.txt').getByRole('button', { name: 'Download' }).waitFor();
  });

  await step('what policy stops is stopped in its words, under its rule', async () => {
    await choose('key.txt', key);
    const stopped = row('key.txt');
    await stopped.getByText('Stopped').first().waitFor();
    await stopped
      .getByText(/files\.yaml:7/)
      .first()
      .waitFor();
    assert.equal(await sum('key.txt'), undefined);
    assert(!(await stopped.innerText()).includes('BEGIN'), 'the page repeats what was found');
  });

  await step('what is too large is not even asked for', async () => {
    await choose('long.txt', Buffer.alloc(24 * MIB + 1, 0x2e));
    await row('long.txt').getByText('Stopped').first().waitFor();
    assert.equal(await sum('long.txt'), undefined);
  });

  await step('a large one goes on where the network broke', async () => {
    const text = Buffer.from('a line of text that is long enough\n'.repeat((20 * MIB) / 35));
    const calls = [];
    page.on('request', (request) => {
      if (request.url().includes('/uploads')) calls.push(request.method());
    });
    let broken = false;
    await page.route('**/uploads/*', (route) => {
      if (broken || route.request().method() !== 'PATCH') return route.continue();
      broken = true;
      return route.abort('connectionreset');
    });
    await choose('large.txt', text);
    await page.getByText('“large.txt” lies on the desktop now.').first().waitFor({ state: 'attached' });
    assert.equal(await sum('large.txt'), sha256(text));
    assert.deepEqual(calls, ['POST', 'PATCH', 'HEAD', 'PATCH']);
    await page.unroute('**/uploads/*');
  });

  await step('what lies on the desktop is fetched', async () => {
    await desktop.run('sh', ['-c', `echo "made on the desktop" > ${FOLDER}/out.txt`]);
    const button = row('out.txt').getByRole('button', { name: 'Download' });
    await button.waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
    assert.equal(download.suggestedFilename(), 'out.txt');
    assert.equal(readFileSync(await download.path(), 'utf8'), 'made on the desktop\n');
  });

  await step('and stopped where policy says so', async () => {
    await desktop.run('sh', ['-c', `printf '%s' "$1" > ${FOLDER}/secret.txt`, 'sh', key]);
    await row('secret.txt').getByRole('button', { name: 'Download' }).click();
    await row('secret.txt').getByText('Stopped').first().waitFor();
    let downloads = 0;
    page.on('download', () => (downloads += 1));
    await row('note.txt').getByRole('button', { name: 'Download' }).click();
    await until('the next one arrives', () => downloads === 1);
  });

  await step('all of it is on the record, and no contents are', async () => {
    await page.getByRole('button', { name: 'Close the files' }).click();
    await end(page);
    await until('the recording is sealed', async () => {
      const answer = await context.request.get(`${gate.url}/api/recordings/${id}`);
      return answer.ok() && (await answer.json()).state === 'closed';
    });
    const all = events(gate.bundle(id)).filter(({ type }) => type === 'upload' || type === 'download');
    assert.deepEqual(
      all.map(({ type, effect, name }) => [type, effect, name]),
      [
        ['upload', 'permit', 'note.txt'],
        ['upload', 'deny', 'key.txt'],
        ['upload', 'permit', 'large.txt'],
        ['download', 'permit', 'out.txt'],
        ['download', 'deny', 'secret.txt'],
        ['download', 'permit', 'note.txt'],
      ],
    );
    assert.deepEqual(all[1].found, ['private-key']);
    const secret = key.split('\n')[1];
    assert(!(JSON.stringify(all) + gate.log() + gate.journal()).includes(secret), 'contents are in a log');
  });

  await step('without a rule files are not offered, and a drop does not leave the page', async () => {
    await page.getByRole('link', { name: 'To the desktops', exact: true }).click();
    const { id: closed } = await open(page, 'Closed');
    assert.equal(await page.getByRole('button', { name: 'Files', exact: true }).count(), 0);
    await drag(page, 'dragenter', 'note.txt', 'x');
    await page.getByText('Files may not be handed in here').waitFor();
    await drag(page, 'drop', 'note.txt', 'x');
    const refused = await context.request.post(`${gate.url}/api/sessions/${closed}/files?name=note.txt`, {
      data: Buffer.from('x'),
      headers: {
        'content-type': 'application/octet-stream',
        origin: gate.url,
      },
    });
    assert.equal(refused.status(), 403);
    await end(page);
  });
});
