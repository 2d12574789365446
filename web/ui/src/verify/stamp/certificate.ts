/** Certificates (RFC 5280) as far as it takes to vouch for who stamps time. */
import { base64, hex } from '../bytes';
import {
  BITS,
  BOOLEAN,
  context,
  INTEGER,
  must,
  OCTETS,
  only,
  Row,
  SEQUENCE,
  TIME,
  UTC_TIME,
  type Value,
} from './der';
import { fits, SIGNED_WITH, type Hash } from './signature';

/** Characters of authorities' certificates, and how many of them, at most. */
const MOST_PEM = 256 * 1024;
const MOST_AUTHORITIES = 64;
/** Certificates between a signer and an authority, at most. */
const MOST_BETWEEN = 6;
/** id-kp-timeStamping (RFC 3161 section 2.3). */
const FOR_STAMPING = '2b06010505070308';
/** Extensions that are looked at or rightly left alone, by the content of their identifier: the only ones that may be critical. */
const KNOWN: ReadonlySet<string> = new Set(['551d0f', '551d11', '551d13', '551d1f', '551d25']);

export interface Certificate {
  /** The whole of it. */
  der: Uint8Array;
  /** Names as their bytes in hexadecimal digits. */
  issuer: string;
  subject: string;
  /** As one SignerInfo has them. */
  issuerAndNumber: string;
  /** SubjectPublicKeyInfo. */
  spki: Uint8Array;
  /** Milliseconds since 1970. */
  from: number;
  until: number;
  isAuthority: boolean;
  /** How many more may lie between it and the signer. */
  between: number;
  /** It may sign what stamps time, and says so. */
  stamps: boolean;
  /** A critical extension that is not known. */
  foreign: boolean;
  signed: Uint8Array;
  hash: Hash | null;
  signature: Uint8Array;
}

/** The certificates of a text in PEM; null where one of them is none, or there are none or too many. */
export function certificatesOf(text: string): Uint8Array[] | null {
  if (text.length > MOST_PEM) return null;
  try {
    const found = text.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g);
    const all = [...found].map(([, body = '']) => base64(body.replace(/\s/g, '')));
    all.forEach(read);
    return all.length > 0 && all.length <= MOST_AUTHORITIES ? all : null;
  } catch {
    return null;
  }
}

/** A certificate, taken apart. Throws NotDer. */
export function read(der: Uint8Array): Certificate {
  const outer = only(der, SEQUENCE);
  const tbs = outer.take(SEQUENCE);
  const algorithm = outer.within(SEQUENCE).oid();
  const signature = outer.take(BITS).content;
  outer.end();
  must(signature[0] === 0);
  const row = new Row(tbs.content);
  const version = row.within(context(0)).take(INTEGER).content;
  must(version.length === 1 && version[0] === 2);
  const number = row.take(INTEGER);
  row.take(SEQUENCE);
  const issuer = row.take(SEQUENCE);
  const validity = row.within(SEQUENCE);
  const [from, until] = [timeOf(validity.next()), timeOf(validity.next())];
  const subject = row.take(SEQUENCE);
  const spki = row.take(SEQUENCE).whole;
  row.maybe(context(1) & ~0x20);
  row.maybe(context(2) & ~0x20);
  const extensions = row.maybe(context(3));
  row.end();
  return {
    der,
    issuer: hex(issuer.content),
    subject: hex(subject.content),
    issuerAndNumber: hex(issuer.whole) + hex(number.whole),
    spki,
    from,
    until,
    ...extended(extensions),
    signed: tbs.whole,
    hash: SIGNED_WITH[algorithm] ?? null,
    signature: signature.subarray(1),
  };
}

function extended(all: Value | null) {
  const found = { isAuthority: false, between: Infinity, stamps: false, foreign: false };
  if (!all) return found;
  const row = only(all.content, SEQUENCE);
  while (!row.over) {
    const extension = row.within(SEQUENCE);
    const id = extension.oid();
    const critical = extension.maybe(BOOLEAN)?.content[0] === 0xff;
    const value = extension.take(OCTETS).content;
    extension.end();
    if (critical && !KNOWN.has(id)) found.foreign = true;
    if (id === '551d13') {
      const inner = only(value, SEQUENCE);
      found.isAuthority = inner.maybe(BOOLEAN)?.content[0] === 0xff;
      const length = inner.maybe(INTEGER)?.content;
      if (length) found.between = length.length === 1 ? (length[0] ?? 0) : Infinity;
    } else if (id === '551d25') {
      const purposes = only(value, SEQUENCE);
      while (!purposes.over) found.stamps ||= purposes.oid() === FOR_STAMPING;
    }
  }
  return found;
}

/** UTCTime of 1950 to 2049, or GeneralizedTime, both to the second in UTC. */
function timeOf({ tag, content }: Value): number {
  const text = String.fromCharCode(...content);
  const digits = tag === UTC_TIME ? (text < '5' ? '20' : '19') + text : text;
  must(tag === UTC_TIME || tag === TIME);
  const [, year, month, day, hour, minute, second] = must(
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits),
  );
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  must(!Number.isNaN(at));
  return at;
}

/** Whether a signer may stamp time, and leads by some of these certificates to one of the authorities, all of them valid at a time. */
export async function vouched(
  signer: Certificate,
  between: readonly Certificate[],
  authorities: readonly Certificate[],
  at: number,
): Promise<boolean> {
  return !signer.isAuthority && follow([signer], between, authorities, at);
}

async function follow(
  path: readonly Certificate[],
  between: readonly Certificate[],
  authorities: readonly Certificate[],
  at: number,
): Promise<boolean> {
  const head = path.at(-1);
  if (!head || head.foreign || !head.stamps || at < head.from || at > head.until) return false;
  const above = (one: Certificate) => one.subject === head.issuer;
  for (const authority of authorities.filter(above))
    if (at >= authority.from && at <= authority.until && (await issued(authority, head))) return true;
  if (path.length > MOST_BETWEEN) return false;
  for (const one of between.filter(above)) {
    const seen = path.some(({ der }) => hex(der) === hex(one.der));
    if (seen || !one.isAuthority || one.between < path.length - 1 || !(await issued(one, head))) continue;
    if (await follow([...path, one], between, authorities, at)) return true;
  }
  return false;
}

async function issued(issuer: Certificate, { hash, signature, signed }: Certificate): Promise<boolean> {
  return hash !== null && (await fits(issuer.spki, hash, signature, signed).catch(() => false));
}
