/**
 * `npm run look [FOLDER]`: every page in both themes and two sizes over the pretended gate, each checked by axe-core,
 * for sideways scrolling and for anything that the CSP or the console complains of. Pictures go to FOLDER.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { launch } from './mock/browser.mjs';
import { start } from './mock/gate.mjs';
import { sample } from './mock/sample.mjs';
import { scenes } from './mock/scenes.mjs';

const root = join(import.meta.dirname, '..');
const folder = process.argv[2];
const only = process.argv[3];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const sizes = [
  { name: 'wide', width: 1280, height: 800 },
  { name: 'narrow', width: 420, height: 900 },
];
/** The narrowest window that the pages promise to fit. */
const least = { width: 380, height: 700 };

if (folder) mkdirSync(folder, { recursive: true });
const shown = await sample(join(root, 'node_modules/.cache/portcullis-sample'));
const browser = await launch();
const faults = [];

/** Scenes looked at, and those in which something is wrong. */
let [seen, unsound] = [0, 0];

for (const scene of scenes) {
  if (only && !scene.name.includes(only)) continue;
  const before = faults.length;
  await look(scene);
  seen += 1;
  if (faults.length > before) unsound += 1;
}

/** Comes to a scene once, then looks at it in each theme and size. */
async function look(scene) {
  const gate = await start(join(root, 'dist'), shown);
  const context = await browser.newContext({
    viewport: sizes[0],
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const tab = await context.newPage();
  const fault = (words) => faults.push(`${scene.name}: ${words}`);
  const expected = scene.expects ?? [];
  tab.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !expected.some((one) => text.includes(one)))
      fault(`the console says ${text}`);
  });
  tab.on('pageerror', (error) => fault(error.stack ?? error.message));
  try {
    await scene.before?.(gate.world);
    await tab.goto(gate.address + scene.path);
    await scene.act?.(tab, gate.world, fault);
    await tab.evaluate(axe);
    for (const { name, width, height } of sizes) {
      for (const theme of ['light', 'dark']) await show(tab, scene, theme, { name, width, height });
    }
    await tab.setViewportSize(least);
    await judgeWidth(tab, `${scene.name} at ${least.width} px`);
  } catch (error) {
    fault(error.message);
    if (folder) await tab.screenshot({ path: join(folder, `${scene.name}-failed.png`) });
  }
  await context.close();
  await gate.close();
  console.log(`looked at ${scene.name}`);
}

async function show(tab, scene, theme, { name, width, height }) {
  const where = `${scene.name}-${theme}-${name}`;
  await tab.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
  await tab.setViewportSize({ width, height });
  // Two frames: one to lay out, one to paint.
  await tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  if (folder) await tab.screenshot({ path: join(folder, `${where}.png`), fullPage: scene.whole ?? false });
  await judge(tab, where);
}

async function judge(tab, where) {
  const { violations } = await tab.evaluate(() =>
    window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  for (const { id, impact, nodes, help } of violations) {
    const places = nodes.map(({ target, failureSummary }) => `\n    ${target.join(' ')}: ${failureSummary}`);
    faults.push(`${where}: axe ${impact} ${id}: ${help}${places.join('')}`);
  }
  await judgeWidth(tab, where);
}

async function judgeWidth(tab, where) {
  const sideways = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (sideways > 0) faults.push(`${where}: scrolls ${sideways} px sideways`);
}

await browser.close();
console.log(`${seen - unsound} passed, ${unsound} failed`);
if (faults.length > 0) {
  console.error(`\n${faults.length} faults:\n${faults.join('\n')}`);
  process.exit(1);
}
console.log('Every page is sound.');
