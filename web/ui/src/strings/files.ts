/** Words about files in and out of a desktop. */
import type { Stage } from '../files/transfer.svelte';

const stages: Record<Stage, string> = {
  waiting: 'Waiting',
  moving: 'Moving',
  judging: 'The gate looks into it…',
  done: 'Done',
  stopped: 'Stopped',
  failed: 'Not completed',
  cancelled: 'Cancelled',
};

export const files = {
  title: 'Files',
  button: (busy: number) => (busy === 0 ? 'Files' : `Files, ${busy} on their way`),
  close: 'Close the files',
  in: 'Into the desktop',
  drop: 'Drop files anywhere on this page, or',
  choose: 'Choose files…',
  out: (folder: string) => `On the desktop: ${folder}`,
  outUnnamed: 'On the desktop',
  refresh: 'Look again',
  empty: (folder: string) =>
    `Nothing there. What is saved in the desktop’s folder ${folder} is listed here, and can be fetched.`,
  emptyKept: (folder: string) => `Nothing there. What you hand in comes to lie in ${folder}.`,
  none: 'This desktop has no folder for files.',
  listFailed: 'The folder could not be read',
  download: 'Download',
  moving: 'Transfers',
  clear: 'Clear finished ones',
  cancel: 'Cancel',
  again: 'Try again',
  uploadNo: 'Files from this computer may not be handed in here.',
  downloadNo: 'Files on the desktop stay there.',
  dropHere: 'Drop to hand in',
  dropNo: 'Files may not be handed in here',
  stage: (stage: Stage) => stages[stage],
  of: (moved: string, all: string) => `${moved} of ${all}`,
  speed: (size: string) => `${size}/s`,
  left: (length: string) => `${length} left`,
  progress: (name: string) => `Progress of ${name}`,
  into: 'into the desktop',
  from: 'to this computer',
  called: (name: string) => `It is called “${name}” there: its own name was taken.`,
  stripped: 'Its metadata was removed on the way.',
  /** What is said when a file has arrived or not. */
  over: {
    upload: (name: string) => `“${name}” lies on the desktop now.`,
    download: (name: string) => `“${name}” is on this computer now.`,
    stopped: (name: string, why: string) => `“${name}” was stopped. ${why}`,
    failed: (name: string, why: string) => `“${name}” did not get through. ${why}`,
    cancelled: (name: string) => `“${name}” was cancelled.`,
  },
  notOffered: {
    upload: 'Files may not be handed in here.',
    size: (size: string, most: string) => `It is ${size}, and at most ${most} may come in at a time.`,
    extension: (ones: string) => `Only names that end in ${ones} may come in.`,
    folder: 'It is a folder. Files can be handed in one by one, or together in an archive.',
    many: (most: number) => `${most} files are on their way. Hand it in again when some have arrived.`,
  },
  allowed: {
    types: (types: string) => `By their contents: ${types}.`,
    extensions: (ones: string) => `By their names: ${ones}.`,
    looked: 'Each is looked into, and scanned where the policy says so, before it crosses.',
  },
  leave: 'Files are still on their way.',
} as const;
