/** Words about what is proved of a recording. */
import type { NoTrust } from '../verify/keys';
import type { Part } from '../verify/report';
import type { Kind, Verdict } from '../verify/verdict';
import type { Failure } from '../verify/worker';

const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString()} ${count === 1 ? one : many}`;

/** `3 files`, or `2 of 3 files` where not all are good. */
const some = (good: number, wrong: number): string =>
  wrong === 0 ? plural(good, 'file') : `${good.toLocaleString()} of ${plural(good + wrong, 'file')}`;

const verdicts: Record<Verdict, string> = {
  sound: 'All of it is what was signed.',
  gap_declared: 'All of it is what was signed. The record itself says that it lacks stretches of time.',
  expired:
    'Its time was over, and its events and video were deleted. What is left, and the proof of what there was, is what was signed.',
  derived:
    'All of it is what was signed, but the video was made anew from the one that was recorded. Whoever made it signed that.',
  replaced:
    'Its video was encoded anew and deleted; what was made of it lies elsewhere. What is left, and the proof of what there was, is what was signed.',
  unreadable: 'It could not be read, so nothing can be said.',
  unknown_key: 'It is signed with a key that is not among these.',
  wrong_key: 'It is signed with a known key, but not with the one that it names.',
  revoked_key: 'It is signed with a key that was revoked, and no time stamp shows that it was signed before.',
  key_not_valid: 'It is signed with a key that was not in use then.',
  reordered: 'A part of another place or another session stands in it.',
  truncated: 'Its end was cut off.',
  missing: 'Files that were signed are not there.',
  bad_signature: 'A signed file is not what was signed.',
  edited: 'Files were changed after they were signed.',
  extended: 'Files were added that nothing signed.',
  extra: 'Files lie in it that no recording has.',
  not_a_file: 'It has links or folders where files should be, or is no recording.',
  malformed: 'It does not have the form of a recording.',
  not_monotonic: 'Times or numbers in it go backwards.',
  bad_time_stamp: 'Its time stamp is not one of this recording by an authority that you gave.',
  wrong_clock: 'It ended after it was time-stamped.',
  unsealed: 'It has no seal: the session runs, or its end was taken away. What is there is what was signed.',
  not_due: 'It was deleted before its time was over.',
};

const kinds: Record<Kind, string> = {
  unreadable: 'cannot be read',
  unknown_key: 'key not known',
  wrong_key: 'other key than named',
  revoked_key: 'revoked key',
  key_not_valid: 'key not in use then',
  reordered: 'from another place',
  truncated: 'cut off',
  missing: 'missing',
  bad_signature: 'signature not good',
  edited: 'changed',
  extended: 'not signed',
  extra: 'foreign',
  not_a_file: 'not a file',
  malformed: 'malformed',
  not_monotonic: 'goes backwards',
  bad_time_stamp: 'time stamp not good',
  wrong_clock: 'clock not right',
  unsealed: 'no seal',
  not_due: 'before its time',
};

const wrong: Record<NoTrust, string> = {
  none: 'There is no public key, list of keys or certificate in it.',
  signed: 'That list of keys is signed by a root. Give the root’s public key (PEM) together with it.',
  unsigned: 'That list of keys is not signed by the root that was given with it.',
  certificate: 'A certificate in it cannot be read.',
  long: 'That is too long for keys.',
};

const failed: Record<Failure, string> = {
  'not-handed-out':
    'The gate does not hand this recording out. Verify a copy of it: a folder here, or “portcullis verify”.',
  'signed-out': 'You are not signed in any more.',
  other: 'It could not be verified: the gate does not answer, or something went wrong in this page.',
};

const name = (verdict: Verdict): string => verdict.replaceAll('_', ' ');

export const proof = {
  title: 'Proof',
  body: 'Your browser fetches the recording as it lies in the vault and checks every byte itself, against the keys below.',
  against: 'Checked against',
  gate: {
    name: 'Keys that this gate hands out',
    body: 'Proves consistency, not origin: the recording is whole and unchanged since the holder of these keys signed it. That they are your gate’s is for you to know.',
    none: 'This gate hands out no keys.',
  },
  pinned: {
    name: 'Keys that you pinned',
    body: 'Had from where you trust it, and remembered by this browser. The gate has no say in them.',
    none: 'None yet. Take the PEM, or the list that “portcullis keys list” prints, from where you trust it.',
    rooted: 'A key that you pinned has signed the gate’s list of keys, so the list counts as pinned.',
    authorities: (count: number) => plural(count, 'authority of time stamps', 'authorities of time stamps'),
    unkept: 'This browser does not keep them: they are forgotten with this page.',
  },
  file: 'Pin keys from a file…',
  paste: 'Paste keys…',
  pasted: 'Public keys, a list of keys, certificates of time stamps',
  pin: 'Pin them',
  cancel: 'Cancel',
  forget: 'Forget them',
  wrong,
  strange: (kids: readonly string[]) =>
    `The gate hands out ${kids.length === 1 ? 'a key' : 'keys'} that you have not pinned: ${kids.join(', ')}. Either it has a new key since you pinned, or it is not the gate that you pinned. Ask by another way.`,
  revoked: (kids: readonly string[]) =>
    `The gate says that ${kids.join(', ')} was revoked; what you pinned does not. Pin its newest list of keys.`,
  fromGate: 'Verify what is played',
  fromFolder: 'Verify a folder…',
  working: 'Verifying…',
  of: (done: string, all: string) => `${done} of ${all}`,
  files: (done: number, all: number) => `${done.toLocaleString()} of ${plural(all, 'file')}`,
  rate: (bytes: string) => `${bytes}/s`,
  stop: 'Stop',
  failed,
  verdicts,
  kinds,
  name,
  tampered: 'This recording is not what was signed',
  first: 'First bad place',
  at: (from: string, to: string) => `${from} to ${to}`,
  whole: 'the recording as a whole',
  show: (at: string) => `Show ${at}`,
  affected: (stretches: number) =>
    `Do not rely on what is shown there. ${plural(stretches, 'stretch', 'stretches')} marked on the time line.`,
  strip: (verdict: Verdict, wrong: boolean) =>
    wrong
      ? `Verified in this page: this recording is not what was signed. ${verdicts[verdict]}`
      : verdict === 'sound'
        ? 'Verified in this page: all of it is what was signed.'
        : `Verified in this page: ${name(verdict)}. ${verdicts[verdict]}`,
  watching: {
    same: (files: number) =>
      `What you watch is what was signed: ${plural(files, 'file')} that this player was handed, the playlist among them, ${files === 1 ? 'has' : 'have'} the SHA-256 that the chain signed.`,
    other: (paths: readonly string[]) =>
      `What this player was handed is not what was signed: ${paths.slice(0, 3).join(', ')}${paths.length > 3 ? '…' : ''}. Do not rely on what you have seen there.`,
    unproved: (files: number) =>
      `${plural(files, 'file')} that this player was handed ${files === 1 ? 'is' : 'are'} not proved.`,
    nothing: 'what is watched: this player was handed nothing yet',
  },
  faults: 'What is wrong',
  more: (count: number) => `and ${plural(count, 'more fault')}`,
  checked: 'What was checked',
  state: { good: 'Checked', bad: 'Not good', not: 'Not checked' },
  parts: {
    manifest: 'Manifest',
    seal: 'Seal',
    chain: 'Chain',
    video: 'Video',
    events: 'Events',
    listing: 'Listing and playlist',
  } satisfies Record<Part, string>,
  did: {
    manifest: 'whose session, of which desktop, under which policy: as the seal and the first link name it',
    unsealedManifest: 'whose session, of which desktop, under which policy: as the first link names it',
    chain: (links: number, of: number) =>
      `${links.toLocaleString()} of ${plural(of, 'link')}: signature, order, times, the hash of the one before`,
    video: (good: number, bad: number, size: string) => `${some(good, bad)}, ${size}: length and SHA-256`,
    events: (good: number, bad: number, events: number) =>
      `${some(good, bad)}, ${plural(events, 'event')}: length and SHA-256, form, order, session`,
    ciphertext: (good: number, bad: number) => `${some(good, bad)}: length and SHA-256 of the ciphertext`,
    listing: 'SHA256SUMS and index.m3u8, as the seal names them',
    seal: {
      closed: 'signed by the gate that recorded it: nothing follows',
      interrupted: 'signed by a later run of the gate after a crash: nothing follows',
    },
  },
  wrongPart: 'not as it was signed',
  signatures: 'Signatures',
  signed: (count: number, kids: readonly string[]) =>
    `${plural(count, 'good signature')} (Ed25519)${kids.length > 0 ? ` by ${kids.join(', ')}` : ', none by these keys'}`,
  stamp: 'Time stamp',
  stamped: (at: string) => `an authority that you pinned saw the seal at ${at}`,
  inside: 'Contents',
  opened: 'events and video were opened with your identity: what is in them is what was signed',
  deleted: (at: string) => `events and video were deleted when their time was over, on ${at}`,
  expiry: 'Expiry',
  replaced: (at: string) => `the recorded video was deleted on ${at}, after another was made of it`,
  replacement: 'Replaced',
  derivation: 'Derived',
  derived: (codec: string, tool: string, made: string) => `video made anew: ${codec} by ${tool}, on ${made}`,
  watched: 'Watched',
  not: {
    stamp: 'there is one, and no authority to check it with: pin its certificate (PEM)',
    inside: 'what is in the encrypted events and video: no identity of theirs was given',
    seal: 'there is none: whether anything followed is not known',
    unproved: 'not proved: no good signature names it',
    gone: 'deleted, as the tombstone says',
    origin: 'that these keys are your gate’s: they came from the gate. Pin keys to prove that too',
    truth: 'that the gate recorded the truth: that is no matter of signatures',
  },
  origin: 'Origin',
} as const;
