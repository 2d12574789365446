/** The player on a recording of the real gate: plays, seeks, steps, leaves out rest, jumps, and all of it by keyboard. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { launch, profile } from "./browser.mjs";
import { events } from "./bundle.mjs";
import { Gate } from "./gate.mjs";
import { lastStretch, picture, times } from "./media.mjs";
import { end, open, signIn } from "./session.mjs";
import { cutText, keepSockets } from "./socket.mjs";
import { steps, until } from "./until.mjs";

/** Seconds that nothing is done on the desktop: rest that is worth skipping. */
const REST = 9_000;

let gate, browser;
before(async () => {
  gate = await Gate.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await gate?.stop();
});

test("a recording in the player", async (t) => {
  const step = steps(t);
  const { context, witness } = await profile(browser);
  await context.grantPermissions(["clipboard-read", "clipboard-write"], {
    origin: gate.url,
  });
  await keepSockets(context);
  const page = await context.newPage();
  const video = page.locator("video");
  const slider = page.getByRole("slider", { name: "Position" });
  const list = page.getByRole("region", { name: /^Events/ });
  let id, bundle, all, frames;

  const ask = (what) => video.evaluate((video, what) => video[what], what);
  const now = () => ask("currentTime");
  const key = (name) => page.keyboard.press(name);
  /** Waits until the picture of a moment is shown. */
  const shown = (second, within = 0.05) =>
    until(`the picture of ${second} s`, () =>
      video.evaluate(
        (video, [second, within]) =>
          !video.seeking &&
          video.readyState >= 2 &&
          Math.abs(video.currentTime - second) <= within,
        [second, within],
      ),
    );

  await step(
    "there is one: typed, rested, pasted beyond the bounds, typed again",
    async () => {
      await signIn(page, gate);
      let canvas;
      ({ id, canvas } = await open(page, "Terminal"));
      const first = await canvas.keep();
      await page.keyboard.type("ls -l /\n");
      await canvas.restsAfter(first, "the listing", () => true);
      // Rest is a length of time and no condition: this is what is recorded, not what is waited for.
      await new Promise((done) => setTimeout(done, REST));
      await cutText(page, "x".repeat(64 * 1024 + 1));
      const second = await canvas.keep();
      await page.keyboard.type("id\n");
      await canvas.restsAfter(second, "the answer", () => true);
      await end(page);
      bundle = gate.bundle(id);
      all = events(bundle);
      frames = await times(lastStretch(bundle).film);
      await page.getByRole("link", { name: "See the recording" }).click();
      await until("the video is ready", () =>
        video.evaluate((video) => video.readyState >= 2),
      );
    },
  );

  await step("it plays, faster where it is asked to, and stops", async () => {
    await key("Space");
    await until("the clock advances", async () => (await now()) > 0.5);
    for (let n = 0; n < 3; n += 1) await key(">");
    assert.equal(await ask("playbackRate"), 4);
    await until("it is fast", async () => (await now()) > 3);
    await key("k");
    await until("it stands", () => ask("paused"));
    for (let n = 0; n < 3; n += 1) await key("<");
    assert.equal(await ask("playbackRate"), 1);
    assert.equal(
      await page
        .getByRole("region", { name: "Recorded screen" })
        .getByRole("alert")
        .count(),
      0,
    );
  });

  await step(
    "a step is a frame of the bundle, on and back, across segments",
    async () => {
      // The screen had other sizes before: the film of the last one begins behind the start.
      const some = frames.slice(1, 12);
      await page.goto(`${gate.url}/recordings/${id}?t=${some[0]}`);
      await shown(some[0], 0.002);
      for (const time of some.slice(1)) {
        await key(".");
        await shown(time, 0.002);
      }
      for (const time of some.slice(0, -1).reverse()) {
        await key(",");
        await shown(time, 0.002);
      }
      assert(some.length > 3, `only ${frames.length} frames`);
    },
  );

  await step(
    "events are jumped to, in order; and those that were stopped",
    async () => {
      // What is less than a millisecond apart is one moment.
      const moments = all
        .map(({ at_us }) => at_us / 1e6)
        .filter((time, n, times) => n === 0 || time - times[n - 1] > 0.001);
      await key("Home");
      for (const moment of moments
        .filter((moment) => moment > 0.001)
        .slice(0, 4)) {
        await key("]");
        await shown(moment);
      }
      const stopped = all.find(
        ({ effect, type }) => effect === "deny" || type === "refused",
      );
      await key("Home");
      await shown(0);
      await key("}");
      await shown(stopped.at_us / 1e6);
      const row = list.locator("[aria-current=true]");
      await row.getByText("stopped").waitFor();
      await page
        .getByRole("region", { name: "The event at this moment" })
        .getByRole("link", { name: /\.yaml, line \d+/ })
        .waitFor();
    },
  );

  await step(
    "the list is searched, and a click in it leads to the event",
    async () => {
      await key("/");
      await page.keyboard.type("session closed");
      await until(
        "one is left",
        async () => (await list.getByRole("listitem").count()) === 1,
      );
      await list.getByRole("listitem").getByRole("button").click();
      await until(
        "the end",
        async () => (await now()) > (await ask("duration")) - 0.5,
      );
      await page.getByLabel("Search the events").fill("");
    },
  );

  await step("rest is left out, with a word on how much", async () => {
    const typed = all
      .filter(({ type }) => type === "keys")
      .map(({ at_us }) => at_us / 1e6);
    const gap = typed.findIndex((time, n) => (typed[n + 1] ?? 0) - time > 6);
    assert(gap >= 0, `nobody rested: ${typed}`);
    await page.goto(
      `${gate.url}/recordings/${id}?t=${(typed[gap] + 1).toFixed(1)}`,
    );
    await until("the video is ready", () =>
      video.evaluate((video) => video.readyState >= 2),
    );
    await key("s");
    await key("Space");
    await page.getByText(/Skipped \d+ s of rest/).waitFor();
    assert((await now()) > typed[gap] + 4, `only to ${await now()} s`);
    await key("Space");
  });

  await step(
    "the address leads to the second, and no way back is cluttered",
    async () => {
      const before = await page.evaluate(() => history.length);
      await page.goto(`${gate.url}/recordings/${id}?t=4.2`);
      await shown(4.2);
      await key("ArrowRight");
      await shown(9.2);
      await until(
        "the address follows",
        () => new URL(page.url()).searchParams.get("t") === "9.2",
      );
      await key("l");
      await page.getByText("A link to 0:09.2 is copied.").waitFor();
      assert.equal(
        await page.evaluate(() => navigator.clipboard.readText()),
        `${gate.url}/recordings/${id}?t=9.2`,
      );
      assert(
        (await page.evaluate(() => history.length)) <= before + 1,
        "history grew",
      );
    },
  );

  await step(
    "a picture is what is shown, and tells where it is from",
    async () => {
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        key("p"),
      ]);
      assert.equal(download.suggestedFilename(), `${id}_0-09.2.png`);
      const bytes = readFileSync(await download.path());
      const { width, height, rgb } = await picture(bytes);
      const size = await video.evaluate(({ videoWidth, videoHeight }) => [
        videoWidth,
        videoHeight,
      ]);
      assert.deepEqual([width, height], size);
      assert(
        rgb.some((value) => value !== rgb[0]),
        "the picture is of one colour",
      );
      for (const words of [id, "Time in recording", "9.200 s", all[0].policy])
        assert(bytes.includes(words), `no ${words} in the picture`);
    },
  );

  await step("the time line comes closer and goes wider", async () => {
    await key("+");
    const part = page.getByRole("scrollbar", {
      name: "The part that the time line shows",
    });
    await part.waitFor();
    await key("0");
    await part.waitFor({ state: "detached" });
  });

  await step("a click on the time line goes there", async () => {
    const box = await slider.boundingBox();
    await page.mouse.click(box.x + box.width / 2, box.y + box.height * 0.75);
    const half = (await ask("duration")) / 2;
    await until(
      "about the middle",
      async () => Math.abs((await now()) - half) < half / 5,
    );
  });

  await step("the keys are shown, and letters can be turned off", async () => {
    await key("?");
    const help = page.getByRole("dialog", { name: "Keys of the player" });
    await help.getByRole("checkbox").uncheck();
    await key("Escape");
    await help.waitFor({ state: "detached" });
    const speed = await ask("playbackRate");
    await key(">");
    assert.equal(await ask("playbackRate"), speed);
    await key("Home");
    await shown(0);
  });

  await step(
    "a part that cannot be had is named, and the rest plays",
    async () => {
      await page.route(`**/api/recordings/${id}/video/00001.m4s`, (route) =>
        route.fulfill({ status: 500 }),
      );
      await page.goto(`${gate.url}/recordings/${id}`);
      await page
        .getByText("This part of the video could not be loaded")
        .waitFor();
      await page.unroute(`**/api/recordings/${id}/video/00001.m4s`);
      await page
        .getByRole("status")
        .getByRole("button", { name: "Try again" })
        .first()
        .click();
      await until("it is there", () =>
        video.evaluate((video) => video.readyState >= 2),
      );
    },
  );

  await step("nothing complained but of what was put wrong", () => {
    const others = witness.complaints.filter(
      (words) => !/500 \(Internal|\/notes\)|\/api\/trust\)/.test(words),
    );
    assert.deepEqual(others, []);
  });
});
