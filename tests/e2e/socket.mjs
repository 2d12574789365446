/** What a page's own WebSocket can be made to say that the page would not. */

/** Keeps the sockets of every page of this profile, so that [cutText] can use the newest. */
export async function keepSockets(context) {
  await context.addInitScript(() => {
    window.sockets = [];
    window.WebSocket = new Proxy(WebSocket, {
      construct(plain, words) {
        const socket = Reflect.construct(plain, words);
        window.sockets.push(socket);
        return socket;
      },
    });
  });
}

/** Sends classic ClientCutText (RFC 6143 section 7.5.6) past the page. */
export async function cutText(page, words) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(words.length);
  const message = [6, 0, 0, 0, ...length, ...Buffer.from(words, 'latin1')];
  await page.evaluate((message) => window.sockets.at(-1).send(new Uint8Array(message)), message);
}
