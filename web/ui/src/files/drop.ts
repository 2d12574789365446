/** What lies in a drag from this computer. */

/** Whether a drag holds files at all: text and links dragged about in the page are none of ours. */
export function holdsFiles(drag: DataTransfer | null): boolean {
  return drag?.types.includes('Files') ?? false;
}

/** Files of a drop, and names of what is none: folders. To be called while the event is handled; afterwards it is empty. */
export function dropped(drag: DataTransfer): { files: File[]; others: string[] } {
  const files: File[] = [];
  const others: string[] = [];
  for (const item of drag.items) {
    if (item.kind !== 'file') continue;
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    if (entry?.isDirectory) others.push(entry.name);
    else if (file) files.push(file);
  }
  return { files, others };
}
