/** Words about what lies encrypted. */
import type { Given } from '../sealed/keyring';

type Unusable = Extract<Given, { unusable: unknown }>['unusable'];

const unusable: Record<Unusable, string> = {
  none: 'There is no identity in it.',
  public:
    'That is a public key (age1…). What opens a recording is the identity that belongs to it: AGE-SECRET-KEY-1…',
  locked: 'This identity file is locked with a passphrase. Open it with age first, and give what comes out.',
  unknown:
    'That is not an identity of age, or a digit of it is wrong. One looks like this: AGE-SECRET-KEY-1…',
  long: 'That is too long for a file of identities.',
  stranger: 'This identity is none of those that the recording was encrypted to.',
};

export const sealed = {
  title: 'This recording is encrypted',
  body: 'Its video and its events can be read by those whose keys they were encrypted to, and by nobody else: not by the gate either.',
  recipients: 'Encrypted to',
  identity: 'Your identity',
  hint: 'AGE-SECRET-KEY-1…',
  file: 'Take it from a file…',
  open: 'Open the recording',
  opening: 'Opening…',
  privacy:
    'It stays in the memory of this page. It is not stored and not sent anywhere, and is forgotten when you leave or reload the page.',
  opened: 'Opened with your identity, in this page alone.',
  forget: 'Forget the identity',
  unusable,
  /** Bytes that no identity opens. */
  broken: (path: string) =>
    `${path} cannot be opened with this identity, though it was encrypted for it: its bytes are not those that were recorded.`,
  kept: {
    title: 'Kept texts',
    body: 'What was pasted and copied, where the policy keeps it: encrypted to the auditors, and opened in this page.',
    show: 'Show the text',
    hide: 'Hide it',
    incomplete: 'Parts of this text are missing from the record.',
    locked: 'It was encrypted to others, or its bytes were changed.',
    unlock: 'An identity opens them.',
    of: (what: string, at: string) => `${what} at ${at}`,
  },
} as const;
