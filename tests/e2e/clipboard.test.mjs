/** The clipboard between browser and desktop: whole where a rule permits it, and nowhere else, whatever the page sends. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { launch, profile } from './browser.mjs';
import { events } from './bundle.mjs';
import { Desktop } from './desktop.mjs';
import { DESKTOPS, Gate, xterm } from './gate.mjs';
import { end, open, signIn } from './session.mjs';
import { cutText, keepSockets } from './socket.mjs';
import { steps, until } from './until.mjs';

// Put together here: the search for card numbers is tried on this repository too.
const CARD = ['4111', '1111', '1111', '1111'];

/** A card's number does not come in, and is taken out of what goes out. */
const RULED = `policy: ruled
applies: {desktops: [ruled]}
allow: {paste: {}, copy: {}}
deny:
  - {actions: [paste], containing: [payment-card]}
  - {actions: [copy], containing: [payment-card], then: redact}
`;

let gate, browser;
before(async () => {
  const wide = xterm('wide', 'Wide terminal', 'A shell whose clipboard is open.', 'terminal');
  const ruled = xterm('ruled', 'Ruled terminal', 'A shell whose texts are searched.', 'terminal');
  gate = await Gate.start(DESKTOPS + wide + ruled, {
    'wide.yaml': 'policy: wide\napplies: {desktops: [wide]}\nallow: {paste: {}, copy: {}}\n',
    'ruled.yaml': RULED,
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gate?.stop();
});

/** What is pasted and copied, and how it arrives: lines end in LF on both sides. */
const MIXED = 'é 漢字 😀\r\nline';
const ARRIVED = 'é 漢字 😀\nline';

test('the clipboard between the browser and a desktop', async (t) => {
  const step = steps(t);
  const { context } = await profile(browser);
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: gate.url });
  await keepSockets(context);
  const page = await context.newPage();
  await signIn(page, gate);
  const pasting = async (words) => {
    await page.evaluate((words) => navigator.clipboard.writeText(words), words);
    await page.keyboard.press('Control+v');
  };

  await step('with a rule, what is pasted reaches the desktop, and the page says so', async () => {
    const { id } = await open(page, 'Terminal');
    const desktop = await Desktop.find(id);
    await pasting('let in by a rule');
    await until(
      'the paste is on the clipboard of the desktop',
      async () => (await desktop.clipboard()) === 'let in by a rule',
    );
    await page.getByText("Handed to the gate, which judges it: 16 characters.").waitFor();
    await end(page);
    const [paste] = await judged(id);
    assert.deepEqual([paste.effect, paste.bytes], ['permit', 16]);
    assert.match(paste.rule, /^terminal\.yaml:\d+ /);
    await page.getByRole('link', { name: 'To the desktops', exact: true }).click();
  });

  await step('every character crosses, both ways', async () => {
    const { id } = await open(page, 'Terminal');
    const desktop = await Desktop.find(id);
    await pasting(MIXED);
    await until(
      'the paste is on the clipboard of the desktop',
      async () => (await desktop.clipboard()) === ARRIVED,
    );
    const owner = desktop.copy(`${MIXED} and back`);
    await until(
      'the copy is on the clipboard of this computer',
      async () => (await page.evaluate(() => navigator.clipboard.readText())) === `${ARRIVED} and back`,
    );
    await page.getByText('Copied to this computer: 20 characters.').waitFor();

    // What is over the policy's limit the page says, and hands nothing over.
    await pasting('x'.repeat(64 * 1024 + 1));
    await page.getByText('at most 64.0 KiB may be pasted in at a time').waitFor();
    assert.equal(await desktop.clipboard(), `${MIXED} and back`);
    await end(page);
    owner.kill();
    const crossed = (await judged(id)).map(({ type, effect, bytes }) => [type, effect, bytes]);
    assert.deepEqual(crossed, [
      ['paste', 'permit', Buffer.byteLength(ARRIVED)],
      ['copy', 'permit', Buffer.byteLength(`${ARRIVED} and back`)],
    ]);
    await page.getByRole('link', { name: 'To the desktops', exact: true }).click();
  });

  await step('noise of any length arrives whole', async () => {
    const { id } = await open(page, 'Wide terminal');
    const desktop = await Desktop.find(id);
    // 146 kB that do not compress well: just past a piece of the library's own writer, which would drop the end.
    for (const length of [110_000, 780_000]) {
      const noise = randomBytes(length).toString('base64');
      await pasting(noise);
      await until('the noise is on the desktop', async () => (await desktop.clipboard()) === noise);
      const back = noise.split('').reverse().join('');
      const owner = desktop.copy(back);
      await until(
        'the noise is back',
        async () => (await page.evaluate(() => navigator.clipboard.readText())) === back,
      );
      owner.kill();
    }
    await end(page);
    await page.getByRole('link', { name: 'To the desktops', exact: true }).click();
  });

  await step('a number that a rule looks for is stopped on its way in and redacted on its way out', async () => {
    const { id } = await open(page, 'Ruled terminal');
    const desktop = await Desktop.find(id);
    await pasting('nothing to see');
    await until('the paste is there', async () => (await desktop.clipboard()) === 'nothing to see');
    await pasting(`my card is ${CARD.join(' ')}, thank you`);
    await page.getByText(/the policy ruled does not let this text cross/i).waitFor();
    assert.equal(await desktop.clipboard(), 'nothing to see');
    const owner = desktop.copy(`his card is ${CARD.join('-')}, they said`);
    await until(
      'the copy is here without the number',
      async () =>
        (await page.evaluate(() => navigator.clipboard.readText())) === 'his card is [redacted], they said',
    );
    await page.getByText('Parts of what you copied were taken out on the way to this computer.').waitFor();
    assert(!(await page.content()).includes('payment-card'), 'the page says what is looked for');
    await end(page);
    owner.kill();
    const crossed = (await judged(id)).map(({ type, effect, found, redacted }) => [type, effect, found, redacted]);
    assert.deepEqual(crossed, [
      ['paste', 'permit', undefined, undefined],
      ['paste', 'deny', ['payment-card'], undefined],
      ['copy', 'permit', ['payment-card'], 1],
    ]);
    assert(!(gate.log() + gate.journal()).includes('1111'), 'contents are in a log');
    await page.getByRole('link', { name: 'To the desktops', exact: true }).click();
  });

  await step('without one, it does not, and the page says so', async () => {
    const { id, canvas } = await open(page, 'Sealed terminal');
    const desktop = await Desktop.find(id);
    await page.getByRole('button', { name: 'What is allowed here' }).click();
    await page.getByText('Text from this computer cannot be pasted into the desktop.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('application').click();
    const owner = desktop.copy("the desktop's own");
    await until('the desktop has copied', async () => (await desktop.clipboard()) === "the desktop's own");

    await pasting('smuggled by the page');
    await page.getByText('Pasting in is not permitted here.').waitFor();
    // Nor past the page: the message itself, on its socket.
    await cutText(page, 'smuggled by a message');
    // What is typed behind it on the same socket has arrived: so would the paste have.
    const before = await canvas.keep();
    await page.keyboard.type('echo behind it\n');
    await canvas.restsAfter(before, 'what was typed behind the paste', ({ height }) => height >= 40);
    assert.equal(await desktop.clipboard(), "the desktop's own");
    assert.equal(
      await page.evaluate(() => navigator.clipboard.readText()),
      'smuggled by the page',
      'the copy came out',
    );

    await end(page);
    owner.kill();
    const all = await judged(id);
    const pastes = all.filter(({ type }) => type === 'paste');
    assert.deepEqual(
      pastes.map(({ effect, bytes }) => [effect, bytes]),
      [['deny', 21]],
    );
    assert(
      all.some(({ type, effect }) => type === 'copy' && effect === 'deny'),
      'no word on the copy',
    );
    assert(
      !(JSON.stringify(all) + gate.log() + gate.journal()).includes('smuggled'),
      'contents are in a log',
    );
  });

  /** Judged crossings of a session, once it is sealed. */
  async function judged(id) {
    await until('the recording is sealed', async () => {
      const answer = await context.request.get(`${gate.url}/api/recordings/${id}`);
      return answer.ok() && (await answer.json()).state === 'closed';
    });
    return events(gate.bundle(id)).filter(({ type }) => type === 'paste' || type === 'copy');
  }
});
