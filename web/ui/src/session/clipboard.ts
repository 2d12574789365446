/** Words about text on its way through the clipboard. Pure; the text itself is never kept or logged. */

/** What happens to a text on its way into the desktop. */
export interface Crossing {
  /** Characters in all. */
  characters: number;
  /** Bytes as policies count them: UTF-8, lines ended by LF. */
  bytes: number;
  /** Characters outside ISO 8859-1, which a desktop with the classic RFB clipboard alone gets as question marks (RFC 6143 section 7.5.6). */
  latin1Lacks: number;
}

/** Measures a text. */
export function crossingOf(text: string): Crossing {
  let characters = 0;
  let latin1Lacks = 0;
  for (const character of text) {
    characters += 1;
    if ((character.codePointAt(0) ?? 0) > 0xff) latin1Lacks += 1;
  }
  const bytes = new TextEncoder().encode(text.replace(/\r\n?/g, '\n')).length;
  return { characters, bytes, latin1Lacks };
}

/** A key press, as far as it matters here. */
export interface Press {
  key: string;
  code: string;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/** Whether a key press is the browser's own way to paste: Ctrl+V, Ctrl+Shift+V, Cmd+V, Shift+Insert. */
export function asksToPaste(press: Press): boolean {
  if (press.altKey) return false;
  if (isLetter(press, 'v')) return press.ctrlKey !== press.metaKey;
  return press.code === 'Insert' && press.shiftKey && !press.ctrlKey && !press.metaKey;
}

/** Whether a key press asks the desktop's programs to copy: Ctrl+C, Ctrl+Shift+C, Ctrl+X, Cmd+C, Ctrl+Insert. */
export function asksToCopy(press: Press): boolean {
  if (press.altKey) return false;
  if (isLetter(press, 'c')) return press.ctrlKey !== press.metaKey;
  if (isLetter(press, 'x')) return press.ctrlKey !== press.metaKey && !press.shiftKey;
  return press.code === 'Insert' && press.ctrlKey && !press.shiftKey && !press.metaKey;
}

/** A Latin layout is asked for its letter (Dvorak's V is elsewhere), any other for the place of the key, as browsers do. */
function isLetter(press: Press, letter: string): boolean {
  const key = press.key.toLowerCase();
  return /^[a-z]$/.test(key) ? key === letter : press.code === `Key${letter.toUpperCase()}`;
}
