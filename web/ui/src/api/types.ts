/** The shapes of the HTTP API with the words that each text may be; agree.ts holds them to docs/openapi.json. */

/** The person signed in. */
export interface Me {
  subject: string;
  groups: string[];
  roles: string[];
  /** Who says who it is: a provider's issuer, or `local` for the gate itself. */
  issuer: string;
  /** The provider that they signed in by. */
  provider?: string | null;
}

/** One provider of sign-ins. */
export interface ProviderWay {
  id: string;
  label: string;
  reachable: boolean;
}

/** How one can sign in. */
export interface Ways {
  providers: ProviderWay[];
  passwords: boolean;
}

/** Where the page goes on: an address of a provider. */
export interface Go {
  go: string;
}

/** Which rule of which revision of the policy files decided. */
export interface Policy {
  revision: string;
  /** `contractors.yaml:7 allow.paste`, or `default deny`. */
  rule: string;
}

/** What a viewer may do on a desktop. */
export interface Allows {
  control: boolean;
  copy: boolean;
  paste: boolean;
  resize: boolean;
  /** The most bytes of UTF-8 that one text may have out of the desktop, and into it; 0 where none may. */
  copy_bytes: number;
  paste_bytes: number;
  /** Files into the desktop, and out of it. */
  upload: boolean;
  download: boolean;
  /** The most bytes that one file may have; 0 where none may cross. */
  upload_bytes: number;
  download_bytes: number;
  /** Media types that files into the desktop may have by their bytes, as `image/*`; empty where any may. */
  upload_types: string[];
  /** Extensions that their names may have, without the dot; empty where any may. */
  upload_extensions: string[];
}

export type RecordingMode = 'strict' | 'best_effort';

/** A desktop of the launcher, permitted or not. */
export interface Desktop {
  name: string;
  title: string;
  description: string;
  icon: string;
  permitted: boolean;
  reason: string;
  policy: Policy;
  allows: Allows;
  recorded: RecordingMode;
  /** `warm`: it is there at once; `cold`: it is started first. */
  state: 'warm' | 'cold' | 'unavailable';
  /** Why none can be had; empty where one can. */
  unavailable: string;
}

/** What the launcher offers, and who waits for room. */
export interface Offer {
  desktops: Desktop[];
  /** How many openings wait. */
  waiting: number;
  /** The place of this person's own among them; 1 is next, 0 is none. */
  place: number;
}

/** A session opened or rejoined: the one-time ticket and the place it opens. */
export interface Grant {
  id: string;
  ticket: string;
  /** Path of the WebSocket on this origin. */
  rfb: string;
  /** When the ticket expires, RFC 3339. */
  expires: string;
}

export type SessionState = 'starting' | 'live' | 'ending';

/** A live session. */
export interface Session {
  id: string;
  subject: string;
  desktop: string;
  title: string;
  state: SessionState;
  /** RFC 3339. */
  started: string;
  viewers: number;
  policy: Policy;
  allows: Allows;
  /** What of a pasted text reaches the desktop; of the rest question marks. */
  clipboard: 'unicode' | 'latin1';
  /** A mask is in force: parts of the screen are hidden. */
  hidden: boolean;
  recording: { mode: RecordingMode; state: 'recording' | 'failed'; keys: 'none' | 'counts' | 'keys' };
}

/** A file in a desktop's transfer folder. */
export interface DesktopFile {
  name: string;
  bytes: number;
  /** RFC 3339. */
  modified: string;
}

/** What lies in a desktop's transfer folder: names alone, judged when they are asked for. */
export interface DesktopFiles {
  files: DesktopFile[];
  /** The folder's name on the desktop. */
  folder: string;
}

/** A file that was handed in. */
export interface HandedIn {
  name: string;
  bytes: number;
  sha256: string;
  media_type: string;
  /** Detectors that found something and let it pass. */
  found: string[];
  policy: Policy;
  metadata_stripped: boolean;
}

/** The policies in force. */
export interface PolicyState {
  /** The commit, or the fingerprint of the files where they come from no repository. */
  revision: string;
  /** RFC 3339. */
  since: string;
  /** Repository, branch and folder; or a folder; or `built in`. */
  source: string;
  /** For auditors and administrators. */
  following?: PolicyFollowing;
}

/** How following the source of policies goes. */
export interface PolicyFollowing {
  signer: string | null;
  /** When the source was last seen as it is, RFC 3339. */
  looked: string | null;
  failure: { since: string; reason: string } | null;
  /** `commit` is empty for a folder. */
  refused: { commit: string; at: string; faults: PolicyFault[] } | null;
}

/** One reason why policies were refused; without a file it is about the commit as a whole. */
export interface PolicyFault {
  file: string;
  line: number;
  /** 0 when it is about the line as a whole. */
  column: number;
  reason: string;
}

export type RecordingState = 'recording' | 'closed' | 'interrupted' | 'expired' | 'missing';

/** A recording as the index lists it. */
export interface Recording {
  id: string;
  subject: string;
  /** The subject's groups at the start. */
  groups: string[];
  desktop: string;
  /** RFC 3339. */
  started: string;
  ended: string | null;
  duration_ms: number;
  state: RecordingState;
  reason: string;
  bytes: number;
  events: number;
  /** Events whose verdict was deny. */
  denied: number;
  policy: Policy;
  gaps: number;
  /** Events and video lie encrypted to the recipients and are opened in the page alone. */
  encrypted: boolean;
  /** Public keys of age, `age1…`; empty where nothing is encrypted. */
  recipients: string[];
  /** What was read off its pictures. */
  readings: { thumbnail: Standing; text: Standing };
}

