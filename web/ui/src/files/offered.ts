/** What of files the page offers: it spares the person vain attempts, and the gate judges each file itself. Pure. */
import type { Allows } from '../api/types';
import { strings } from '../strings';
import { byteWords } from '../times';

/** Why a file is not handed in at all, in words; null where the gate is to judge it. */
export function notOffered(file: { name: string; size: number }, allows: Allows): string | null {
  const say = strings.files.notOffered;
  if (!allows.upload) return say.upload;
  if (allows.upload_bytes > 0 && file.size > allows.upload_bytes)
    return say.size(byteWords(file.size), byteWords(allows.upload_bytes));
  const { upload_extensions: extensions } = allows;
  if (extensions.length > 0 && !extensions.includes(extensionOf(file.name)))
    return say.extension(dotted(extensions));
  // Types go by the bytes, and a browser guesses by the name: that is left to the gate.
  return null;
}

/** The `accept` of a file picker; empty where any file may be picked. */
export function accepted({ upload_types, upload_extensions }: Allows): string {
  return upload_extensions.length > 0 ? dotted(upload_extensions) : upload_types.join(', ');
}

/** What is allowed of files towards the desktop, one sentence each. */
export function uploadWords(allows: Allows): string[] {
  const say = strings.files.allowed;
  return [
    ...(allows.upload_bytes > 0 ? [strings.allows.upTo(byteWords(allows.upload_bytes))] : []),
    ...(allows.upload_types.length > 0 ? [say.types(allows.upload_types.join(', '))] : []),
    ...(allows.upload_extensions.length > 0 ? [say.extensions(dotted(allows.upload_extensions))] : []),
  ];
}

/** What is allowed of files out of the desktop. */
export function downloadWords(allows: Allows): string[] {
  return allows.download_bytes > 0 ? [strings.allows.upTo(byteWords(allows.download_bytes))] : [];
}

/** The part of a name behind its last dot, in lower case; empty where there is none. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot + 1).toLowerCase();
}

const dotted = (extensions: readonly string[]): string => extensions.map((one) => `.${one}`).join(', ');
