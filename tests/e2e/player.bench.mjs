/**
 * How soon a recording of hours is seen: `node player.bench.mjs DATA [SEEKS]` over a data folder whose vault holds one. The longest one
 * is taken. Prints the median and the 95th percentile of the first picture and of seeks; no test, since machines differ.
 * A recording of four hours: `portcullis keys generate --data DATA`, then `cargo run --release -p portcullis-recorder --example long DATA`.
 */
import assert from "node:assert/strict";
import { launch, profile } from "./browser.mjs";
import { Gate } from "./gate.mjs";
import { signIn } from "./session.mjs";
import { until } from "./until.mjs";

const [data, wanted] = process.argv.slice(2);
assert(data, "a data folder is wanted");
const SEEKS = Number(wanted ?? 40);
const OPENINGS = 8;

const gate = await Gate.start(undefined, {}, data);
const browser = await launch();
try {
  await measure();
} finally {
  await browser.close();
  await gate.stop();
}

async function measure() {
  const { context } = await profile(browser);
  const page = await context.newPage();
  await signIn(page, gate);
  const recording = await until("the recording is listed", async () => {
    const { recordings } = await (
      await context.request.get(`${gate.url}/api/recordings`)
    ).json();
    return recordings.sort(
      (one, other) => other.duration_ms - one.duration_ms,
    )[0];
  });
  const seconds = recording.duration_ms / 1000;
  const address = `${gate.url}/recordings/${recording.id}`;
  console.log(
    `${(seconds / 3600).toFixed(2)} h, ${recording.events} events, ${(recording.bytes / 2 ** 20).toFixed(0)} MiB`,
  );

  const first = [];
  for (let n = 0; n < OPENINGS; n += 1) {
    const at =
      n % 2 === 0
        ? ""
        : `?t=${Math.round((seconds * (n + 1)) / (OPENINGS + 2))}`;
    // A browser profile of its own: nothing is cached but the sign-in.
    const { context: fresh } = await profile(browser, {
      storageState: await context.storageState(),
    });
    const tab = await fresh.newPage();
    await tab.addInitScript(firstPicture);
    await tab.goto(address + at);
    first.push(await tab.evaluate(() => window.firstPicture));
    await fresh.close();
  }
  report("first picture, from the start of the navigation", first);

  await page.goto(address);
  await page.waitForFunction(
    () => document.querySelector("video")?.readyState >= 2,
  );
  await page.getByRole("region", { name: /^Events/ }).waitFor();
  const [far, near] = [[], []];
  for (let n = 0; n < SEEKS; n += 1)
    far.push(await seek(page, ((n * 0.618034) % 1) * (seconds - 10)));
  report("seek to anywhere, until its picture is shown", far);
  for (let n = 0; n < SEEKS; n += 1) near.push(await seek(page, null));
  report("5 s on, until its picture is shown", near);
  const { heap, nodes } = await page.evaluate(() => ({
    heap: performance.memory?.usedJSHeapSize ?? 0,
    nodes: document.querySelectorAll("*").length,
  }));
  console.log(
    `${nodes} elements in the page, ${(heap / 2 ** 20).toFixed(0)} MiB of script memory`,
  );
  console.log(
    `a time line that is drawn along: ${await drawn(page)} ms a frame at the 95th percentile`,
  );
}

/** Milliseconds from a click on the time line (or the key for 5 s on) until a picture of there has been composed. */
async function seek(page, second) {
  if (second !== null) {
    const box = await page
      .getByRole("slider", { name: "Position" })
      .boundingBox();
    const duration = await page.evaluate(
      () => document.querySelector("video").duration,
    );
    await page.mouse.move(
      box.x + (box.width * second) / duration,
      box.y + box.height * 0.8,
    );
  }
  await page.evaluate(
    (on) => {
      const video = document.querySelector("video");
      window.sought = new Promise((done) => {
        const begun = () => {
          const start = performance.now();
          video.requestVideoFrameCallback(() =>
            done(performance.now() - start),
          );
        };
        document.addEventListener(on, begun, { once: true, capture: true });
      });
    },
    second === null ? "keydown" : "pointerdown",
  );
  if (second === null) await page.keyboard.press("ArrowRight");
  else await page.mouse.down();
  const took = await page.evaluate(() =>
    Promise.race([
      window.sought,
      new Promise((done) => setTimeout(done, 10_000, Infinity)),
    ]),
  );
  if (second !== null) await page.mouse.up();
  return took;
}

/** In the page: when the first picture of the video has been composed. */
function firstPicture() {
  window.firstPicture = new Promise((done) => {
    const seen = new WeakSet();
    const look = () => {
      const video = document.querySelector("video");
      if (!video || seen.has(video)) return;
      seen.add(video);
      video.requestVideoFrameCallback(() => done(performance.now()));
    };
    new MutationObserver(look).observe(document, {
      childList: true,
      subtree: true,
    });
  });
}

/** The time between frames of the page while a finger draws over the time line. */
async function drawn(page) {
  const box = await page
    .getByRole("slider", { name: "Position" })
    .boundingBox();
  await page.evaluate(() => {
    window.beats = [];
    let last = performance.now();
    const beat = (now) => {
      window.beats.push(now - last);
      last = now;
      if (window.beats.length < 600) requestAnimationFrame(beat);
    };
    requestAnimationFrame(beat);
  });
  await page.mouse.move(box.x + 10, box.y + 50);
  await page.mouse.down();
  for (let n = 0; n < 100; n += 1)
    await page.mouse.move(box.x + 10 + n * 5, box.y + 50);
  await page.mouse.up();
  const beats = await page.evaluate(() => window.beats);
  return percentile(beats.slice(2), 0.95).toFixed(0);
}

function percentile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)];
}

function report(what, values) {
  const [median, p95] = [0.5, 0.95].map((share) =>
    percentile(values, share).toFixed(0),
  );
  console.log(
    `${what}: median ${median} ms, 95th percentile ${p95} ms (${values.length})`,
  );
}
