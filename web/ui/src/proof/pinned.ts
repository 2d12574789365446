/** Keys that an auditor pins, kept by this browser: public keys, lists and certificates as they were given, no secrets. */

/** Where they are kept. */
const NAME = 'portcullis.pinned-keys';

/** The part of a browser's storage that is used. */
export type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** The text that was pinned; null where none was, or the browser keeps nothing. */
export function remembered(store: () => Store): string | null {
  try {
    return store().getItem(NAME);
  } catch {
    return null;
  }
}

/** Keeps a text, or forgets it; whether the browser does so. */
export function remember(store: () => Store, text: string | null): boolean {
  try {
    if (text === null) store().removeItem(NAME);
    else store().setItem(NAME, text);
    return true;
  } catch {
    return false;
  }
}
