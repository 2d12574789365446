/** Gives a file to the browser's downloads. */

/** The browser reads the file within this time, in milliseconds; then its address is given back. */
const READ_WITHIN = 60_000;

export function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), READ_WITHIN);
}
