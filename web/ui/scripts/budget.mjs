/** A build that makes the first page heavier than promised is no build: what loads before the player and the desktop, compressed. */
import { gzipSync } from 'node:zlib';

/** Bytes, gzipped. */
const MOST = 150_000;

/** A plugin of Vite that counts the entry, what it imports at once, and its styles. */
export function budget() {
  return {
    name: 'portcullis-budget',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const counted = new Set();
        const count = (name) => {
          const part = bundle[name];
          if (!part || counted.has(name)) return;
          counted.add(name);
          if (part.type !== 'chunk') return;
          part.imports.forEach(count);
          part.viteMetadata?.importedCss.forEach(count);
        };
        for (const [name, part] of Object.entries(bundle)) {
          if ((part.type === 'chunk' && part.isEntry) || name === 'index.html') count(name);
        }
        const bytes = [...counted].reduce((all, name) => {
          const part = bundle[name];
          return all + gzipSync(part.type === 'chunk' ? part.code : part.source).length;
        }, 0);
        if (bytes > MOST)
          this.error(`the first page is ${bytes} bytes compressed; at most ${MOST} are promised`);
        this.info(`the first page is ${bytes} bytes compressed, of at most ${MOST}`);
      },
    },
  };
}
