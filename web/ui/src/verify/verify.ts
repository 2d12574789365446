/** Verification of a bundle, step by step as docs/evidence-format.md says it. Time stamps are left to `portcullis verify`. */
import { sha256 } from './bytes';
import { linkPath, readLink, readManifest, readSeal, readSums } from './ends';
import { Tally } from './events';
import { Files, Unreadable, type Place } from './files';
import type { Link, Listed, Manifest, Seal } from './forms';
import type { Trust } from './keys';
import { microseconds } from './times';
import { need, verdictOf, type Fault, type Verdict } from './verdict';

/** What was found out, and what was looked at for it. */
export interface Report {
  verdict: Verdict;
  faults: Fault[];
  /** Files and bytes that were read. */
  files: number;
  bytes: number;
  /** Signatures that are good: links and the seal. */
  signatures: number;
  events: number;
  links: number;
  state: Seal['state'] | null;
  /** Names of the keys that signed. */
  keys: string[];
  /** Events were looked into: false of an encrypted bundle that nobody opened. */
  read: boolean;
  /** There is a time stamp, which was not checked. */
  stamped: boolean;
}

/** How an encrypted file is opened; absent where nobody gave an identity. */
export type Open = (bytes: Uint8Array, path: string) => Promise<Uint8Array>;

export interface Progress {
  bytes: number;
  of: number;
}

export async function verify(
  place: Place,
  trust: Trust,
  onprogress: (progress: Progress) => void = () => {},
  open: Open | null = null,
): Promise<Report> {
  let of = 0;
  const files = new Files(place, (bytes) => onprogress({ bytes, of }));
  const check = new Check(files, trust, open);
  try {
    if (await files.look()) {
      of = [...files.found.values()].reduce<number>((all, length) => all + (length || 0), 0);
      await check.all();
    }
  } catch (thrown) {
    if (!(thrown instanceof Unreadable)) throw thrown;
    files.faults.push({ path: thrown.message, kind: 'unreadable' });
  }
  return check.report();
}

class Check {
  #seal: Seal | null = null;
  #manifest: Manifest | null = null;
  #sums: Map<string, string> | null = null;
  /** The hash of the link before, or of the manifest; null where that was not sound. */
  #last: string | null = null;
  #sure = true;
  #to = 0;
  #init = '';
  #tally = new Tally();
  /** All events were sound. */
  #counted = true;
  #read = true;
  #signatures = 0;
  #keys = new Set<string>();
  #unproved = new Set<number>();
  #links = 0;

  constructor(
    private readonly files: Files,
    private readonly trust: Trust,
    private readonly open: Open | null,
  ) {}

