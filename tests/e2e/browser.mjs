/** Chromium on this machine, and a witness of what a browser asked for, complained of and was trusted with. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { PATIENCE } from './until.mjs';

const output = join(import.meta.dirname, 'output');
const SIZES = [
  { name: 'wide', width: 1280, height: 800 },
  { name: 'narrow', width: 420, height: 900 },
];

export function launch() {
  const alone = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--no-default-browser-check',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: alone });
}

/** A browser profile of its own, watched from its first request. */
export async function profile(browser, options = {}) {
  const context = await browser.newContext({ viewport: SIZES[0], reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(PATIENCE);
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error(`CSP violation: ${violatedDirective} ${blockedURI}`),
    );
  });
  return { context, witness: new Witness(context) };
}

/** What one browser profile asked for, complained of and was trusted with. */
export class Witness {
  /** Every address asked for: pages, calls, media and WebSockets, without their fragments, which never leave the browser. */
  addresses = [];
  /** What the console and uncaught errors said. */
  complaints = [];
  /** One-time tickets that the gate granted. */
  tickets = [];
  #reading = [];

  constructor(context) {
    context.on('request', (request) => this.addresses.push(request.url().split('#')[0]));
    context.on('page', (page) => page.on('websocket', (socket) => this.addresses.push(socket.url())));
    context.on('console', (message) => {
      // That the canvas is read is the tests' own doing; sizes that are asked for faster than the gate takes them are refused, which noVNC says.
      const expected = ['Canvas2D: Multiple readback', 'Server did not accept the resize request: Resize is administratively prohibited'];
      if (
        ['error', 'warning'].includes(message.type()) &&
        !expected.some((words) => message.text().startsWith(words))
      )
        this.complaints.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
    context.on('weberror', (error) => this.complaints.push(`uncaught: ${error.error().stack}`));
    context.on('response', (response) => {
      if (response.status() !== 201 || !/\/api\/sessions(\/[^/]+\/tickets)?$/.test(response.url())) return;
      this.#reading.push(response.json().then(({ ticket }) => this.tickets.push(ticket)));
    });
  }

  /** The tickets, once all answers that hold one are read. */
  async allTickets() {
    await Promise.all(this.#reading);
    return this.tickets;
  }
}

/** Pictures of a page in both themes and two widths, in `output/`. */
export async function shoot(page, name, settled = async () => {}) {
  mkdirSync(output, { recursive: true });
  for (const { name: size, width, height } of SIZES) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await settled();
      await page.screenshot({ path: join(output, `${name}-${colorScheme}-${size}.png`) });
    }
  }
  await page.setViewportSize(SIZES[0]);
  await settled();
}
