/** The scenes of the player, in each of its states. */
import { playable } from './fixtures.mjs';
import { some } from './notes.mjs';
import { showVideo, text } from './steps.mjs';

const path = `/recordings/${playable.closed}`;
const HOURS = 4 * 3600;

const at = (tab) => tab.evaluate(() => document.querySelector('video').currentTime);
const settled = (tab) =>
  tab.waitForFunction(() => {
    const video = document.querySelector('video');
    return !video.seeking && video.readyState >= 2;
  });
const seek = async (tab, second) => {
  await tab.waitForFunction(
    (second) => Math.abs(document.querySelector('video').currentTime - second) < 0.1,
    second,
  );
  await settled(tab);
};

/** The box around a line, in shares of the picture. */
const boxIn = (tab) =>
  tab.evaluate(() => {
    const [box, video] = ['.found .current', 'video'].map((one) =>
      document.querySelector(one).getBoundingClientRect(),
    );
    const { videoWidth, videoHeight } = document.querySelector('video');
    const scale = Math.min(video.width / videoWidth, video.height / videoHeight);
    const left = video.left + (video.width - videoWidth * scale) / 2;
    const top = video.top + (video.height - videoHeight * scale) / 2;
    return { x: (box.left - left) / scale, y: (box.top - top) / scale, width: box.width / scale };
  });