/** How something that is read off the pictures of a recording stands. */
export interface Standing {
  state: 'wanted' | 'made' | 'none' | 'failed';
  /** Where there is none `running`, `expired`, `encrypted` or `not_asked`; where it failed, why. */
  reason: string;
  lines: number;
  /** Regions that could not be read. */
  failed: number;
  /** Milliseconds up to which was read, where that is not the end. */
  until: number | null;
}

/** A page of recordings; `next` is the cursor of the one after it. */
export interface RecordingPage {
  recordings: Recording[];
  next: string | null;
}

/** An event that says what was sought. */
export interface Hit {
  /** The recording's id. */
  recording: string;
  subject: string;
  desktop: string;
  /** RFC 3339. */
  started: string;
  /** Milliseconds from the start of the recording. */
  at: number;
  /** The event's type, `screen` for text that was on the screen, or `recording` for an encrypted recording as a whole. */
  kind: string;
  verdict: Effect | null;
  rule: string;
  /** The revision that decided. */
  policy: string;
  /** Plain text; marks are ranges in characters. */
  snippet: { text: string; marks: { from: number; to: number }[] };
  /** Where the line stood, in pixels of the screen, and until when in milliseconds; null of what is none. */
  screen: {
    until: number;
    /** 0 to 100. */
    confidence: number;
    x: number;
    y: number;
    width: number;
    height: number;
  } | null;
}

/** A page of hits; `next` is the cursor of the one after it. */
export interface HitPage {
  hits: Hit[];
  next: string | null;
}

/** A filter of the list with its name. */
export interface SavedFilter {
  name: string;
  query: string;
}

export type Effect = 'permit' | 'deny';

/** What every event of the evidence carries. */
export interface EventFrame {
  v: number;
  seq: number;
  /** Microseconds since the session's start: the media clock. */
  at_us: number;
  /** RFC 3339 UTC. */
  time: string;
  session: string;
  subject: string;
  policy: string;
  rule: string;
}

/** What crossed or was stopped. */
interface Crossed {
  effect: Effect;
  bytes: number;
  /** Empty where it was not read. */
  sha256: string;
  /** Names of the detectors that found something, sorted. */
  found?: string[];
  reason: string;
}

/** What happened, by type. */
export type What =
  | { type: 'session_opened'; desktop: string; runtime: string }
  | { type: 'session_closed'; reason: string }
  | { type: 'viewer_joined'; viewer: number; origin: string }
  | { type: 'viewer_left'; viewer: number; reason: string; sent_revision: number }
  | { type: 'keys'; viewer: number; pressed: number }
  | { type: 'strokes'; viewer: number; strokes: { down: boolean; keysym: number; name: string }[] }
  | { type: 'input'; viewer: number; effect: Effect; kind: string; count: number; reason: string }
  | { type: 'clicks'; viewer: number; pressed: number; x: number; y: number }
  | ({ type: 'paste' | 'copy'; viewer: number; redacted?: number } & Crossed)
  | ({
      type: 'upload' | 'download';
      name: string;
      media_type: string;
      archive_entries?: number;
      /** Where its quarantined copy lies. */
      quarantined?: string;
      /** SHA-256 of what was handed over, where that is the picture without its metadata. */
      stripped_sha256?: string;
    } & Crossed)
  | { type: 'contents'; of: number; part: number; parts: number; /** base64url */ age: string }
  | { type: 'control'; viewer: number; effect: Effect; reason: string }
  | { type: 'resized'; width: number; height: number }
  | { type: 'refused'; what: string; reason: string }
  | { type: 'protocol_violation'; side: string; reason: string }
  | { type: 'gap'; from_us: number; to_us: number; reason: string }
  | { type: 'policy_changed'; effect: Effect; reason: string }
  | { type: 'bell' }
  | { type: 'desktop_lost'; reason: string }
  | { type: 'desktop_back'; away_us: number }
  | { type: 'screen_rule'; holds: boolean; key: string; value: string }
  | { type: 'desktop_started'; name: string; image: string; warm: boolean }
  | { type: 'egress'; effect: Effect; host: string; port: number; reason: string }
  | { type: 'egress_ended'; host: string; port: number; sent: number; received: number }
  | { type: 'keep_extended'; lock: string; seconds: number };

export type EvidenceEvent = EventFrame & What;

/** Where a bundle's events cannot be read. */
export interface EventsFault {
  /** The file in the bundle. */
  path: string;
  /** The line, from 1; 0 when the whole file is missing. */
  line: number;
}

/** The events of a recording, in order, and where some are missing. */
export interface RecordedEvents {
  events: EvidenceEvent[];
  faults: EventsFault[];
}

/** What somebody wrote down about a moment of a recording; without text it is a bookmark. */
export interface Note {
  id: string;
  /** Milliseconds since the recording's start. */
  at: number;
  /** At most 2,000 characters. */
  text: string;
  by: string;
  /** RFC 3339. */
  made: string;
}

/** An error of the API: RFC 9457 problem details, with the rule that decided where one did. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  rule?: string;
  /** The policy that stopped a file. */
  policy?: Policy;
}
