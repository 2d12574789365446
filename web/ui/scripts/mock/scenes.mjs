/** Each page and each of its states: how to come to it, what to do there, and what must then be so. */
import { sessions } from './fixtures.mjs';
import { fileScenes } from './scenes-files.mjs';
import { finderScenes } from './scenes-finder.mjs';
import { playerScenes } from './scenes-player.mjs';
import { proofScenes } from './scenes-proof.mjs';
import { sealedScenes } from './scenes-sealed.mjs';
import { signInScenes } from './scenes-sign-in.mjs';
import { showDesktop, text, until } from './steps.mjs';

const live = sessions(Date.now())[0].id;

const closing = (name, code, reason, title) => ({
  name: `ended-${name}`,
  path: `/desktop/${live}`,
  async act(tab, world) {
    (await showDesktop(tab, world)).close(code, reason);
    await tab.getByRole('heading', { name: title }).waitFor();
  },
});

export const scenes = [
  ...signInScenes,
  {
    name: 'launcher',
    path: '/sign-in#good',
    whole: true,
    before: (world) => (world.signedIn = false),
    async act(tab, _, fault) {
      await text(tab, 'Production console');
      await text(tab, 'Rejoin');
      if (new URL(tab.url()).pathname !== '/') fault('sign-in did not lead to the launcher');
    },
  },
  {
    name: 'theme',
    path: '/recordings',
    async act(tab, _, fault) {
      await tab.emulateMedia({ colorScheme: 'light' });
      const toggle = tab.getByRole('button', { name: /^Theme/ });
      const page = () => tab.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const light = await page();
      await toggle.click();
      await toggle.click();
      const dark = await page();
      if (dark === light) fault('the theme toggle changes nothing');
      await tab.reload();
      await text(tab, 'Load older ones');
      if ((await page()) !== dark) fault('the theme is not remembered');
      await toggle.click();
      if ((await page()) !== light) fault('the toggle does not come back to the theme of the system');
    },
  },
  {
    name: 'launcher-refused',
    path: '/',
    expects: ['403'],
    before(world) {
      world.sessions = [];
      world.problems.set('POST /api/sessions', {
        status: 403,
        title: 'Not permitted',
        detail: 'You already have two sessions, and may have no more at once.',
        rule: 'contractors.yaml:21 session.concurrent',
      });
    },
    async act(tab) {
      await tab.getByRole('button', { name: 'Open Terminal' }).click();
      await text(tab, 'Terminal could not be opened');
    },
  },
  {
    name: 'launcher-empty',
    path: '/',
    before: (world) => Object.assign(world, { desktops: [], sessions: [] }),
    act: (tab) => text(tab, 'No desktops yet'),
  },
  {
    name: 'launcher-failed',
    path: '/',
    expects: ['503'],
    before: (world) =>
      world.problems.set('GET /api/desktops', {
        status: 503,
        title: 'Not ready',
        detail: 'The policy files could not be read; the last good ones are being loaded.',
      }),
    act: (tab) => text(tab, 'The desktops could not be listed'),
  },
  {
    name: 'desktop',
    path: '/',
    async act(tab, world, fault) {
      await tab.getByRole('button', { name: 'Open Terminal' }).click();
      const connection = await showDesktop(tab, world);
      if (world.tickets !== 1) fault(`opening a desktop used ${world.tickets} tickets instead of one`);
      await tab.keyboard.type('hi');
      await until(() => connection.keys.length >= 2);
      if (connection.keys.join() !== '104,105') fault(`typing "hi" sent the keys ${connection.keys}`);
    },
  },
  {
    name: 'desktop-paste',
    path: `/desktop/${live}`,
    async act(tab, world, fault) {
      const connection = await showDesktop(tab, world);
      await tab.evaluate(() => navigator.clipboard.writeText('naïve €'));
      await tab.locator('canvas').first().click();
      await tab.keyboard.press('Control+v');
      await text(tab, 'beyond this desktop’s clipboard');
      await until(() => connection.pasted.length > 0 && connection.keys.at(-1) === 0x76);
      const [got] = connection.pasted;
      if (got !== 'naïve ?') fault(`the desktop was pasted ${JSON.stringify(got)}`);
      if (connection.keys.at(-1) !== 0x76)
        fault(`the V that pasted did not reach the desktop: ${connection.keys}`);
    },
  },
  {
    name: 'desktop-copy-denied',
    path: `/desktop/${live}`,
    async act(tab, world, fault) {
      await showDesktop(tab, world);
      await tab.locator('canvas').first().click();
      await tab.keyboard.press('Control+c');
      await text(tab, 'Copying out is not permitted');
      await tab.keyboard.press('Control+Alt+Shift');
      const left = await tab.evaluate(() => document.activeElement?.closest('header') !== null);
      if (!left) fault('Ctrl+Alt+Shift did not leave the desktop');
    },
  },
  {
    name: 'desktop-copy',
    path: `/desktop/${sessions(0)[1].id}`,
    async act(tab, world, fault) {
      (await showDesktop(tab, world)).copy('out of the desktop');
      await text(tab, 'Copied to this computer');
      const got = await tab.evaluate(() => navigator.clipboard.readText());
      if (got !== 'out of the desktop') fault(`this computer got ${JSON.stringify(got)}`);
    },
  },
  {
    name: 'desktop-allowed',
    path: `/desktop/${live}`,
    async act(tab, world) {
      await showDesktop(tab, world);
      await tab.locator('button.allowed').click();
      await text(tab, 'Text copied on the desktop stays there.');
    },
  },
  {
    name: 'desktop-watch',
    path: `/desktop/${live}`,
    before: (world) =>
      (world.sessions[0].allows = { ...world.sessions[0].allows, control: false, paste: false, copy: false }),
    async act(tab, world) {
      await showDesktop(tab, world);
      await text(tab, 'You are watching');
    },
  },
  {
    name: 'desktop-unrecorded',
    path: `/desktop/${live}`,
    before: (world) => (world.sessions[0].recording = { mode: 'best_effort', state: 'failed' }),
    async act(tab, world) {
      await showDesktop(tab, world);
      await text(tab, 'Recording has failed');
    },
  },
  {
    name: 'desktop-end',
    path: `/desktop/${live}`,
    async act(tab, world) {
      await showDesktop(tab, world);
      await tab.getByRole('button', { name: 'End session' }).click();
      await text(tab, 'End this session?');
    },
  },
  {
    name: 'desktop-reconnecting',
    path: `/desktop/${live}`,
    expects: ['503'],
    async act(tab, world) {
      const connection = await showDesktop(tab, world);
      world.problems.set(`GET /api/sessions/${live}`, { status: 503, title: 'Restarting', detail: '' });
      connection.cut();
      await text(tab, 'Connection lost');
      await text(tab, /in [2-9] s/);
    },
  },
  {
    name: 'desktop-ending',
    path: `/desktop/${live}`,
    before(world) {
      world.sessions[0].recording.keys = 'keys';
    },
    async act(tab, world, fault) {
      const connection = await showDesktop(tab, world);
      await until(() => world.pages.length > 0);
      const rule = 'contractors.yaml:12 session.idle';
      const at = new Date(Date.now() + 48_000).toISOString();
      const ending = { type: 'ending', at, left_ms: 48_000, why: 'idle', rule };
      world.pages[0]?.(ending);
      await text(tab, 'Are you still here?');
      await text(tab, 'with every key you press');
      const heard = connection.keys.length;
      await tab.getByRole('button', { name: 'I am still here' }).click();
      await until(() => connection.keys.length > heard);
      if (connection.keys.length === heard) fault('the desktop heard nothing of who is still here');
      world.pages[0]?.({ type: 'staying' });
      await tab.getByText('Are you still here?').waitFor({ state: 'detached' });
      world.pages[0]?.(ending);
      await text(tab, 'Are you still here?');
    },
  },
  {
    name: 'desktop-refused-keys',
    path: `/desktop/${live}`,
    async act(tab, world) {
      await showDesktop(tab, world);
      await until(() => world.pages.length > 0);
      const [why, rule] = ['Ctrl+Alt+Delete is blocked', 'contractors.yaml:14 input.blocked_chords'];
      world.pages[0]?.({ type: 'refused', what: 'chord', why, rule });
      await text(tab, 'That combination of keys');
    },
  },
  {
    name: 'desktop-stopped-paste',
    path: `/desktop/${live}`,
    async act(tab, world) {
      await showDesktop(tab, world);
      await until(() => world.pages.length > 0);
      const why = 'paste happens more often than the 5 times a minute that are allowed';
      world.pages[0]?.({ type: 'refused', what: 'paste', why, rule: 'contractors.yaml:9 allow.paste' });
      await text(tab, 'What you pasted was stopped');
      await text(tab, 'more often than the 5 times a minute');
    },
  },
  {
    name: 'desktop-reconnected',
    path: `/desktop/${live}`,
    async act(tab, world, fault) {
      (await showDesktop(tab, world)).cut();
      await text(tab, 'Connection lost');
      await text(tab, 'Connected');
      await showDesktop(tab, world);
      if (world.connections.length !== 2) fault(`${world.connections.length} connections instead of two`);
    },
  },
  {
    name: 'ended-by-me',
    path: `/desktop/${live}`,
    async act(tab, world) {
      await showDesktop(tab, world);
      await tab.getByRole('button', { name: 'End session' }).click();
      await tab.locator('dialog').getByRole('button', { name: 'End session' }).click();
      await text(tab, 'You ended the session');
    },
  },
  closing('not-permitted', 4003, 'contractors.yaml:9 deny[0].actions: hours are over', 'No longer permitted'),
  closing('recording', 4010, 'the spool is full', 'The recording failed'),
  closing('slow', 4008, 'the viewer did not take its pixels in time', 'too slow'),
  closing('desktop', 4011, 'Xvnc exited with status 1', 'The desktop has ended'),
  {
    name: 'ended-gone',
    path: '/desktop/nothing',
    expects: ['404'],
    act: (tab) => text(tab, 'This session is over'),
  },
  {
    name: 'policies',
    path: '/policies',
    before: (world) => (world.policy.following.refused = null),
    act: (tab) => text(tab, 'The source is at what is in force'),
  },
  {
    name: 'policies-refused',
    path: '/policies',
    before: (world) => {
      const { following } = world.policy;
      following.failure = {
        since: following.looked,
        reason: 'git fetch failed: ssh: connect to host git.example.org port 22: Connection refused',
      };
    },
    async act(tab) {
      await text(tab, 'Commit 77a2d3e4 was refused');
      await text(tab, 'contractors.yaml:7:11');
      await text(tab, 'The source cannot be reached');
    },
  },
  { name: 'recordings', path: '/recordings', act: (tab) => text(tab, 'Load older ones') },
  ...finderScenes,
  {
    name: 'recordings-empty',
    path: '/recordings',
    before: (world) => (world.recordings = []),
    act: (tab) => text(tab, 'No recordings yet'),
  },
  ...playerScenes,
  ...fileScenes,
  ...sealedScenes,
  ...proofScenes,
  { name: 'missing', path: '/nowhere', act: (tab) => text(tab, 'There is no such page') },
];
