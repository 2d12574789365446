/** What was checked of a recording and what was not, line by line. Pure. */
import { strings } from '../strings';
import { byteWords, utcMoment } from '../times';
import { partOf, type Part, type Report } from '../verify/report';

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
  if (faults > 0 || short) return { state: 'bad', name, words: files > 0 ? words : wrong(report, one) };
  return files > 0 ? { state: 'good', name, words } : { state: 'not', name, words: say.not.unproved };
}

/** What is wrong with a part of which nothing is good. */
function wrong({ faults }: Report, one: Part): string {
  const first = faults.find(({ path }) => partOf(path) === one);
  return first ? say.kinds[first.kind] : say.wrongPart;
}

function sealed(report: Report): Row {
  if (report.state) return part(report, 'seal', say.did.seal[report.state]);
  const fault = report.faults.find(({ path }) => path === 'seal.json');
  const name = say.parts.seal;
  return !fault || fault.kind === 'unsealed'
    ? { state: 'not', name, words: say.not.seal }
    : { state: 'bad', name, words: say.kinds[fault.kind] };
}

function signed({ signatures, keys, faults }: Report): Row {
  const wrong = faults.some(({ kind }) =>
    ['unknown_key', 'bad_signature', 'wrong_key', 'revoked_key', 'key_not_valid'].includes(kind),
  );
  return { state: wrong ? 'bad' : 'good', name: say.signatures, words: say.signed(signatures, keys) };
}

/** Video and events; such as went as a tombstone says are told of there. */
function kept(report: Report): Row[] {
  const { video, events } = report.parts;
  const gone = (one: Part) => {
    const went = report.expired !== null || (report.replaced !== null && one === 'video');
    return went && report.parts[one].files + report.parts[one].faults === 0;
  };
  const ofEvents =
    report.contents === 'encrypted'
      ? say.did.ciphertext(events.files, events.faults)
      : say.did.events(events.files, events.faults, report.events);
  const rows = [
    ['video', say.did.video(video.files, video.faults, byteWords(video.bytes))],
    ['events', ofEvents],
  ] as const;
  return rows.map(([one, words]) =>
    gone(one) ? { state: 'not', name: say.parts[one], words: say.not.gone } : part(report, one, words),
  );
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

function later({ expired, replaced, derived }: Report): Row[] {
  const rows: Row[] = [];
  if (expired) rows.push({ state: 'good', name: say.expiry, words: say.deleted(utcMoment(expired)) });
  if (replaced)
    rows.push({ state: 'good', name: say.replacement, words: say.replaced(utcMoment(replaced.at)) });
  if (derived) {
    const { codec, tool, made } = derived;
    rows.push({ state: 'good', name: say.derivation, words: say.derived(codec, tool, utcMoment(made)) });
  }
  return rows;
}
