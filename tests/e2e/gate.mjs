/** The real gate as a process of its own, over a data folder, a configuration and policies of its own. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Desktop } from "./desktop.mjs";
import { until } from "./until.mjs";

const root = join(import.meta.dirname, "../..");
const program =
  process.env.PORTCULLIS_PROGRAM ??
  join(
    process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache/portcullis/target"),
    "debug/portcullis",
  );

/** A desktop of one terminal, as the configuration has it. */
export const xterm = (name, title, description, icon) => `
[[desktops]]
name = "${name}"
title = "${title}"
description = "${description}"
icon = "${icon}"
size = "1280x800"
process = { programs = [["xterm", "-fa", "DejaVu Sans Mono", "-fs", "11", "-geometry", "110x36+24+24"]] }
`;

/** The desktops of a test: one with a clipboard, one under the general rule alone, one that no policy opens. */
export const DESKTOPS =
  xterm(
    "terminal",
    "Terminal",
    "A shell in a window of its own, thrown away afterwards.",
    "terminal",
  ) +
  xterm(
    "sealed",
    "Sealed terminal",
    "A shell whose clipboard stays shut.",
    "terminal",
  ) +
  xterm(
    "vault",
    "Vault console",
    "A desktop that no policy opens: what a refusal looks like.",
    "vault",
  );

export class Gate {
  #folder = mkdtempSync(join(tmpdir(), "portcullis-e2e-"));
  #child;
  /** What runs it. */
  program = program;
  /** Its data folder. */
  data;
  /** Where it listens: `http://localhost:PORT`. */
  url;
  /** The one-time link that it printed, and the secret in it. */
  link;
  secret;

  /**
   * Starts a gate under the policies that are built into the program and files beside them, and waits for its link. Its data are its
   * own, or lie in a folder that is left there.
   */
  static async start(config = DESKTOPS, policies = {}, data = null) {
    const gate = new Gate();
    gate.data = data ?? gate.#path("data");
    cpSync(join(root, "policy/examples/default"), gate.#path("policies"), {
      recursive: true,
    });
    for (const [name, text] of Object.entries(policies))
      writeFileSync(join(gate.#path("policies"), name), text);
    writeFileSync(gate.#path("gate.toml"), config);
    await gate.#launch();
    return gate;
  }

  async #launch() {
    const log = openSync(this.#path("gate.log"), "a");
    const places = [
      "--config",
      this.#path("gate.toml"),
      "--data",
      this.data,
      "--policy",
      this.#path("policies"),
    ];
    const { PORTCULLIS_ORIGINS: _, ...env } = process.env;
    this.#child = spawn(
      program,
      ["serve", "--listen", "127.0.0.1:0", ...places],
      {
        env: { ...env, RUST_LOG: env.RUST_LOG ?? "info", NO_COLOR: "1" },
        stdio: ["ignore", "pipe", log],
      },
    );
    closeSync(log);
    const lines = createInterface({ input: this.#child.stdout });
    const found = new Promise((done, fail) => {
      lines.on("line", (line) => {
        const link = line.match(/http:\/\/\S+\/sign-in#\S+/)?.[0];
        if (link) done(link);
      });
      this.#child.once("error", fail);
      this.#child.once("exit", () =>
        fail(new Error(`the gate ended without a link:\n${this.log()}`)),
      );
    });
    this.link = await found;
    [this.url, this.secret] = this.link.split("/sign-in#");
  }

  #path(name) {
    return join(this.#folder, name);
  }

  log() {
    return readFileSync(this.#path("gate.log"), "utf8");
  }

  /** The gate's own journal, as text. */
  journal() {
    const folder = join(this.data, "journal");
    return readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("");
  }

  /** The folders of all bundles in the vault. */
  bundles() {
    const vault = join(this.data, "vault");
    const manifests = readdirSync(vault, { recursive: true }).filter(
      (path) => basename(path) === "session.json",
    );
    return manifests.map((path) => join(vault, dirname(path)));
  }

  /** The folder of a session's bundle in the vault. */
  bundle(id) {
    const found = this.bundles().find((path) => basename(path) === id);
    assert(found, `no bundle of ${id} in the vault`);
    return found;
  }

  /** `portcullis verify` on a bundle: its exit code and what it printed. */
  verify(bundle) {
    return new Promise((done) => {
      execFile(
        program,
        ["verify", bundle, "--data", this.data],
        (error, stdout, stderr) =>
          done({ code: error ? error.code : 0, words: stdout + stderr }),
      );
    });
  }

  /** SIGTERM; the gate must drain and leave with code 0 and without a desktop. The data folder goes with it. */
  async stop() {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      const late = until(
        "the gate stops",
        () => child.exitCode !== null || child.signalCode !== null,
        40_000,
      );
      await Promise.race([exit, late]).finally(() => child.kill("SIGKILL"));
    }
    const log = this.log();
    const left = this.bundles()
      .map((path) => basename(path))
      .filter((id) => Desktop.runs(id));
    if (!process.env.PORTCULLIS_KEEP)
      rmSync(this.#folder, { recursive: true, force: true });
    assert.deepEqual(
      [child.exitCode, child.signalCode],
      [0, null],
      `the gate did not leave in order:\n${log}`,
    );
    assert.deepEqual(left, [], "desktops outlive the gate");
  }
}
