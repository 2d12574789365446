/** Build of the pages: everything from our own origin, nothing inline, so that a strict CSP holds. */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { budget } from './scripts/budget.mjs';

const gate = process.env['PORTCULLIS_GATE'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte(), budget()],
  build: {
    // light-dark() and top-level await (noVNC) are used as they stand.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    chunkSizeWarningLimit: 600,
  },
  // As the pages' own parts: what is loaded late stays apart.
  worker: { format: 'es' },
  server: {
    // The schema of evidence lies in docs/.
    fs: { allow: ['../..'] },
    proxy: {
      '/api': { target: gate },
      '/sessions': { target: gate, ws: true },
    },
  },
  test: {
    include: ['src/**/*.test.ts', 'tests/*.test.mjs'],
    environment: 'node',
    // Some go through hundreds of files, or wait for openssl, on machines that do other things too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
