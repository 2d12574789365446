/** What was checked of a recording and what was not, line by line. Pure. */
import { strings } from '../strings';
import { byteWords, utcMoment } from '../times';
import type { Part, Report } from '../verify/report';

export interface Row {
  state: 'good' | 'bad' | 'not';
  name: string;
  words: string;
}

const say = strings.proof;

/** Every line of a report; `pinned` where the keys were the auditor's own. */
export function rowsOf(report: Report, pinned: boolean): Row[] {
  return [
    part(report, 'manifest', report.state ? say.did.manifest : say.did.unsealedManifest),
    sealed(report),
    part(report, 'chain', say.did.chain(report.links, report.ofLinks), report.links < report.ofLinks),
    signed(report),
    ...kept(report),
    ...(report.state ? [part(report, 'listing', say.did.listing)] : []),
    ...stamped(report),
    ...inside(report),
    ...later(report),
    pinned ? null : ({ state: 'not', name: say.origin, words: say.not.origin } as const),
  ].filter((row) => row !== null);
}

function part(report: Report, one: Part, words: string, short = false): Row {
  const { files, faults } = report.parts[one];
  const name = say.parts[one];
  if (faults > 0 || short) return { state: 'bad', name, words: files > 0 ? words : say.wrongPart };
  return files > 0 ? { state: 'good', name, words } : { state: 'not', name, words: say.not.missing };
}

function sealed(report: Report): Row {
  if (report.state) return part(report, 'seal', say.did.seal[report.state]);
  const missing = report.faults.every(({ path, kind }) => path !== 'seal.json' || kind === 'unsealed');
  return {
    state: missing ? 'not' : 'bad',
    name: say.parts.seal,
    words: missing ? say.not.seal : say.wrongPart,
  };
}

function signed({ signatures, keys, faults }: Report): Row {
  const wrong = faults.some(({ kind }) =>
    ['unknown_key', 'bad_signature', 'wrong_key', 'revoked_key', 'key_not_valid'].includes(kind),
  );
  return { state: wrong ? 'bad' : 'good', name: say.signatures, words: say.signed(signatures, keys) };
}

/** Video and events, unless their time was over and none of them is left. */
function kept(report: Report): Row[] {
  const { video, events } = report.parts;
  if (report.expired && video.files + events.files + video.faults + events.faults === 0) return [];
  const shut = report.contents === 'encrypted';
  return [
    part(report, 'video', say.did.video(video.files, video.faults, byteWords(video.bytes))),
    part(
      report,
      'events',
      shut
        ? say.did.ciphertext(events.files, events.faults)
        : say.did.events(events.files, events.faults, report.events),
    ),
  ];
}

function stamped({ stamp, faults }: Report): Row[] {
  if (!stamp) return [];
  const name = say.stamp;
  if (faults.some(({ path }) => path === 'seal.tsr')) return [{ state: 'bad', name, words: say.wrongPart }];
  return stamp.proved === null
    ? [{ state: 'not', name, words: say.not.stamp }]
    : [{ state: 'good', name, words: say.stamped(utcMoment(stamp.proved)) }];
}

function inside({ contents }: Report): Row[] {
  if (contents === 'clear') return [];
  const name = say.inside;
  return contents === 'decrypted'
    ? [{ state: 'good', name, words: say.opened }]
    : [{ state: 'not', name, words: say.not.inside }];
}

function later({ expired, derived }: Report): Row[] {
  const rows: Row[] = [];
  if (expired) rows.push({ state: 'good', name: say.expiry, words: say.deleted(utcMoment(expired)) });
  if (derived) {
    const { codec, tool, made } = derived;
    rows.push({ state: 'good', name: say.derivation, words: say.derived(codec, tool, utcMoment(made)) });
  }
  return rows;
}
