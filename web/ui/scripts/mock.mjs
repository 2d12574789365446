/** `npm run mock [PORT]`: the built pages over a pretended gate, to look at without a real one. Never part of the build. */
import { join } from 'node:path';
import { start } from './mock/gate.mjs';
import { sample } from './mock/sample.mjs';

const root = join(import.meta.dirname, '..');
const port = Number(process.argv[2] ?? 5180);
const { address } = await start(
  join(root, 'dist'),
  await sample(join(root, 'node_modules/.cache/portcullis-sample')),
  port,
);
console.log(`The pages over a pretended gate: ${address}/  (sign in: ${address}/sign-in#good)`);
