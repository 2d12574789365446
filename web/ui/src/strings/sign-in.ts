/** What the sign-in page says. */

/** Why a sign-in by a provider came to nothing, by the word in the address. */
const faults: Record<string, { title: string; body: (label: string) => string }> = {
  cancelled: {
    title: 'You were not signed in',
    body: (label) => `The sign-in was cancelled at ${label}. Nothing has happened; you can try again.`,
  },
  away: {
    title: 'The provider gives no answer',
    body: (label) => `${label} could not be reached by this gate. Try again in a moment.`,
  },
  stale: {
    title: 'This sign-in is over',
    body: () =>
      'It was begun in another browser, was used already, or took longer than ten minutes. Begin it here once more.',
  },
  mixed_up: {
    title: 'Another provider answered',
    body: (label) =>
      `What came back was not from ${label}. Nobody was signed in. If it happens again, tell whoever runs this gate.`,
  },
  provider: {
    title: 'The provider refused',
    body: (label) =>
      `${label} says that something is wrong with this sign-in. Its own pages or logs say more.`,
  },
  rejected: {
    title: 'This sign-in could not be verified',
    body: (label) =>
      `What ${label} handed out did not hold, so nobody was signed in. Whoever runs this gate finds the reason in its log.`,
  },
  nameless: {
    title: 'Nobody is named',
    body: (label) =>
      `${label} did not say who you are in the way that this gate needs. Whoever runs it can tell more.`,
  },
  groupless: {
    title: 'You have no right at this gate',
    body: (label) =>
      `${label} knows you, but none of your groups there gives you anything here. Ask whoever runs this gate.`,
  },
  domain: {
    title: 'Your address is not one of ours',
    body: (label) =>
      `This gate takes verified addresses of certain domains alone, and ${label} names none for you.`,
  },
  old: {
    title: 'Show once more who you are',
    body: (label) => `It is too long ago that you signed in at ${label}. Sign in there anew, then come back.`,
  },
  revoked: {
    title: 'Your access was revoked',
    body: () => 'Whoever runs this gate has ended it. Ask them if that is a mistake.',
  },
  failed: {
    title: 'The sign-in could not be kept',
    body: () => 'It could not be put on the record, so it was not done. Try again later.',
  },
};

export const signIn = {
  title: 'Sign in',
  working: 'Signing you in…',
  failed: 'This link does not work',
  failedBody: 'A sign-in link works once and for ten minutes. This one was used before, or is too old.',
  explain: 'Portcullis signs you in by a link that works once.',
  choose: 'Choose how you sign in.',
  how: 'Get a link',
  otherwise: 'Sign in by a link instead',
  steps: [
    'The gate prints one when it starts, in the terminal it was started from.',
    'Restart the gate for another one, or ask whoever runs it.',
    'Open the link in this browser within ten minutes.',
  ],
  privacy:
    'What you do on a desktop is recorded. Each desktop says so, and under which policy, before and while you use it.',
  looking: 'Looking how you can sign in…',
  unknown: 'The gate does not say how one can sign in',
  by: (label: string) => `Sign in with ${label}`,
  going: (label: string) => `Going to ${label}…`,
  away: 'It gives no answer at the moment.',
  or: 'or',
  name: 'Name',
  password: 'Password',
  submit: 'Sign in',
  wrong: 'Name and password do not fit',
  wrongBody: 'Look whether capitals are locked. Who keeps the gate can set another password.',
  often: 'Too many attempts',
  notBegun: (label: string) => `The sign-in with ${label} could not begin`,
  out: 'You are signed out',
  outBody: 'Desktops that you left running go on until they end by themselves.',
  provider: 'the provider',
  fault: (code: string) => faults[code] ?? faults['rejected'],
};

/** What the account's menu says. */
export const account = {
  label: 'Account',
  of: (subject: string) => `Account of ${subject}`,
  local: 'Account of this gate',
  by: (provider: string, issuer: string) => `Signed in by ${provider} (${issuer})`,
  groups: 'Groups',
  roles: 'Roles',
  none: 'none',
  role: { user: 'User', auditor: 'Auditor', administrator: 'Administrator' } as Record<string, string>,
  signOut: 'Sign out',
};
