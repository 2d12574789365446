/** The scenes of files in and out. */
import { sessions } from './fixtures.mjs';
import { showDesktop, text, until } from './steps.mjs';

/** A session in which files cross both ways. */
const crossing = sessions(0)[1].id;
/** One in which they do not. */
const closed = sessions(0)[0].id;

const MIB = 1024 * 1024;

const file = (name, bytes = 20_000, mimeType = 'text/plain') => ({
  name,
  mimeType,
  buffer: Buffer.alloc(bytes, 0x2e),
});
const stopped = {
  detail: 'It holds what must not cross: payment cards. Ask the owner of the policy if it has to.',
  policy: {
    revision: '1f9c04be77a2d3e4f5061728394a5b6c7d8e9f00',
    rule: 'contractors.yaml:18 deny[1].containing',
  },
};

async function openFiles(tab, world) {
  await showDesktop(tab, world);
  await tab.getByRole('button', { name: 'Files', exact: true }).click();
  await text(tab, 'quarterly-report.pdf');
}

/** Drags files over the page, and drops them where asked; a browser lets a test do that by events alone. */
async function drag(tab, names, type, bytes = 7) {
  await tab.evaluate(
    ([names, type, bytes]) => {
      const dataTransfer = new DataTransfer();
      for (const name of names)
        dataTransfer.items.add(new File([new Uint8Array(bytes)], name, { type: 'text/plain' }));
      const at = document.querySelector('main');
      at.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    },
    [names, type, bytes],
  );
}

export const fileScenes = [
  {
    name: 'files',
    path: `/desktop/${crossing}`,
    expects: ['403'],
    before(world) {
      world.stopped.set('customers.csv', stopped);
      world.held = new Promise(() => {});
    },
    async act(tab, world, fault) {
      await openFiles(tab, world);
      if (!(await tab.evaluate(() => document.activeElement?.id === 'files-title')))
        fault('the panel does not take the focus');
      await tab.locator('input[type=file]').setInputFiles([file('photo.jpg'), file('customers.csv')]);
      await text(tab, 'It holds what must not cross');
      await text(tab, 'policy contractors');
      await text(tab, 'Its metadata was removed');
      await drag(tab, ['backup.tar'], 'drop', 48 * MIB);
      await text(tab, /of 48\.0 MiB/);
      await tab.getByRole('button', { name: 'Download customers.csv' }).click();
      await tab.getByText('was stopped').first().waitFor({ state: 'attached' });
    },
  },
  {
    name: 'files-resumed',
    path: `/desktop/${crossing}`,
    expects: ['ERR_', '409'],
    before: (world) => (world.breaks = 2),
    async act(tab, world, fault) {
      await openFiles(tab, world);
      await drag(tab, ['backup.tar'], 'drop', 20 * MIB);
      await tab.getByText('“backup.tar” lies on the desktop now.').waitFor({ state: 'attached' });
      if (world.files[0].bytes !== 20 * MIB) fault(`the gate has ${world.files[0].bytes} bytes`);
      if (world.breaks !== 0) fault('the upload was not broken off');
    },
  },
  {
    name: 'files-cancelled',
    path: `/desktop/${crossing}`,
    before: (world) => (world.held = new Promise(() => {})),
    async act(tab, world, fault) {
      await openFiles(tab, world);
      await drag(tab, ['backup.tar'], 'drop', 48 * MIB);
      await until(() => world.uploads.size === 1);
      await tab.getByRole('button', { name: 'Cancel backup.tar' }).click();
      await text(tab, 'Cancelled');
      await until(() => world.uploads.size === 0);
      if (world.uploads.size > 0) fault('the gate was not told that the upload is over');
    },
  },
  {
    name: 'files-too-large',
    path: `/desktop/${crossing}`,
    before: (world) =>
      (world.sessions[1].allows = {
        ...world.sessions[1].allows,
        upload_bytes: 10_000,
        upload_extensions: ['txt', 'pdf'],
      }),
    async act(tab, world, fault) {
      await openFiles(tab, world);
      await tab.locator('input[type=file]').setInputFiles([file('long.txt'), file('tool.exe', 90)]);
      await text(tab, 'It is 19.5 KiB, and at most 9.8 KiB may come in at a time.');
      await text(tab, 'Only names that end in .txt, .pdf may come in.');
      if (world.files.length !== 3) fault('a file was handed in all the same');
    },
  },
  {
    name: 'files-drag',
    path: `/desktop/${crossing}`,
    async act(tab, world, fault) {
      await showDesktop(tab, world);
      await drag(tab, ['a.txt', 'b.txt'], 'drop');
      await until(() => world.files.length === 5);
      if (world.files.length !== 5) fault('what was dropped did not arrive');
      await text(tab, 'b.txt');
      await tab.keyboard.press('Escape');
      if (!(await tab.evaluate(() => document.activeElement?.getAttribute('aria-controls') === 'files')))
        fault('the focus does not come back to the button');
      await drag(tab, ['a.txt'], 'dragenter');
      await text(tab, 'Drop to hand in');
    },
  },
  {
    name: 'files-not-allowed',
    path: `/desktop/${closed}`,
    async act(tab, world, fault) {
      await showDesktop(tab, world);
      if ((await tab.getByRole('button', { name: 'Files' }).count()) > 0) fault('files are offered');
      await drag(tab, ['a.txt'], 'drop');
      await drag(tab, ['a.txt'], 'dragenter');
      await text(tab, 'Files may not be handed in here');
      if (world.files.length !== 3) fault('a file was handed in all the same');
    },
  },
  {
    name: 'files-none',
    path: `/desktop/${crossing}`,
    expects: ['409'],
    before(world) {
      world.sessions[1].allows = { ...world.sessions[1].allows, upload: false };
      world.problems.set(`GET /api/sessions/${crossing}/files`, {
        status: 409,
        title: 'Conflict',
        detail: 'This desktop stands already and has no transfer folder.',
      });
    },
    async act(tab, world) {
      await showDesktop(tab, world);
      await tab.getByRole('button', { name: 'Files', exact: true }).click();
      await text(tab, 'has no transfer folder');
      await tab.getByRole('complementary').getByText('may not be handed in here.').waitFor();
    },
  },
  {
    name: 'files-download',
    path: `/desktop/${crossing}`,
    async act(tab, world, fault) {
      await openFiles(tab, world);
      const [download] = await Promise.all([
        tab.waitForEvent('download'),
        tab.getByRole('button', { name: 'Download quarterly-report.pdf' }).click(),
      ]);
      if (download.suggestedFilename() !== 'quarterly-report.pdf')
        fault(`it is saved as ${download.suggestedFilename()}`);
      await tab.getByText('is on this computer now').waitFor({ state: 'attached' });
    },
  },
  {
    name: 'desktop-allowed-files',
    path: `/desktop/${crossing}`,
    before: (world) => (world.sessions[1].hidden = true),
    async act(tab, world) {
      await showDesktop(tab, world);
      await tab.locator('button.allowed').click();
      await text(tab, 'By their contents: application/pdf, image/*, text/plain.');
      await text(tab, 'Parts of the screen are hidden');
    },
  },
  {
    name: 'desktop-redacted',
    path: `/desktop/${crossing}`,
    async act(tab, world) {
      await showDesktop(tab, world);
      await until(() => world.pages.length > 0);
      const [why, rule] = ['it held what the policy takes out', 'contractors.yaml:16 deny[0].containing'];
      world.pages[0]?.({ type: 'refused', what: 'paste_redacted', why, rule });
      await text(tab, 'Parts of what you pasted were taken out');
      await text(tab, 'It held what the policy takes out.');
    },
  },
];
