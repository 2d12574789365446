/** The last lines of a run: how many passed, failed and did not run. */
export default async function* closing(events) {
  let [passed, failed, skipped] = [0, 0, 0];
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue;
    if (data.skip !== undefined) skipped += 1;
    else if (type === 'test:pass') passed += 1;
    else failed += 1;
  }
  yield `\n${passed} passed\n`;
  if (failed > 0) yield `${failed} failed\n`;
  if (skipped > 0) yield `${skipped} did not run\n`;
}
