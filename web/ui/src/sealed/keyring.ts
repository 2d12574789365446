/** Identities in memory, and the files that they open. They are in no storage, no address and no call. */
import { identitiesOf, type Unusable } from './identity';

/** The largest file that is opened, in bytes: a segment of a large screen is far below it. */
const MOST_BYTES = 512 * 1024 * 1024;

/** Why a file cannot be opened: by none of the identities, or because its bytes are not those that were encrypted. */
export class CannotOpen extends Error {
  constructor(
    readonly why: 'identity' | 'bytes',
    readonly path: string,
  ) {
    super(path);
    this.name = 'CannotOpen';
  }
}

/** What is made of a given text. */
export type Given = { keyring: Keyring } | { unusable: Unusable | 'stranger' };

type Open = (bytes: Uint8Array) => Promise<Uint8Array>;

export class Keyring {
  readonly #open: Open;

  private constructor(
    open: Open,
    /** The public halves, `age1…`. */
    readonly recipients: readonly string[],
  ) {
    this.#open = open;
  }

  /**
   * Reads identities for something that was encrypted to `recipients`, where that is known; a stranger among them is told at once and not by a file that stays
   * shut. Loads the library of age.
   */
  static async of(text: string, recipients: readonly string[] | null): Promise<Given> {
    const read = identitiesOf(text);
    if ('unusable' in read) return read;
    const { Decrypter, identityToRecipient } = await import('age-encryption');
    const decrypter = new Decrypter();
    const own: string[] = [];
    try {
      for (const identity of read.identities) {
        decrypter.addIdentity(identity);
        own.push(await identityToRecipient(identity));
      }
    } catch {
      // The digits are those of an identity, but their check sum is not.
      return { unusable: 'unknown' };
    }
    if (recipients && !recipients.some((recipient) => own.includes(recipient)))
      return { unusable: 'stranger' };
    return { keyring: new Keyring((bytes) => decrypter.decrypt(bytes), own) };
  }

  /** The plain bytes of a file. Throws CannotOpen. */
  async open(bytes: Uint8Array, path: string): Promise<Uint8Array> {
    if (bytes.length > MOST_BYTES) throw new CannotOpen('bytes', path);
    try {
      return await this.#open(bytes);
    } catch (cause) {
      // That these identities are among the recipients was looked at; a file of the bundle that knows none of them was changed or swapped.
      const none = cause instanceof Error && /no identity matched/.test(cause.message);
      throw new CannotOpen(none ? 'identity' : 'bytes', path);
    }
  }
}
