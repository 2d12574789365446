/** What a person does in the pages, for tests that need it done and not watched. */
import assert from 'node:assert/strict';
import { Canvas } from './canvas.mjs';

/** Signs in by the gate's link: once for each gate. */
export async function signIn(page, gate) {
  await page.goto(gate.link);
  await page.getByRole('heading', { name: 'Desktops', exact: true }).waitFor();
}

/** Opens a desktop from the launcher and waits until its picture rests: the session's id and its canvas. */
export async function open(page, title) {
  await page.getByRole('button', { name: `Open ${title}`, exact: true }).click();
  await page.getByText('Connected', { exact: true }).waitFor();
  const id = new URL(page.url()).pathname.match(/^\/desktop\/([^/]+)$/)?.[1];
  assert(id, `no session in ${page.url()}`);
  const canvas = new Canvas(page);
  await canvas.shows(`the picture of ${title}`);
  return { id, canvas };
}

/** Ends the session that the page shows. */
export async function end(page) {
  await page.getByRole('button', { name: 'End session' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End session' }).click();
  await page.getByText('You ended the session').waitFor();
}
