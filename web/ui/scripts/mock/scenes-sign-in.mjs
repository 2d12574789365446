/** The ways in and out: links, passwords, providers, what can go wrong with each, and the account's menu. */
import { text } from './steps.mjs';

const corp = { id: 'corp', label: 'Northwind account', reachable: true };
const partners = { id: 'partners', label: 'Partners', reachable: true };

const door = (name, path, ways, act, more = {}) => ({
  name,
  path,
  expects: ['401', ...(more.expects ?? [])],
  before(world) {
    Object.assign(world, { signedIn: false, ways });
    more.before?.(world);
  },
  act,
});

export const signInScenes = [
  door('sign-in', '/sign-in', { providers: [], passwords: false }, (tab) => text(tab, 'Get a link')),
  door('sign-in-failed', '/sign-in#stale', { providers: [], passwords: false }, async (tab, _, fault) => {
    await text(tab, 'This link does not work');
    if (tab.url().includes('#')) fault('the secret is still in the address');
  }),
  door(
    'sign-in-ways',
    '/recordings',
    { providers: [corp, partners], passwords: true },
    async (tab, _, fault) => {
      await text(tab, 'Sign in with Northwind account');
      if (new URL(tab.url()).search !== '?to=%2Frecordings')
        fault('the page that was asked for is forgotten');
    },
  ),
  door('sign-in-one', '/sign-in', { providers: [corp], passwords: false }, (tab) =>
    text(tab, 'Sign in with Northwind account'),
  ),
  door(
    'sign-in-away',
    '/sign-in',
    { providers: [{ ...corp, reachable: false }, partners], passwords: false },
    async (tab) => {
      await text(tab, 'It gives no answer at the moment.');
      await tab.getByRole('button', { name: 'Sign in with Northwind account' }).click();
      await text(tab, 'The sign-in with Northwind account could not begin');
    },
    {
      expects: ['503'],
      before: (world) =>
        world.problems.set('POST /api/sign-in/corp', {
          status: 503,
          title: 'Service Unavailable',
          detail: 'The provider gives no answer. Try again in a moment, or sign in another way.',
        }),
    },
  ),
  door('sign-in-password', '/recordings', { providers: [], passwords: true }, async (tab, _, fault) => {
    await tab.getByLabel('Name').fill('alice');
    await tab.getByLabel('Password').fill('wrong');
    await tab.getByRole('button', { name: 'Sign in', exact: true }).click();
    await text(tab, 'Name and password do not fit');
    if ((await tab.getByLabel('Password').inputValue()) !== '') fault('the wrong password stays');
  }),
  door('sign-in-returns', '/recordings', { providers: [], passwords: true }, async (tab, _, fault) => {
    await tab.getByLabel('Name').fill('alice');
    await tab.getByLabel('Password').fill('good');
    await tab.getByRole('button', { name: 'Sign in', exact: true }).click();
    await text(tab, 'Load older ones');
    if (new URL(tab.url()).pathname !== '/recordings')
      fault('it did not come back to the page that was asked for');
  }),
  door(
    'sign-in-cancelled',
    '/sign-in?failed=cancelled&by=corp',
    { providers: [corp], passwords: false },
    (tab) => text(tab, 'The sign-in was cancelled at Northwind account'),
  ),
  door(
    'sign-in-groupless',
    '/sign-in?failed=groupless&by=corp',
    { providers: [corp], passwords: false },
    (tab) => text(tab, 'You have no right at this gate'),
  ),
  door(
    'sign-in-unknown-fault',
    '/sign-in?failed=%3Cb%3E&by=%3Cb%3E',
    { providers: [corp], passwords: false },
    (tab) => text(tab, 'What the provider handed out did not hold'),
  ),
  {
    name: 'account',
    path: '/recordings',
    async act(tab) {
      await text(tab, 'Load older ones');
      await tab.getByLabel(/^Account of/).click();
      await text(tab, 'Groups');
    },
  },
  {
    name: 'sign-out',
    path: '/',
    expects: ['401'],
    async act(tab, world, fault) {
      await text(tab, 'Production console');
      await tab.getByLabel(/^Account of/).click();
      await tab.getByRole('button', { name: 'Sign out' }).click();
      await text(tab, 'You are signed out');
      if (world.signedIn) fault('the gate was not told');
      await tab.goto(new URL('/recordings', tab.url()).href);
      await text(tab, 'Get a link');
      await tab.goto(new URL('/signed-out', tab.url()).href);
      await text(tab, 'You are signed out');
    },
  },
];