export const playerScenes = [
  {
    name: 'player-found',
    path: `${path}?t=17.1&q=working+tree`,
    async act(tab, _, fault) {
      await showVideo(tab);
      await settled(tab);
      await text(tab, '1 moment');
      await tab.keyboard.press('(');
      await seek(tab, 5.1);
      await tab.locator('.found .current').waitFor();
      await tab.waitForTimeout(50);
      const box = await boxIn(tab);
      if (Math.abs(box.x - 108) > 2 || Math.abs(box.y - 170) > 2 || Math.abs(box.width - 379) > 3)
        fault(`the box is at ${JSON.stringify(box)}`);
      await tab.getByRole('searchbox', { name: 'Words on the screen or in events' }).fill('e');
      await tab.keyboard.press('Enter');
      await tab.locator('aside li').nth(3).waitFor();
      await tab.locator('h1').click();
      await tab.keyboard.press(')');
      if (!new URL(tab.url()).searchParams.get('q')) fault('the address does not hold what is sought');
    },
  },
  {
    name: 'player-found-nothing',
    path: `${path}?q=unheard-of`,
    async act(tab) {
      await showVideo(tab);
      await text(tab, 'Nothing was found');
    },
  },
  {
    name: 'player',
    path,
    whole: true,
    before: (world) => (world.notes = [...some]),
    async act(tab, _, fault) {
      await showVideo(tab);
      await tab
        .getByRole('button', { name: /Paste in/ })
        .last()
        .click();
      await seek(tab, 26.3);
      // The next change of the picture after 26.3 s is at 26.4 s.
      await tab.locator('h1').click();
      await tab.keyboard.press('.');
      await seek(tab, 26.4);
      const there = await at(tab);
      if (Math.abs(there - 26.4) > 0.02) fault(`one frame on from 26.3 s is ${there} s`);
      await tab.keyboard.press(',');
      await seek(tab, 22);
    },
  },
  {
    name: 'player-hover',
    path: `${path}?t=26.5`,
    before: (world) => (world.notes = [...some]),
    async act(tab) {
      await showVideo(tab);
      await settled(tab);
      await tab.getByRole('slider').hover({ position: { x: 420, y: 45 } });
      await tab.locator('.hint canvas').waitFor();
    },
  },
  {
    name: 'player-search',
    path,
    async act(tab, _, fault) {
      await showVideo(tab);
      await tab.keyboard.press('/');
      await tab.keyboard.type('paste');
      await text(tab, '3 of 3');
      await tab.getByLabel('Verdict').selectOption('deny');
      await text(tab, '1 of 3');
      await tab.locator('h1').click();
      await tab.keyboard.press(']');
      await seek(tab, 26.3);
      if ((await tab.getByRole('listitem').filter({ hasText: 'Keys' }).count()) > 0)
        fault('the list shows what was not sought');
    },
  },
  {
    name: 'player-plays',
    path,
    async act(tab, _, fault) {
      await showVideo(tab);
      await tab.getByLabel('Speed').selectOption('16');
      await tab.locator('h1').click();
      await tab.keyboard.press('Space');
      await tab.waitForFunction(() => document.querySelector('video').currentTime > 20, null, {
        timeout: 15_000,
      });
      await tab.keyboard.press('Space');
      await tab.waitForFunction(() => document.querySelector('video').paused);
      const slider = Number(await tab.getByRole('slider').getAttribute('aria-valuenow'));
      if (Math.abs(slider - (await at(tab))) > 1) fault(`the time line says ${slider} at ${await at(tab)} s`);
    },
  },
  {
    name: 'player-gap',
    path: `${path}?t=35`,
    async act(tab) {
      await showVideo(tab);
      await text(tab, 'Nothing could be recorded here');
      await text(tab, 'the spool was full');
    },
  },
  {
    name: 'player-no-video',
    path: `${path}?t=12`,
    before: (world) => (world.gaps = [2]),
    async act(tab) {
      await text(tab, 'Nothing could be recorded here');
    },
  },
  {
    name: 'player-lost',
    path: `${path}?t=12`,
    expects: ['500'],
    before: (world) =>
      world.problems.set(`GET /api/recordings/${playable.closed}/video/00002.m4s`, {
        status: 500,
        title: 'The vault failed',
        detail: '',
      }),
    async act(tab) {
      await text(tab, 'This part of the video could not be loaded');
      await text(tab, 'The rest plays on without it');
    },
  },
  {
    name: 'player-skips',
    path: `${path}?t=48`,
    async act(tab, _, fault) {
      await showVideo(tab);
      await settled(tab);
      await tab.getByRole('button', { name: 'Skip rest' }).click();
      await tab.getByRole('button', { name: 'Play', exact: true }).click();
      await text(tab, /Skipped \d+ s of rest/);
      await tab.getByRole('button', { name: 'Pause', exact: true }).click();
      if ((await at(tab)) < 55) fault(`nothing was skipped: ${await at(tab)} s`);
    },
  },
  {
    name: 'player-inputs',
    path: `${path}?t=11.8`,
    async act(tab) {
      await showVideo(tab);
      await settled(tab);
      await tab.locator('h1').click();
      await tab.keyboard.press('i');
      await tab.locator('.click').waitFor();
    },
  },
  {
    name: 'player-notes',
    path: `${path}?t=31.7`,
    before: (world) => (world.notes = [...some]),
    async act(tab, world, fault) {
      await showVideo(tab);
      await settled(tab);
      await tab.locator('h1').click();
      await tab.keyboard.press('b');
      await text(tab, 'Bookmarked 0:31.7.');
      if (world.notes.length !== 4) fault('the gate has no bookmark');
      await tab.keyboard.press('n');
      await tab.getByLabel('Note on 0:31.7').fill('Was this asked for?');
      await tab.getByRole('button', { name: 'Save', exact: true }).click();
      await text(tab, 'Was this asked for?');
      await tab.getByRole('button', { name: 'Edit: Was this asked for?' }).click();
    },
  },
  {
    name: 'player-help',
    path,
    async act(tab) {
      await showVideo(tab);
      await tab.keyboard.press('?');
      await text(tab, 'What the time line shows');
    },
  },
  {
    name: 'player-long',
    path: `${path}?t=5400`,
    before(world) {
      world.long = HOURS;
      Object.assign(
        world.recordings.find(({ id }) => id === playable.closed),
        { duration_ms: HOURS * 1000, events: 9_000, denied: 21 },
      );
    },
    async act(tab) {
      await showVideo(tab);
      await settled(tab);
    },
  },
  {
    name: 'player-zoomed',
    path: `${path}?t=5400`,
    before(world) {
      world.long = HOURS;
      world.recordings.find(({ id }) => id === playable.closed).duration_ms = HOURS * 1000;
    },
    async act(tab, _, fault) {
      await showVideo(tab);
      await settled(tab);
      await tab.locator('h1').click();
      for (let n = 0; n < 5; n += 1) await tab.keyboard.press('+');
      await tab.getByRole('scrollbar').waitFor();
      const rows = await tab.getByRole('listitem').count();
      if (rows > 120) fault(`${rows} rows are drawn`);
    },
  },
  {
    name: 'player-interrupted',
    path: `/recordings/${playable.interrupted}`,
    before: (world) => (world.faults = [{ path: 'events/00004.jsonl', line: 12 }]),
    async act(tab) {
      await text(tab, 'events/00004.jsonl line 12');
      await showVideo(tab);
      await text(tab, 'This recording was cut short');
    },
  },
  {
    name: 'player-running',
    path: `/recordings/${playable.running}`,
    async act(tab) {
      await showVideo(tab);
      await text(tab, 'still being recorded');
    },
  },
  {
    name: 'player-expired',
    path,
    before(world) {
      world.recordings.find(({ id }) => id === playable.closed).state = 'expired';
    },
    act: (tab) => text(tab, 'Its time is over'),
  },
  {
    name: 'player-not-shown',
    path,
    before(world) {
      world.recordings.find(({ id }) => id === playable.closed).state = 'missing';
    },
    act: (tab) => text(tab, 'does not show this recording any more'),
  },
  {
    name: 'player-nothing',
    path,
    expects: ['404'],
    before: (world) =>
      world.problems.set(`GET /api/recordings/${playable.closed}/index.m3u8`, {
        status: 404,
        title: 'Not found',
        detail: 'Nothing of this session is on video yet.',
      }),
    act: (tab) => text(tab, 'Nothing of this session has been recorded as video yet'),
  },
  {
    name: 'player-missing',
    path: '/recordings/nothing',
    expects: ['404'],
    act: (tab) => text(tab, 'This recording could not be opened'),
  },
];
