/** Every word that the pages say, in one place. */
import type { Ending } from './session/close';
import type { RecordingMode, RecordingState, Standing } from './api/types';
import { account, signIn } from './strings/sign-in';
import { files } from './strings/files';
import { events, player } from './strings/player';
import { proof } from './strings/proof';
import { search } from './strings/search';
import { sealed } from './strings/sealed';

const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString()} ${count === 1 ? one : many}`;

/** What the page says when a viewer's connection has ended. */
export interface EndingWords {
  title: string;
  body: string;
}

const endings: Record<Ending, EndingWords> = {
  lost: {
    title: 'The connection is lost',
    body: 'The gate could not be reached any more. Your desktop may still be running; the gate keeps it for a while.',
  },
  left: {
    title: 'You have left the session',
    body: 'The gate keeps the desktop for a while, in case you come back.',
  },
  stopping: {
    title: 'The gate is stopping',
    body: 'The session was closed in order and its recording sealed. Try again in a moment.',
  },
  violation: {
    title: 'Closed: the protocol was broken',
    body: 'The gate received a message that it does not accept and closed the session. This is on the record.',
  },
  over: { title: 'The session has ended', body: 'Its desktop is gone and its recording is sealed.' },
  'not-permitted': {
    title: 'No longer permitted',
    body: 'The policy has changed, and this session is not allowed by it any more.',
  },
  'too-slow': {
    title: 'Your connection was too slow',
    body: 'This browser did not take its pixels in time and was let go. The session itself goes on.',
  },
  crowded: {
    title: 'The session has as many viewers as it may have',
    body: 'It is open in other windows or browsers. Close one of them and connect again. The session itself goes on.',
  },
  'recording-failed': {
    title: 'The recording failed',
    body: 'What cannot be recorded is not shown here: the session was ended. Its record up to that moment is kept.',
  },
  'desktop-ended': {
    title: 'The desktop has ended',
    body: 'The desktop stopped running. Its recording is sealed.',
  },
  ended: { title: 'The session was ended', body: 'An administrator, or you elsewhere, ended this session.' },
};

const noPictures: Record<string, string> = {
  running: 'No picture while it runs',
  encrypted: 'No picture: it is encrypted, and the gate cannot see it',
  expired: 'No picture any more: its time is over',
};

const states: Record<RecordingState, string> = {
  recording: 'Recording',
  closed: 'Sealed',
  interrupted: 'Interrupted',
  expired: 'Expired',
  missing: 'Missing',
};

const modes: Record<RecordingMode, string> = { strict: 'strict', best_effort: 'best effort' };

export const strings = {
  product: 'Portcullis',
  title: (page: string) => `${page} · Portcullis`,
  skip: 'Skip to the content',
  nav: {
    sections: 'Sections',
    desktops: 'Desktops',
    recordings: 'Recordings',
    policies: 'Policies',
  },
  theme: {
    label: 'Theme',
    system: 'Theme: as the system',
    light: 'Theme: light',
    dark: 'Theme: dark',
  },
  loading: 'Loading…',
  retry: 'Try again',
  rule: 'Rule',
  reason: 'Reason',
  revision: 'Revision',
  yes: 'allowed',
  no: 'not allowed',

  errors: {
    unreachable: 'The gate does not answer',
    unreachableDetail: 'Check your network. If it is well, the gate may be restarting.',
    unreadable: 'The gate gave an answer that this page cannot read',
    unreadableDetail: 'Reload the page: it may be older than the gate.',
    unexpected: 'Something went wrong in this page',
    status: (status: number) => `The gate answered ${status}`,
    missing: 'There is no such page',
    missingBody: 'The address may be mistyped, or what it named is gone.',
  },

  signIn,
  account,

  launcher: {
    title: 'Desktops',
    lead: 'Each one opens fresh for you, and is recorded while you use it.',
    live: 'Your live sessions',
    others: 'Live sessions of others',
    open: 'Open',
    opening: 'Opening…',
    rejoin: 'Rejoin',
    end: 'End',
    locked: 'Locked',
    emptyTitle: 'No desktops yet',
    emptyBody: 'This gate has no desktop templates. Whoever runs it adds them in its configuration.',
    failed: 'The desktops could not be listed',
    openFailed: (title: string) => `${title} could not be opened`,
    recorded: 'Recorded under policy',
    notPermitted: 'Not permitted to you',
    ready: 'Ready',
    unavailable: 'Not available now',
    inLine: (place: number, waiting: number) => `Place ${place} of ${Math.max(place, waiting)} in line.`,
    inLineBody: 'It opens by itself as soon as there is room.',
    giveUp: 'Give up',
    started: 'Started',
    viewers: (count: number) => plural(count, 'viewer'),
    sessionState: { starting: 'starting', live: 'live', ending: 'ending' },
  },

  allows: {
    title: 'What is allowed here',
    control: 'Keyboard & mouse',
    paste: 'Paste in',
    copy: 'Copy out',
    upload: 'Files in',
    download: 'Files out',
    hidden: 'Hidden parts',
    controlNo: 'You can watch, but not type or click.',
    pasteNo: 'Text from this computer cannot be pasted into the desktop.',
    copyNo: 'Text copied on the desktop stays there.',
    hiddenBody:
      'Parts of the screen are hidden from every viewer by the policy. Clicks into them do not reach the desktop.',
    upTo: (size: string) => `Up to ${size} at a time.`,
    judged:
      'Each text and file is looked into, scanned where the policy says so, and judged; and that is on the record.',
    judgedBy: (policy: string) => `Judged by policy ${policy}`,
  },

  session: {
    recorded: 'This session is recorded',
    recordedShort: 'Recorded',
    hidden: 'Parts hidden',
    keysRecorded: 'with every key you press',
    policy: (name: string) => `policy ${name}`,
    recordingFailed:
      'Recording has failed. The session goes on under a best-effort policy; the gap is on the record.',
    back: 'Back to the desktops; the session keeps running',
    state: {
      preparing: 'Opening',
      connecting: 'Connecting',
      live: 'Connected',
      waiting: 'Reconnecting',
      closed: 'Disconnected',
    },
    opening: 'Opening the desktop…',
    connecting: 'Connecting to the desktop…',
    waiting: (seconds: number) => `Connection lost. Trying again ${seconds > 0 ? `in ${seconds} s` : 'now'}…`,
    waitingBody: 'The desktop keeps running meanwhile.',
    tryNow: 'Try now',
    paste: 'Paste',
    fullScreen: 'Full screen',
    leaveFullScreen: 'Leave full screen',
    end: 'End session',
    endTitle: 'End this session?',
    endBody: 'The desktop and everything unsaved on it is destroyed. The recording is kept.',
    endConfirm: 'End session',
    keepGoing: 'Keep working',
    endFailed: 'The session could not be ended',
    stage: (title: string) =>
      `Desktop ${title}. Press Control, Alt and Shift together to leave it for the bar.`,
    keysHere: 'Keyboard is on the desktop · Ctrl+Alt+Shift leaves it',
    keysAway: 'Click the desktop to type',
    watchOnly: 'You are watching: keyboard and mouse are not permitted here.',
    pasted: (characters: number, lost: number) =>
      lost === 0
        ? `Handed to the gate, which judges it: ${plural(characters, 'character')}.`
        : `Handed to the gate, which judges it: ${plural(characters, 'character')}. ${lost.toLocaleString()} of them are beyond this desktop’s clipboard and arrive as “?”.`,
    pasteTooLong: (size: string, most: string) =>
      `That is ${size}, and at most ${most} may be pasted in at a time. Nothing was handed over.`,
    pasteEmpty: 'There is no text in the clipboard of this computer.',
    pasteBlocked:
      'The browser did not let this page read the clipboard. Press Ctrl+V on the desktop instead.',
    pasteDenied: 'Pasting in is not permitted here. Ctrl+V on the desktop pastes what was copied there.',
    copied: (characters: number) => `Copied to this computer: ${plural(characters, 'character')}.`,
    copyWaiting: (characters: number) => `The desktop copied ${plural(characters, 'character')}.`,
    copyTake: 'Copy to this computer',
    copyDenied: 'Copying out is not permitted here. What you copy stays on the desktop.',
    copyBlocked: 'The browser did not let this page write to the clipboard.',
    dismiss: 'Dismiss',
    near: {
      ends: {
        idle: 'Are you still here? This session ends because nobody is using it.',
        longest: 'This session ends: it will have lasted as long as it may.',
        until: 'This session ends: the time that it was opened for is over then.',
        hours: 'This session ends: the hours that it is permitted in are over then.',
      },
      stayHint: 'Move the mouse or press a key on the desktop to stay.',
      save: 'Save what you need.',
      stay: 'I am still here',
      left: 'Time left',
    },
    refused: {
      keys: 'Some keys were not taken: they came faster than is permitted here.',
      typed_paste:
        'Keys were not taken: they came as only a program types them. Typing by hand goes on after a second’s pause.',
      chord: 'That combination of keys is not permitted here and did not reach the desktop.',
      paste: 'What you pasted was stopped. Nothing of it reached the desktop.',
      copy: 'What you copied was stopped. It stays on the desktop.',
      paste_redacted: 'Parts of what you pasted were taken out on the way to the desktop.',
      copy_redacted: 'Parts of what you copied were taken out on the way to this computer.',
      upload: 'A file was stopped on its way into the desktop.',
      download: 'A file was stopped on its way out of the desktop.',
    },
    elapsed: 'Time in this session',
  },

  files,
  search,
  proof,
  sealed,

  ending: {
    of: (ending: Ending): EndingWords => endings[ending],
    byMe: {
      title: 'You ended the session',
      body: 'Its desktop is gone. The recording is being sealed and appears in the list within seconds.',
    } satisfies EndingWords,
    gone: {
      title: 'This session is over',
      body: 'It has ended meanwhile, or it was never yours to open.',
    } satisfies EndingWords,
    refused: 'The gate did not open this session',
    said: 'The gate said',
    toLauncher: 'To the desktops',
    toRecording: 'See the recording',
    again: 'Connect again',
    signIn: 'Sign in again',
    code: (code: number) => `Close code ${code}`,
  },

  recordings: {
    title: 'Recordings',
    lead: 'What was seen and done, newest first.',
    subject: 'Subject',
    desktop: 'Desktop',
    started: 'Started',
    duration: 'Duration',
    state: 'State',
    events: 'Events',
    stopped: 'Stopped',
    gaps: (count: number) => plural(count, 'gap'),
    more: 'Load older ones',
    loadingMore: 'Loading…',
    shown: (count: number, more: boolean) =>
      `${plural(count, 'recording')}${more ? ', older ones not loaded' : ''}`,
    emptyTitle: 'No recordings yet',
    emptyBody: 'A recording appears here as soon as a desktop is opened.',
    noMatchTitle: 'No recording matches',
    noMatchBody: 'None that you may see is as the filters ask for.',
    clear: 'Clear all filters',
    failed: 'The recordings could not be listed',
    moreFailed: 'Older recordings could not be loaded',
    stateOf: (state: RecordingState) => states[state],
    picture: 'Picture',
    noPicture: ({ state, reason }: Standing) =>
      state === 'wanted'
        ? 'No picture yet'
        : state === 'failed'
          ? `No picture: ${reason}`
          : (noPictures[reason] ?? 'No picture'),
  },

  policies: {
    title: 'Policies',
    lead: 'Which rules are in force, and where they come from.',
    failed: 'The state of the policies could not be read',
    source: 'Source',
    since: 'In force since',
    signer: 'Signed by',
    looked: 'Last seen',
    failure: 'The source cannot be reached',
    failureBody: 'The policies in force stay as they are. The gate tries again by itself.',
    refused: (commit: string) => `${commit === '' ? 'A change' : `Commit ${commit}`} was refused`,
    refusedBody: 'The policies in force stay as they are until a commit checks clean.',
    fine: 'The source is at what is in force.',
    decidedAt: (revision: string) => `decided at revision ${revision}`,
    inForce: 'That revision is in force now.',
    replaced: 'Another revision is in force now: the line may say something else today, or stand elsewhere.',
    lookUp: 'As it was, in the repository of the policies:',
    place: (file: string, line: number, column: number) =>
      [file, line, column].filter((part) => part !== 0).join(':'),
  },

  player,
  events,

  modes,
} as const;
