/** Searching recordings: filters, words, moments, saved filters, and what goes wrong with them. */
import { text } from './steps.mjs';

const box = (tab) => tab.getByRole('searchbox', { name: 'Words in events and on the screen' });

export const finderScenes = [
  {
    name: 'recordings-filtered',
    path: '/recordings',
    whole: true,
    async act(tab, _, fault) {
      await tab.getByRole('button', { name: 'Filters' }).click();
      await tab.getByLabel('Subject', { exact: true }).fill('chidi@partner.example');
      await tab.keyboard.press('Enter');
      await tab.getByLabel('Verdict').selectOption('permitted');
      await text(tab, 'Filters (2)');
      const address = new URL(tab.url());
      if (address.search !== '?subject=chidi%40partner.example&verdict=permitted')
        fault(`the address does not hold the search: ${address.search}`);
      await tab.reload();
      if ((await tab.getByLabel('Subject', { exact: true }).inputValue()) !== 'chidi@partner.example')
        fault('the address does not bring the search back');
      await tab.getByRole('button', { name: 'Save this filter' }).click();
      await tab.getByPlaceholder('Name', { exact: true }).fill('Chidi, nothing stopped');
      await tab.keyboard.press('Enter');
      await tab.getByRole('link', { name: 'Chidi, nothing stopped' }).waitFor();
    },
  },
  {
    name: 'recordings-moments',
    path: '/recordings',
    async act(tab, _, fault) {
      await text(tab, 'Load older ones');
      await box(tab).fill('payment');
      await tab.keyboard.press('Enter');
      await tab.getByRole('link', { name: 'Moments' }).click();
      await tab.locator('mark').first().waitFor();
      const to = await tab.locator('ol a').first().getAttribute('href');
      if (!/^\/recordings\/[\w-]+\?t=[\d.]+&q=payment$/.test(to)) fault(`a moment leads to ${to}`);
    },
  },
  {
    name: 'recordings-screen-text',
    path: '/recordings?q=onerror&show=moments',
    async act(tab, _, fault) {
      await tab.locator('mark').first().waitFor();
      await text(tab, 'on the screen');
      // What stood on a screen is text here too.
      if ((await tab.locator('ol img').count()) > 0)
        fault('what stood on a screen became a part of the page');
    },
  },
  {
    name: 'recordings-nothing-said',
    path: '/recordings?q=unheard-of&show=moments',
    act: (tab) => text(tab, 'Nothing says that'),
  },
  {
    name: 'recordings-no-match',
    path: '/recordings?subject=nobody',
    async act(tab, _, fault) {
      await text(tab, 'No recording matches');
      await tab.getByRole('link', { name: 'Clear all filters' }).click();
      await text(tab, 'Load older ones');
      if (new URL(tab.url()).search !== '') fault('the filters are not cleared');
      await tab.goBack();
      await text(tab, 'No recording matches');
    },
  },
  {
    name: 'recordings-search-failed',
    path: '/recordings?q=x&show=moments',
    expects: ['503'],
    before: (world) =>
      world.problems.set('GET /api/search', {
        status: 503,
        title: 'Service Unavailable',
        detail: 'This could not be put on the record, so it was not done. Try again later.',
      }),
    act: (tab) => text(tab, 'The search failed'),
  },
];
