/** Words about what is proved of a recording. */
import type { Kind, Verdict } from '../verify/verdict';

const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString()} ${count === 1 ? one : many}`;

const verdicts: Record<Verdict, string> = {
  sound: 'All of it is what was signed.',
  gap_declared: 'All of it is what was signed. The record itself says that it lacks stretches of time.',
  unreadable: 'It could not be read, so nothing can be said.',
  unknown_key: 'It is signed with a key that you did not give.',
  wrong_key: 'It is signed with a known key, but not with the one that it names.',
  revoked_key: 'It is signed with a revoked key.',
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
  bad_time_stamp: 'Its time stamp is not one of this recording.',
  wrong_clock: 'It ended after it was time-stamped.',
  unsealed: 'It has no seal: the session runs, or its end was taken away. What is there is what was signed.',
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
};

export const proof = {
  title: 'Proof',
  body: 'Your browser checks the bytes themselves against the keys that you give. It asks nobody’s word for it, not the gate’s either.',
  keys: 'Public keys of the gate…',
  keysHint: 'The PEM, or the list that “portcullis keys list” prints, had from where you trust it.',
  keysNone: 'There is no such key in it, or it is a list that a root signed: that takes “portcullis verify”.',
  given: (kids: readonly string[]) => `Checked against ${kids.join(', ')}`,
  fromGate: 'Verify what is played here',
  fromFolder: 'Verify a folder…',
  working: 'Verifying…',
  of: (done: string, all: string) => `${done} of ${all}`,
  stop: 'Stop',
  again: 'Verify again',
  notHandedOut:
    'This gate does not hand out whole bundles to pages. Verify a copy of it: a folder here, or “portcullis verify”.',
  failed: 'It could not be verified',
  verdicts,
  kinds,
  name: (verdict: Verdict) => verdict.replaceAll('_', ' '),
  strip: (verdict: Verdict) =>
    verdict === 'sound'
      ? 'Verified in this page: all of it is what was signed.'
      : `Verified in this page: ${verdict.replaceAll('_', ' ')}. ${verdicts[verdict]}`,
  faults: 'What is wrong',
  more: (count: number) => `and ${plural(count, 'more fault')}`,
  checked: 'What was checked',
  did: {
    chain: (links: number) => `${plural(links, 'link')} of the chain, each with the hash of the one before`,
    signatures: (count: number, kids: readonly string[]) =>
      `${plural(count, 'good signature')} (Ed25519) by ${kids.join(', ') || 'none of your keys'}`,
    files: (count: number, size: string) => `${plural(count, 'file')}, ${size}: length and SHA-256`,
    events: (count: number) => `${plural(count, 'event')}: form, order, session`,
    seal: {
      closed: 'the seal, by the gate that recorded it',
      interrupted: 'the seal, by a later run after a crash',
    },
  },
  notChecked: 'Not checked',
  not: {
    stamp: 'the time stamp: that takes “portcullis verify --tsa”',
    events: 'what is in the encrypted events and video: no identity was given',
    seal: 'that nothing followed: there is no seal',
  },
} as const;
