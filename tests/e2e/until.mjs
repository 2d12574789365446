/** Waiting on conditions, and stories told in steps. */

/** The longest that a condition is waited for, in milliseconds: generous, for busy machines. */
export const PATIENCE = 30_000;
const PAUSE = 50;

/** Asks until the answer is truthy and returns it; fails with `what` after `patience` milliseconds. */
export async function until(what, ask, patience = PATIENCE) {
  const start = performance.now();
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() - start > patience) throw new Error(`waited ${patience} ms in vain: ${what}`);
    await new Promise((done) => setTimeout(done, PAUSE));
  }
}

/** Steps of one story under a test: after one that failed, the others do not run, since they stand on it. */
export function steps(test) {
  let broken = false;
  return (name, act) =>
    test.test(name, { skip: broken && 'an earlier step failed' }, async (step) => {
      try {
        await act(step);
      } catch (thrown) {
        broken = true;
        throw thrown;
      }
    });
}
