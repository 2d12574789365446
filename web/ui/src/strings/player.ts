/** Words of the player: its buttons and keys, its time line, and every event of the evidence in a line. */
import type { EventsFault, EvidenceEvent, Standing } from '../api/types';
import { clockFace } from '../player/clock';
import type { Kind } from '../player/events';

const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString()} ${count === 1 ? one : many}`;

const because = (words: string, reason: string): string => (reason === '' ? words : `${words}: ${reason}`);

const titles: Record<EvidenceEvent['type'], string> = {
  session_opened: 'Session opened',
  session_closed: 'Session closed',
  viewer_joined: 'Viewer joined',
  viewer_left: 'Viewer left',
  keys: 'Keys',
  strokes: 'Keys by name',
  input: 'Keyboard rule',
  clicks: 'Clicks',
  paste: 'Paste in',
  copy: 'Copy out',
  upload: 'File in',
  download: 'File out',
  contents: 'Kept contents',
  control: 'Keyboard and mouse',
  resized: 'Screen resized',
  refused: 'Refused',
  protocol_violation: 'Protocol violation',
  gap: 'Gap in the recording',
  policy_changed: 'Policy changed',
  bell: 'Bell',
  desktop_lost: 'Desktop away',
  desktop_back: 'Desktop back',
  screen_rule: 'Screen rule',
  desktop_started: 'Desktop started',
  egress: 'Connection out',
  egress_ended: 'Connection ended',
  keep_extended: 'Kept longer',
};

const kinds: Record<Kind, string> = {
  stopped: 'Stopped',
  gap: 'Gaps',
  crossed: 'Crossed',
  session: 'Session',
  input: 'Input',
  screen: 'Screen',
};

const unread: Record<string, string> = {
  running: 'The text on the screen is read once the session has ended.',
  encrypted: 'The text on the screen was not read: the recording is encrypted, and the gate cannot see it.',
  expired: 'What was read off the screen is gone: its time is over.',
  not_asked: 'The text on the screen was not read: no policy asked for it when the session began.',
};

export const player = {
  back: 'All recordings',
  video: 'Recorded screen',
  play: 'Play',
  pause: 'Pause',
  seek: 'Position',
  speed: 'Speed',
  frameBack: 'Previous change of the picture',
  frameOn: 'Next change of the picture',
  eventBack: 'Previous event',
  eventOn: 'Next event',
  skipIdle: 'Skip rest',
  skipIdleHint: 'Leaves out stretches in which nothing was typed and nothing moved',
  inputs: 'Show input',
  inputsHint: 'Draws keys and clicks over the picture',
  picture: 'Save this picture',
  pictureFailed: 'There is no picture to save here.',
  link: 'Copy a link to this moment',
  linked: (at: string) => `A link to ${at} is copied.`,
  linkFailed: 'The browser did not let this page copy. The address of this page leads to the moment, too.',
  fullScreen: 'Full screen',
  leaveFullScreen: 'Leave full screen',
  zoomIn: 'Closer',
  zoomOut: 'Wider',
  zoomFit: 'The whole recording',
  zoomed: (from: string, to: string) => `Shows ${from} to ${to}`,
  overview: 'The part that the time line shows',
  with: (what: string, key: string) => `${what} (${key})`,
  live: 'This session is still being recorded. You see what has been written so far; the page keeps up.',
  notShown:
    'The vault does not show this recording any more: it was removed, hidden or moved. What the index knows of it is below.',
  interrupted:
    'This recording was cut short. Everything that was shown to a viewer until then is in it, and it is sealed as interrupted.',
  gaps: (count: number) =>
    `The recording has ${plural(count, 'gap')}: stretches where nothing could be recorded. They are hatched on the time line.`,
  faults: (faults: readonly EventsFault[]) =>
    `Events are missing below: ${faults.map(({ path, line }) => (line === 0 ? path : `${path} line ${line}`)).join(', ')} cannot be read. The bundle does not verify.`,
  lost: (stretches: readonly string[], more: number) =>
    `The video of ${stretches.join(', ')}${more > 0 ? ` and ${plural(more, 'other stretch', 'other stretches')}` : ''} could not be loaded. The rest plays on without it.`,
  retry: 'Try again',
  buffering: 'Loading the picture…',
  catchingUp: 'Waiting for what is recorded next…',
  failed: 'The video cannot be played',
  failedBody: 'The events beside it are complete without it.',
  noVideo: 'Nothing of this session has been recorded as video yet.',
  hole: {
    gap: 'Nothing could be recorded here',
    lost: 'This part of the video could not be loaded',
    from: (from: string, to: string, lasts: string) => `${from} to ${to}, ${lasts}`,
    going: 'Playing on behind it…',
  },
  skipped: {
    idle: (lasts: string) => `Skipped ${lasts} of rest`,
    gap: (lasts: string) => `Gap of ${lasts} in the recording`,
    lost: (lasts: string) => `${lasts} could not be loaded`,
  },
  leaping: (speed: number) => `${speed}×: one picture of each stretch, as more cannot be decoded in time`,
  expired: {
    title: 'Its time is over',
    body: 'The recording was kept for as long as the policy asked. Its video and its events are destroyed; what proves them is kept.',
    kept: 'What is kept',
    keptList: [
      'the manifest: whose session it was, on which desktop, under which policy',
      'the chain of signed links: the hash of each file that there was',
      'the seal: when the session ended, and how many events and gaps it had',
      'the tombstone: when the rest was destroyed, and that its time was over',
    ],
    proven: 'All of this is signed, and is verified below as before.',
  },
  missing: 'This recording could not be opened',
  eventsFailed: 'The events could not be loaded',
  eventsLoading: 'Loading the events…',
  facts: 'About this recording',
  duration: 'Duration',
  ended: 'Ended',
  endReason: 'Ended because',
  policy: 'Policy',
  gapsLabel: 'Gaps',
  none: 'none',
  stillRunning: 'still running',
  id: 'Recording',
  position: (now: string, all: string) => `${now} of ${all}`,
  idleHere: 'at rest',
  tampered: 'Changed after it was signed',
  panel: 'Beside the video',
  help: {
    title: 'Keys of the player',
    open: 'Keys',
    close: 'Close',
    letters: 'Keys that are letters or signs',
    lettersHint: 'Turn them off where speech or another program types for you.',
    legend: 'What the time line shows',
    keys: [
      ['Space K', 'play or pause'],
      ['← →', '5 s back or on, with Shift 30 s'],
      [', .', 'previous or next change of the picture, to the frame'],
      ['[ ]', 'previous or next event of those in the list'],
      ['{ }', 'previous or next that was stopped'],
      ['( )', 'previous or next of what was found'],
      ['< >', 'slower or faster, 0.5× to 16×'],
      ['S', 'skip rest'],
      ['I', 'show input over the picture'],
      ['+ - 0', 'time line closer, wider, whole'],
      ['Home End', 'to the start or the end'],
      ['B', 'bookmark this moment'],
      ['N', 'note on this moment'],
      ['L', 'copy a link to this moment'],
      ['P', 'save this picture'],
      ['F', 'full screen'],
      ['/', 'search the events'],
      ['W', 'search what was on the screen'],
      ['?', 'these keys'],
    ] as const,
    signs: {
      screen: 'how much the screen changed',
      input: 'how much was typed and clicked',
      idle: 'rest: nothing happened for a while',
      gap: 'gap: nothing could be recorded',
      lost: 'changed after it was signed, or not loaded',
      note: 'notes and bookmarks',
      found: 'what was found',
    },
  },
  found: {
    title: 'Found',
    words: 'Words on the screen or in events',
    hint: 'Words on the screen…',
    seek: 'Find',
    failed: 'The search failed',
    nothing: 'Look for words that were on the screen, or in events. Keys ( and ) go from one to the next.',
    count: (count: number, cut: boolean) =>
      count === 0 ? 'Nothing was found' : `${plural(count, 'moment')}${cut ? ', and more' : ''}`,
    onScreen: (from: string, until: string, confidence: number) =>
      `on the screen ${from} to ${until}, ${confidence} % sure`,
    none: 'No further one.',
    gone: (text: string, at: string) => `${at}: ${text}`,
    foot: 'Letters are read by a program and may be wrong: the picture is the record. Searches are on the gate’s record.',
    label: 'Text on the screen',
    standing: (text: Standing): string => {
      if (text.state === 'wanted') return 'The text on the screen is being read.';
      if (text.state === 'failed') return `The text on the screen could not be read: ${text.reason}.`;
      if (text.state === 'none') return unread[text.reason] ?? 'The text on the screen was not read.';
      const more = [
        text.failed > 0 ? `${plural(text.failed, 'place')} could not be read` : '',
        text.until !== null ? `read up to ${clockFace(text.until / 1000)} only` : '',
      ].filter((words) => words !== '');
      return [plural(text.lines, 'line'), ...more].join(', ');
    },
  },
  notes: {
    title: 'Notes',
    bookmark: 'Bookmark this moment',
    note: 'Note on this moment',
    add: 'Add a note',
    edit: 'Edit',
    remove: 'Remove',
    save: 'Save',
    cancel: 'Cancel',
    text: (at: string) => `Note on ${at}`,
    plain: 'Bookmark',
    empty: 'No notes yet. Press B for a bookmark at this moment, or N for a note.',
    by: (who: string) => `by ${who}`,
    left: (characters: number) => `${plural(characters, 'character')} left`,
    failed: 'The notes could not be changed',
    added: (at: string) => `Bookmarked ${at}.`,
    onRecord: 'That a note was added or removed is on the gate’s record; what it says is not.',
  },
};

export const events = {
  title: titles as Record<string, string>,
  heading: 'Events',
  kinds,
  all: 'All',
  kind: 'Kind',
  verdict: 'Verdict',
  any: 'Any verdict',
  filter: 'Search the events',
  none: 'No event matches.',
  clear: 'Show all',
  empty: 'No events yet.',
  follow: 'Follow the video',
  jump: (at: string) => `Jump to ${at}`,
  permit: 'permitted',
  deny: 'stopped',
  details: 'The event at this moment',
  rule: 'Rule',
  reason: 'Why',
  when: 'When',
  hash: 'SHA-256',
  line: (file: string, line: number) => `${file}, line ${line}`,
  atCommit: (revision: string) => `at commit ${revision}`,
  opened: (desktop: string, runtime: string) => `${desktop} on ${runtime}`,
  joined: (viewer: number, origin: string) => `viewer ${viewer}${origin === '' ? '' : ` from ${origin}`}`,
  left: (viewer: number, reason: string) => because(`viewer ${viewer}`, reason),
  keys: (pressed: number) => `${pressed.toLocaleString()} pressed`,
  strokes: (strokes: readonly { down: boolean; name: string }[]) =>
    strokes
      .filter(({ down }) => down)
      .map(({ name }) => name)
      .join(' '),
  input: (count: number, reason: string) => `${plural(count, 'press', 'presses')}: ${reason}`,
  clicks: (pressed: number, x: number, y: number) => `${pressed.toLocaleString()} at ${x}, ${y}`,
  /** What of a text or a file is known, and why it was stopped. */
  crossed: (known: readonly string[], reason: string) =>
    [known.join(' · '), reason].filter((part) => part !== '').join(': '),
  found: (names: readonly string[]) => `found ${names.join(', ')}`,
  redacted: (places: number) => `${plural(places, 'place')} taken out`,
  entries: (count: number) => `${plural(count, 'file')} inside`,
  quarantined: 'a copy is in quarantine',
  stripped: 'handed over without its metadata',
  contents: (of: number, part: number, parts: number) =>
    `of event ${of}${parts > 1 ? `, part ${part} of ${parts}` : ''}, encrypted to the recipients`,
  commit: (revision: string) => `at ${revision}`,
  refused: (what: string, reason: string) => because(what, reason),
  gap: (from: string, to: string, reason: string) => because(`${from} to ${to}`, reason),
  keepExtended: (lock: string, days: number) =>
    `kept for ${plural(days, 'day')}${lock === 'none' ? '' : `, locked (${lock})`}`,
  screenRule: (holds: boolean, key: string, value: string) =>
    holds ? `${key}: ${value}` : `no longer ${key}: ${value}`,
  outside: (place: string, sent: string, received: string) => `${place}: ${sent} out, ${received} in`,
  away: (seconds: number) => `after ${seconds.toFixed(1)} s`,
  count: (shown: number, all: number) =>
    shown === all ? plural(all, 'event') : `${shown.toLocaleString()} of ${plural(all, 'event')}`,
};
