/** The clipboard between this computer and the desktop: does what is permitted and says what is not, never silently nothing. */
import type { Session } from '../api/types';
import { sentence } from '../policy';
import { strings } from '../strings';
import { byteWords } from '../times';
import { crossingOf, type Press } from './clipboard';
import type { Refused } from './notices.svelte';
import type { Said } from './said';
import type { View } from './view';

const say = strings.session;

/** How long a word on what was taken out of a copied text stands for the text itself, in milliseconds: they come by two ways. */
const TOGETHER = 5_000;

export class Crossings {
  said = $state<Said | null>(null);

  /** A refusal is said once each, not at every key press. */
  #told = new Set<'paste' | 'copy'>();

  /** What was said of the text that is about to come, or just came: a part of it was taken out. */
  #redacted: { said: Said; at: number } | null = null;

  constructor(
    private readonly view: () => View | null,
    private readonly session: () => Session | null,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Text from this computer; `press` is the key that asked, which the desktop gets after the text. */
  paste(text: string, press: Press | null): void {
    const [view, session] = [this.view(), this.session()];
    if (!view || !session) return;
    if (text !== '') {
      const { characters, bytes, latin1Lacks } = crossingOf(text);
      const most = session.allows.paste_bytes;
      // The gate would refuse it; and the key alone would paste what the desktop had before.
      if (bytes > most)
        return this.#say(say.pasteTooLong(byteWords(bytes), byteWords(most)), 'stop', 'paste');
      view.paste(text);
      const lost = session.clipboard === 'latin1' ? latin1Lacks : 0;
      this.#say(say.pasted(characters, lost), lost > 0 ? 'stop' : 'calm', 'paste');
    }
    if (press) view.pressAfterPaste(press);
  }

  /** The button: asks the browser for its clipboard. */
  async pasteFromButton(): Promise<void> {
    try {
      const text = await navigator.clipboard.readText();
      if (text === '') this.#say(say.pasteEmpty, 'calm', 'paste');
      else this.paste(text, null);
    } catch {
      this.#say(say.pasteBlocked, 'stop', 'paste');
    }
    this.view()?.focus();
  }

  /** Text that the desktop copied and the gate let out. */
  async copied(text: string): Promise<void> {
    if (!this.session()?.allows.copy) return this.denied('copy');
    const { characters } = crossingOf(text);
    const redacted = this.#redacted && this.now() - this.#redacted.at < TOGETHER ? this.#redacted.said : null;
    this.#redacted = null;
    try {
      await navigator.clipboard.writeText(text);
      // That it was copied says less than what is missing from it.
      if (redacted) this.said = redacted;
      else this.#say(say.copied(characters), 'calm', 'copy');
    } catch {
      // Some browsers want a click of the person first.
      const run = () => void this.#take(text, characters);
      this.said = {
        ...(redacted ?? ({ tone: 'calm', icon: 'copy' } as const)),
        words: redacted ? `${redacted.words} ${say.copyWaiting(characters)}` : say.copyWaiting(characters),
        act: { label: say.copyTake, run },
      };
    }
  }

  /** The person asked for what the policy does not permit. */
  denied(what: 'paste' | 'copy'): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#say(what === 'paste' ? say.pasteDenied : say.copyDenied, 'stop', what);
  }

  /** The gate refused something, or took parts of it away, and says by which rule. */
  refused({ what, why, rule }: Refused): void {
    const known = (say.refused as Record<string, string>)[what];
    const icons: Record<string, Said['icon']> = {
      paste: 'paste',
      paste_redacted: 'paste',
      copy: 'copy',
      copy_redacted: 'copy',
      upload: 'upload',
      download: 'download',
    };
    const icon = icons[what] ?? 'keyboard';
    const said: Said = {
      words: known ?? why,
      tone: 'stop',
      icon,
      // The keyboard's own words say why already.
      ...(icon === 'keyboard' || !known || why === '' ? {} : { why: sentence(why) }),
      ...(rule === '' ? {} : { rule }),
    };
    if (what === 'copy_redacted') this.#redacted = { said, at: this.now() };
    this.said = said;
  }

  dismiss(): void {
    this.said = null;
  }

  async #take(text: string, characters: number): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.#say(say.copied(characters), 'calm', 'copy');
    } catch {
      this.#say(say.copyBlocked, 'stop', 'copy');
    }
    this.view()?.focus();
  }

  #say(words: string, tone: Said['tone'], icon: Said['icon']): void {
    this.said = { words, tone, icon };
  }
}
