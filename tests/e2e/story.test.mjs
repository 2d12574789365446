/** The whole story: a person signs in, opens a desktop, types, ends it, plays the recording; and the bundle proves it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, profile } from './browser.mjs';
import { events, files, flip, offsets } from './bundle.mjs';
import { Gate } from './gate.mjs';
import { boxes, lastStretch, picture, probe, psnr, run, times } from './media.mjs';
import { end, open } from './session.mjs';
import { steps, until } from './until.mjs';

/** The least likeness, in dB, of what was recorded to what was seen. */
const LIKE = 28;
/** Three lines of the terminal at least, in pixels: what was typed, what it printed, the next prompt. */
const THREE_LINES = 40;
const LISTED_WITHIN = 10_000;
const RULE = /^(\S+\.yaml:\d+ \S+|default deny)/;

let gate, browser;
before(async () => {
  gate = await Gate.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gate?.stop();
});

test('a recorded desktop in the browser', async (t) => {
  const step = steps(t);
  const nonce = randomBytes(8).toString('hex');
  const { context, witness } = await profile(browser);
  const page = await context.newPage();
  let id, canvas, revision, seen, unseen, typed, bundle;

  await step('the one-time link signs in and leaves no secret in the address', async () => {
    await page.goto(gate.link);
    await page.getByRole('heading', { name: 'Desktops', exact: true }).waitFor();
    assert.equal(page.url(), `${gate.url}/`);
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite], ['portcullis', true, 'Strict']);
  });

  await step('the launcher offers what the policy permits and says which rule refuses the rest', async () => {
    for (const title of ['Terminal', 'Sealed terminal']) {
      const card = page.getByRole('article', { name: title, exact: true });
      await card.getByRole('button', { name: `Open ${title}`, exact: true }).waitFor();
      assert.match(await card.innerText(), /Recorded under policy/i);
    }
    const vault = page.getByRole('article', { name: 'Vault console' });
    assert.match(await vault.innerText(), /Not permitted to you[\s\S]*vault\.yaml:\d+/i);
    assert.equal(await vault.getByRole('button').count(), 0);
    const offered = await (await context.request.get(`${gate.url}/api/desktops`)).json();
    revision = offered.desktops[0].policy.revision;
    assert.match(revision, /^sha256:[0-9a-f]{12}$/);
  });

  await step('the used link is refused', async () => {
    const other = await profile(browser);
    const late = await other.context.newPage();
    await late.goto(gate.link);
    await late.getByRole('alert').getByText('This link does not work').waitFor();
    assert.equal((await other.context.request.get(`${gate.url}/api/me`)).status(), 401);
    await other.context.close();
    // The browser itself says that one call was refused; nothing else is amiss.
    assert.deepEqual(
      other.witness.complaints.filter((words) => !/401 \(Unauthorized\)/.test(words)),
      [],
    );
  });

  await step('the desktop is there, and the page says that it is recorded and by which policy', async () => {
    ({ id, canvas } = await open(page, 'Terminal'));
    const banner = await page.getByRole('banner').innerText();
    assert.match(banner, /This session is recorded/);
    assert.match(banner, /policy \S+/);
    assert(
      banner.includes(revision.slice('sha256:'.length, 'sha256:'.length + 7)),
      `no revision in: ${banner}`,
    );
  });

  await step('typing works: what was typed and what it printed is seen', async () => {
    const { width, height } = await canvas.size();
    const place = await page.locator('[role="application"] canvas').boundingBox();
    // Away from the text: the recording draws the pointer, the canvas does not.
    await page.mouse.click(place.x + place.width - 20, place.y + place.height - 20);
    await canvas.shows('the desktop after a click');
    unseen = await canvas.picture();
    const before = await canvas.keep();
    await page.keyboard.type(`echo ${nonce}`);
    await page.keyboard.press('Enter');
    typed = await canvas.restsAfter(
      before,
      'the command and its output',
      ({ height }) => height >= THREE_LINES,
    );
    seen = await canvas.picture();
    assert.deepEqual([seen.width, seen.height], [width, height]);
    assert(psnr(seen, unseen, typed) < LIKE, 'the likeness cannot tell the text from none');
  });

  await step('ended from the page, it is in the list, sealed, within ten seconds', async () => {
    const start = performance.now();
    await end(page);
    await page.getByRole('link', { name: 'To the desktops', exact: true }).click();
    await page.getByRole('link', { name: 'Recordings' }).click();
    const row = page.getByRole('row').filter({ has: page.locator(`a[href$="${id}"]`) });
    await row.getByText('Sealed').waitFor({ timeout: LISTED_WITHIN });
    assert(performance.now() - start < LISTED_WITHIN, 'it took longer');
    await row.getByRole('link').click();
  });

  await step('it plays in the page, and its last picture is what was seen', async () => {
    const player = page.getByRole('region', { name: 'Recorded screen' });
    const video = page.locator('video');
    await until('the video is ready', () => video.evaluate((video) => video.readyState >= 3));
    await player.getByRole('button', { name: 'Play', exact: true }).click();
    await until('the clock advances', () => video.evaluate((video) => video.currentTime > 0.5));
    assert.equal(await player.getByRole('alert').count(), 0, 'the player complains');
    const line = page.getByRole('slider', { name: 'Position' });
    await line.press('End');
    await until('it has come to the end', () =>
      video.evaluate((video) => !video.seeking && video.currentTime > video.duration - 0.1),
    );
    const last = await video.evaluate((video) => {
      const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
      canvas.getContext('2d').drawImage(video, 0, 0);
      return canvas
        .convertToBlob({ type: 'image/png' })
        .then(async (blob) => [...new Uint8Array(await blob.arrayBuffer())]);
    });
    assert.equal(await video.evaluate((video) => video.error?.message ?? null), null);
    const played = await picture(Buffer.from(last));
    const likeness = psnr(played, seen, typed);
    t.diagnostic(`played against seen: ${likeness.toFixed(1)} dB`);
    assert(likeness > LIKE, `${likeness} dB`);
  });

  await step(
    'its events are listed below and marked on the time line, and a click on one seeks',
    async () => {
      const list = page.getByRole('region', { name: /^Events/ });
      for (const title of ['Session opened', 'Viewer joined', 'Clicks', 'Keys', 'Session closed'])
        await list.getByRole('listitem').filter({ hasText: title }).first().waitFor();
      assert((await page.locator('[role="slider"] .mark').count()) > 1, 'no marks on the time line');
      const answer = await context.request.get(`${gate.url}/api/recordings/${id}/events`);
      const keys = (await answer.json()).events.find(({ type }) => type === 'keys');
      await list.getByRole('listitem').filter({ hasText: 'Keys' }).first().getByRole('button').click();
      await until('the video is at the event', () =>
        page
          .locator('video')
          .evaluate((video, at) => Math.abs(video.currentTime - at) < 0.05, keys.at_us / 1e6),
      );
    },
  );

  await step('the bundle holds H.264 in CMAF, BT.709, and its last frame is what was seen', async () => {
    bundle = gate.bundle(id);
    const { init, segments, film } = lastStretch(bundle);
    const [{ type: first, content: brands }, { content: moov }] = boxes(init);
    assert.equal(first, 'ftyp');
    assert.match(brands.toString('latin1'), /cmf[c2]/);
    assert(
      boxes(moov).some(({ type }) => type === 'mvex'),
      'the init segment promises no fragments',
    );
    for (const segment of segments) {
      const types = boxes(segment).map(({ type }) => type);
      assert(types.includes('moof') && !types.includes('moov'), `a segment of ${types}`);
    }
    const [stream] = (await probe(film)).streams;
    assert.equal(stream.codec_name, 'h264');
    assert.equal(stream.pix_fmt, 'yuv420p');
    const { color_space, color_transfer, color_primaries } = stream;
    assert.deepEqual(
      { color_space, color_transfer, color_primaries },
      {
        color_space: 'bt709',
        color_transfer: 'bt709',
        color_primaries: 'bt709',
      },
    );
    const shown = await times(film);
    assert(
      shown.every((time, n) => Number.isFinite(time) && (n === 0 || time > shown[n - 1])),
      `frames share a time: ${shown}`,
    );
    await run('ffprobe', ['-v', 'error', '-show_streams', join(bundle, 'index.m3u8')]);
    const recorded = await picture(film);
    const likeness = psnr(recorded, seen, typed);
    t.diagnostic(`recorded against seen: ${likeness.toFixed(1)} dB in ${typed.width}x${typed.height}`);
    assert(likeness > LIKE, `${likeness} dB`);
  });

  await step(
    'every event names subject, session, policy revision and rule, and none what was typed',
    async () => {
      const all = events(bundle);
      all.forEach((event, seq) => {
        const { session, subject, policy } = event;
        assert.deepEqual({ session, subject, policy }, { session: id, subject: 'local', policy: revision });
        assert.match(event.rule, RULE);
        assert.equal(event.seq, all[0].seq + seq);
      });
      const pressed = all.filter(({ type }) => type === 'keys').reduce((sum, keys) => sum + keys.pressed, 0);
      assert.equal(pressed, `echo ${nonce}\n`.length);
      assert.equal(all[0].type, 'session_opened');
      assert.equal(all.at(-1).type, 'session_closed');
      const written = JSON.stringify(all) + gate.log() + gate.journal();
      assert(!written.includes(nonce), 'what was typed is in a log');
    },
  );

  await step('portcullis verify finds it sound, and any byte put wrong by the name of its file', async () => {
    const sound = await gate.verify(bundle);
    assert.equal(sound.code, 0, sound.words);
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-e2e-flip-'));
    const copy = join(folder, id);
    cpSync(bundle, copy, { recursive: true });
    let tried = 0;
    for (const path of files(copy)) {
      const place = join(copy, path);
      for (const offset of offsets(readFileSync(place).length)) {
        const bit = tried % 8;
        flip(place, offset, bit);
        const { code, words } = await gate.verify(copy);
        flip(place, offset, bit);
        assert(code > 3, `${path}: bit ${bit} of byte ${offset} is not missed`);
        const named = words.split('\n').some((line) => line.startsWith(`${path}: `));
        assert(named, `${path}: bit ${bit} of byte ${offset}, but the words are\n${words}`);
        tried += 1;
      }
    }
    assert.equal((await gate.verify(copy)).code, 0, 'the copy was not restored');
    t.diagnostic(`${tried} bytes of ${files(copy).length} files put wrong, one at a time`);
    rmSync(folder, { recursive: true });
  });

  await step('a browser without the cookie gets nothing but the sign-in page', async () => {
    const { context: stranger } = await profile(browser);
    const paths = [
      '/api/recordings',
      `/api/recordings/${id}`,
      `/api/recordings/${id}/index.m3u8`,
      '/api/desktops',
      '/api/sessions',
    ];
    for (const path of paths) {
      const answer = await stranger.request.get(gate.url + path);
      assert.equal(answer.status(), 401, path);
      assert.equal(answer.headers()['content-type'], 'application/problem+json', path);
    }
    const door = await stranger.newPage();
    for (const path of ['/', '/recordings', `/recordings/${id}`]) {
      await door.goto(gate.url + path);
      await door.getByRole('heading', { name: 'Sign in' }).waitFor();
      assert.equal(new URL(door.url()).pathname, '/sign-in');
    }
    await stranger.close();
  });

  await step('no complaint, no address but the gate, and no secret in an address or a log', async () => {
    const tickets = await witness.allTickets();
    assert.equal(tickets.length, 1);
    const cookies = (await context.cookies()).map(({ value }) => value);
    assert.deepEqual(witness.complaints, []);
    const here = new URL(gate.url).host;
    const foreign = witness.addresses.filter(
      (one) => !/^(data|blob):/.test(one) && new URL(one).host !== here,
    );
    assert.deepEqual(foreign, []);
    assert(
      witness.addresses.some((one) => one.startsWith('ws://')),
      'no WebSocket was witnessed',
    );
    const written = witness.addresses.join('\n') + gate.log() + gate.journal();
    for (const secret of [gate.secret, ...tickets, ...cookies]) {
      assert(secret.length >= 20);
      assert(!written.includes(secret), 'a secret is in an address or a log');
    }
    const policy = (await page.request.get(gate.url)).headers()['content-security-policy'];
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
  });
});
