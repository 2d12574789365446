/** What scenes do over and over. */

export const text = (tab, words) => tab.getByText(words).first().waitFor();

/** Waits for what the mock desktop hears; what never comes is left to the check that follows. */
export async function until(holds) {
  for (let tries = 0; tries < 200 && !holds(); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

export async function showDesktop(tab, world) {
  await text(tab, 'Connected');
  await tab.locator('canvas').first().waitFor();
  await tab.waitForFunction(() => document.querySelector('.stage canvas')?.width > 1);
  return world.connections[0];
}

export async function showVideo(tab) {
  await tab.waitForFunction(() => document.querySelector('video')?.readyState >= 2, null, {
    timeout: 15_000,
  });
}
