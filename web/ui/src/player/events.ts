/** Events of the evidence in words: what kind each is, how it was judged, what one line says of it. Pure. */
import type { EvidenceEvent } from '../api/types';
import type { IconName } from '../parts/icons';
import { byteWords } from '../times';
import { clockFace, secondsOf } from './clock';
import { strings } from '../strings';

/** The kinds that the list filters by and the time line colours by. */
export type Kind = 'input' | 'screen' | 'session' | 'crossed' | 'gap' | 'stopped';

/** How an event was judged; null where there was nothing to judge. */
export type Judged = 'permit' | 'deny' | null;

export function judgedOf(event: EvidenceEvent): Judged {
  if (event.type === 'refused' || event.type === 'protocol_violation') return 'deny';
  return 'effect' in event ? event.effect : null;
}

export function kindOf(event: EvidenceEvent): Kind {
  if (judgedOf(event) === 'deny') return 'stopped';
  switch (event.type) {
    case 'paste':
    case 'copy':
    case 'upload':
    case 'download':
    case 'contents':
    case 'egress':
    case 'egress_ended':
      return 'crossed';
    case 'keys':
    case 'strokes':
    case 'input':
    case 'clicks':
      return 'input';
    case 'gap':
      return 'gap';
    case 'resized':
    case 'bell':
    case 'screen_rule':
      return 'screen';
    default:
      return 'session';
  }
}

/** What an event is called; an unknown type of a newer gate is shown by its own name. */
export function titleOf(event: EvidenceEvent): string {
  return strings.events.title[event.type] ?? (event as { type: string }).type.replaceAll('_', ' ');
}

const signs: Record<string, IconName> = {
  viewer_joined: 'viewer',
  viewer_left: 'viewer',
  keys: 'keyboard',
  strokes: 'keyboard',
  input: 'keyboard',
  clicks: 'pointer',
  paste: 'paste',
  copy: 'copy',
  upload: 'upload',
  download: 'download',
  contents: 'lock',
  control: 'keyboard',
  resized: 'resize',
  refused: 'stop',
  protocol_violation: 'alert',
  gap: 'gap',
  policy_changed: 'policy',
  bell: 'bell',
  desktop_lost: 'alert',
  desktop_back: 'desktop',
  screen_rule: 'policy',
  desktop_started: 'desktop',
  egress: 'link',
  egress_ended: 'link',
  keep_extended: 'policy',
};

/** The icon of a type of events. */
export function signOf(type: string): IconName {
  return signs[type] ?? 'session';
}

/** What one line says beyond the title; may be empty. */
export function detailOf(event: EvidenceEvent): string {
  const say = strings.events;
  switch (event.type) {
    case 'session_opened':
      return say.opened(event.desktop, event.runtime);
    case 'viewer_joined':
      return say.joined(event.viewer, event.origin);
    case 'viewer_left':
      return say.left(event.viewer, event.reason);
    case 'keys':
      return say.keys(event.pressed);
    case 'strokes':
      return say.strokes(event.strokes);
    case 'input':
      return say.input(event.count, event.reason);
    case 'clicks':
      return say.clicks(event.pressed, event.x, event.y);
    case 'paste':
    case 'copy':
      return say.crossed(crossedOf(event), event.effect === 'permit' ? '' : event.reason);
    case 'upload':
    case 'download':
      return say.crossed([event.name, ...crossedOf(event)], event.effect === 'permit' ? '' : event.reason);
    case 'contents':
      return say.contents(event.of, event.part, event.parts);
    case 'resized':
      return `${event.width} × ${event.height}`;
    case 'refused':
      return say.refused(event.what, event.reason);
    case 'protocol_violation':
      return say.refused(event.side, event.reason);
    case 'gap':
      return say.gap(
        clockFace(secondsOf(event.from_us), true),
        clockFace(secondsOf(event.to_us), true),
        event.reason,
      );
    case 'screen_rule':
      return say.screenRule(event.holds, event.key, event.value);
    case 'keep_extended':
      return say.keepExtended(event.lock, Math.ceil(event.seconds / 86_400));
    case 'desktop_back':
      return say.away(secondsOf(event.away_us));
    case 'desktop_started':
      return event.image === '' ? event.name : event.image;
    case 'egress':
      return say.refused(`${event.host}:${event.port}`, event.reason);
    case 'egress_ended':
      return say.outside(`${event.host}:${event.port}`, byteWords(event.sent), byteWords(event.received));
    case 'session_closed':
    case 'desktop_lost':
    case 'control':
    case 'policy_changed':
      return event.reason;
    default:
      return '';
  }
}

type Crossed = Extract<EvidenceEvent, { type: 'paste' | 'copy' | 'upload' | 'download' }>;

/** What is known of a text or a file beside its name: detectors by name, never what they found. */
function crossedOf(event: Crossed): string[] {
  const say = strings.events;
  // What was not even asked for has no size.
  const read = event.effect === 'permit' || event.bytes > 0 || event.sha256 !== '';
  const known = read ? [byteWords(event.bytes)] : [];
  if ('media_type' in event && event.media_type !== '') known.push(event.media_type);
  if ('archive_entries' in event && event.archive_entries) known.push(say.entries(event.archive_entries));
  if (event.found && event.found.length > 0) known.push(say.found(event.found));
  if ('redacted' in event && event.redacted) known.push(say.redacted(event.redacted));
  if ('quarantined' in event && event.quarantined) known.push(say.quarantined);
  if ('stripped_sha256' in event && event.stripped_sha256) known.push(say.stripped);
  return known;
}

/** Whether an event's words hold what the reader typed, in any letter case. */
export function matches(event: EvidenceEvent, sought: string): boolean {
  const needle = sought.trim().toLowerCase();
  if (needle === '') return true;
  let words = wordsOf.get(event);
  if (words === undefined) {
    words = `${titleOf(event)} ${detailOf(event)} ${event.rule} ${event.type}`.toLowerCase();
    wordsOf.set(event, words);
  }
  return words.includes(needle);
}

/** Put together once for each event: a long recording has very many. */
const wordsOf = new WeakMap<EvidenceEvent, string>();

/** `contractors.yaml`, 7 and `allow.paste` of a rule; null for one that stands in no file. */
export function placeOf(rule: string): { file: string; line: number; key: string } | null {
  const [, file, line, key] = rule.match(/^(\S+):(\d+)(?:\s+(.*))?$/) ?? [];
  return file === undefined ? null : { file, line: Number(line), key: key ?? '' };
}