  report(): Report {
    const { faults, judged, found, bytes } = this.files;
    return {
      verdict: verdictOf(faults, this.#seal?.gaps.length ?? 0),
      faults,
      files: [...judged].filter((path) => typeof found.get(path) === 'number').length,
      bytes,
      signatures: this.#signatures,
      events: this.#tally.events,
      links: this.#links,
      state: this.#seal?.state ?? null,
      keys: [...this.#keys],
      read: this.#read,
      stamped: found.has('seal.tsr'),
    };
  }

  async all(): Promise<void> {
    const { files, trust } = this;
    const sealed = await files.guard('seal.json', () => readSeal(files, trust.keys));
    if (sealed) this.#good(sealed.kid);
    const begin = await readManifest(files, trust.keys, sealed?.seal ?? null);
    [this.#manifest, this.#seal, this.#last] = [begin.manifest, begin.seal, begin.digest];
    if (files.found.has('seal.tsr') && files.found.has('seal.json'))
      await files.guard('seal.tsr', () => files.read('seal.tsr', 65_536));
    this.#since();
    if (this.#seal && sealed) await this.#listing(this.#seal, sealed.kid);

    const numbers = [...files.found.keys()].filter((path) => path.startsWith('chain/'));
    const there = numbers.reduce((most, path) => Math.max(most, Number(path.slice(6, 11))), 0);
    const links = this.#seal?.links ?? there;
    for (let n = 1; n <= links; n += 1) {
      files.claim(linkPath(n), n !== there + 1, 'truncated');
      if (n > there) files.judged.add(linkPath(n));
      this.#last = n <= there ? await files.guard(linkPath(n), () => this.#link(n)) : null;
      this.#sure = this.#last !== null;
      if (!this.#sure) this.#unproved.add(n);
    }
    this.#counted &&= this.#unproved.size === 0;
    this.#end(links);
    await this.#rest(links);
  }

  /** The manifest's key was in use when the session began. */
  #since(): void {
    const manifest = this.#manifest;
    const since = manifest && this.trust.validity.get(manifest.key)?.from;
    if (manifest && since)
      this.files.claim(
        'session.json',
        microseconds(manifest.started) >= microseconds(since),
        'key_not_valid',
      );
  }

  async #listing(seal: Seal, kid: string): Promise<void> {
    const { files } = this;
    this.#signer('seal.json', kid, microseconds(seal.ended));
    this.#sums = await files.guard('SHA256SUMS', () => readSums(files, seal));
    const index = seal.files[1];
    await files.guard(index.path, () => files.readSigned(index.path, index.sha256, index.bytes));
  }

  #good(kid: string): void {
    this.#signatures += 1;
    this.#keys.add(kid);
  }

  /** A key that signed was in use, and nobody else had it. */
  #signer(path: string, kid: string, when: bigint | null): void {
    const valid = this.trust.validity.get(kid);
    if (!valid) return;
    const late = valid.until !== '' && when !== null && when > microseconds(valid.until);
    this.files.claim(path, !late, 'key_not_valid');
    // Only a time stamp could tell that it was signed before, and none is checked here.
    this.files.claim(path, valid.revoked === '', 'revoked_key');
  }

  /** Checks a link and its files; gives its hash. */
  async #link(n: number): Promise<string> {
    const { files } = this;
    const path = linkPath(n);
    const { link, kid, digest } = await readLink(files, this.trust.keys, n);
    this.#good(kid);
    const session = this.#manifest?.id ?? this.#seal?.session ?? link.session;
    need(link.session === session && link.n === n, 'reordered');
    need(this.#last === null || this.#last === link.prev, 'reordered');
    need(!this.#sums || this.#sums.get(path) === digest, 'reordered');
    files.claim(path, n > 1 || !this.#manifest || this.#manifest.key === kid, 'wrong_key');
    const when = this.#manifest && microseconds(this.#manifest.started) + BigInt(link.to_us);
    this.#signer(path, kid, when);
    files.claim(
      path,
      link.from_us <= link.to_us && (!this.#sure || link.from_us === this.#to),
      'not_monotonic',
    );
    const init = initOf(link, n, this.#init, this.#manifest);
    files.claim(path, init !== null || !this.#sure);
    this.#init = init ?? this.#init;
    this.#to = Math.max(this.#to, link.to_us);
    this.#links += 1;
    for (const one of link.files) await this.#file(one, link.session);
    return digest;
  }

  async #file(listed: Listed, session: string): Promise<void> {
    const { files } = this;
    const { path } = listed;
    if (!files.judged.has(path)) {
      const bytes = await files.guard(path, () => files.readSigned(path, listed.sha256, listed.bytes));
      const sound = bytes !== null && (await files.guard(path, () => this.#inside(bytes, listed, session)));
      if (path.startsWith('events/')) this.#counted &&= sound === true;
    }
    files.claim('SHA256SUMS', !this.#sums || this.#sums.get(path) === listed.sha256);
  }

  /** What is in a file whose bytes are those that were signed. */
  async #inside(bytes: Uint8Array, { path, plain }: Listed, session: string): Promise<boolean> {
    if (path.endsWith('.age')) {
      if (!this.open) {
        this.#read = false;
        return false;
      }
      bytes = await this.open(bytes, path);
      need(plain && plain.bytes === bytes.length && plain.sha256 === (await sha256(bytes)));
    }
    if (path.startsWith('events/')) this.#tally.read(bytes, session);
    return true;
  }

  #end(links: number): void {
    const { files } = this;
    const seal = this.#seal;
    if (!seal) return;
    if (this.#last !== null && this.#last !== seal.last)
      return files.claim(links > 0 ? linkPath(links) : 'seal.json', false, 'reordered');
    files.claim('seal.json', this.#last === null || this.#to <= seal.duration_us, 'not_monotonic');
    files.claim('seal.json', !this.#counted || seal.events === this.#tally.events);
    files.claim(
      'seal.json',
      !this.#counted || JSON.stringify(seal.gaps) === JSON.stringify(this.#tally.gaps),
    );
  }

  async #rest(links: number): Promise<void> {
    const { files } = this;
    for (const [path, length] of files.found) {
      if (length === false || files.judged.has(path)) continue;
      const segment = /\/(\d{5})\./.exec(path)?.[1];
      const n = segment === undefined ? null : Number(segment);
      const lost = n === null ? this.#unproved.size > 0 : this.#unproved.has(n);
      const newInit = path.startsWith('video/init-') && path > this.#init;
      const open = path === 'index.m3u8' || path === 'SHA256SUMS' || n === links + 1 || newInit;
      const digest = this.#sums?.get(path);
      if (lost && digest !== undefined) await files.guard(path, () => files.readSigned(path, digest, null));
      else files.claim(path, !this.#sums && (lost || (!this.#seal && open)), 'extended');
    }
    for (const path of this.#sums?.keys() ?? [])
      files.claim(path, files.judged.has(path) || files.found.has(path), 'missing');
  }
}

/** The newest init segment after a link whose files are as described; null where they are not. */
function initOf(link: Link, n: number, before: string, manifest: Manifest | null): string | null {
  const encrypted = manifest
    ? manifest.recipients !== undefined
    : (link.files[0]?.path.endsWith('.age') ?? false);
  const suffix = encrypted ? '.age' : '';
  if (link.files.some(({ plain }) => (plain !== undefined) !== encrypted)) return null;
  const name = String(n).padStart(5, '0');
  const paths = link.files.map(({ path }) => path);
  const video = `video/${name}.m4s${suffix}`;
  const [init] = paths.filter((path) => path.startsWith('video/init-'));
  const has = paths.includes(video);
  const wanted = [`events/${name}.jsonl${suffix}`, ...(init ? [init] : []), ...(has ? [video] : [])];
  const good =
    paths.join() === wanted.join() &&
    (!init || (init.endsWith(`.mp4${suffix}`) && init > before)) &&
    (!has || init !== undefined || before !== '');
  return good ? (init ?? before) : null;
}
