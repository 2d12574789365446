/** A TimeStampResp (RFC 3161), taken apart and proved: status, TSTInfo, CMS signature, certificate path. */
import { hex } from '../bytes';
import { read, vouched, type Certificate } from './certificate';
import {
  context,
  INTEGER,
  must,
  OCTETS,
  OID,
  only,
  retagged,
  Row,
  SEQUENCE,
  SET,
  TIME,
  BOOLEAN,
  UTF8,
} from './der';
import { CALLED, fits, HASHES, type Hash } from './signature';

/** CMS SignedData (RFC 5652 section 5.1), and TSTInfo. */
const SIGNED_DATA = '2a864886f70d010702';
const TST = '2a864886f70d0109100104';
/** Attributes: RFC 5652 sections 11.1 and 11.2, RFC 2634 section 5.4, RFC 5035 section 3. */
const CONTENT_TYPE = '2a864886f70d010903';
const MESSAGE_DIGEST = '2a864886f70d010904';
const SIGNING_CERTIFICATE = '2a864886f70d010910020c';
const SIGNING_CERTIFICATE_V2 = '2a864886f70d010910022f';
/** Certificates that a response may carry. */
const MOST_CERTIFICATES = 16;

interface Signed {
  tst: Uint8Array;
  certificates: Uint8Array[];
  /** Issuer and number of the signer's certificate, in hexadecimal digits. */
  signer: string;
  /** The signer's attributes, with the tag that they are signed with. */
  attributes: Uint8Array;
  hash: Hash;
  signature: Uint8Array;
}

const digest = async (hash: string, bytes: Uint8Array): Promise<string> =>
  hex(new Uint8Array(await crypto.subtle.digest(hash, bytes as Uint8Array<ArrayBuffer>)));

/**
 * When an authority saw the bytes of this SHA-256, in microseconds since 1970. Throws where the response is none of these bytes by a signer that one of these
 * authorities vouches for.
 */
export async function stampedAt(
  response: Uint8Array,
  imprint: string,
  authorities: readonly Uint8Array[],
): Promise<bigint> {
  const signed = signedOf(granted(response));
  const { stamped, at } = said(signed.tst);
  must(stamped === imprint);
  const named = await attributes(signed);
  const signer = must(await firstOf(signed.certificates, named));
  must(signer.issuerAndNumber === signed.signer);
  must(await fits(signer.spki, signed.hash, signed.signature, signed.attributes));
  // What cannot be read leads nowhere.
  const between = signed.certificates.flatMap((one) => readable(one) ?? []);
  must(await vouched(signer, between, authorities.map(read), Number(at / 1_000_000n) * 1000));
  return at;
}

function readable(der: Uint8Array): Certificate | null {
  try {
    return read(der);
  } catch {
    return null;
  }
}

async function firstOf(
  all: readonly Uint8Array[],
  names: (certificate: Uint8Array) => Promise<boolean>,
): Promise<Certificate | null> {
  for (const one of all) if (await names(one)) return read(one);
  return null;
}

/** The token in a response that was granted. */
function granted(response: Uint8Array): Row {
  const whole = only(response, SEQUENCE);
  const status = whole.within(SEQUENCE);
  const granted = status.take(INTEGER).content;
  must(granted.length === 1 && (granted[0] ?? 2) <= 1);
  // It may say more in words.
  const words = new Row(status.maybe(SEQUENCE)?.content ?? new Uint8Array());
  while (!words.over) new TextDecoder('utf-8', { fatal: true }).decode(words.take(UTF8).content);
  status.end();
  const token = whole.within(SEQUENCE);
  whole.end();
  return token;
}

/** ContentInfo, SignedData and its one SignerInfo (RFC 5652 sections 3 and 5), and nothing beside them. */
function signedOf(token: Row): Signed {
  must(token.oid() === SIGNED_DATA);
  const row = alone(alone(token, context(0)), SEQUENCE);
  must(hex(row.take(INTEGER).content) === '03');
  const hashes = row.within(SET);
  const named = hashes.algorithm();
  hashes.end();
  const content = row.within(SEQUENCE);
  must(content.oid() === TST);
  const wrapped = alone(content, context(0));
  const tst = wrapped.take(OCTETS).content;
  wrapped.end();
  const certificates: Uint8Array[] = [];
  const carried = row.maybe(context(0));
  for (const rest = new Row(carried?.content ?? new Uint8Array()); !rest.over;) {
    must(certificates.length < MOST_CERTIFICATES);
    certificates.push(rest.take(SEQUENCE).whole);
  }
  const signer = alone(alone(row, SET), SEQUENCE);
  // Issuer and number: other names of a signer are of later versions.
  must(hex(signer.take(INTEGER).content) === '01');
  const of = hex(signer.take(SEQUENCE).content);
  must(signer.algorithm() === named);
  const hash = must(HASHES[named]);
  const attributes = retagged(signer.take(context(0)), SET);
  must(['any', hash].includes(CALLED[signer.algorithm()] ?? ''));
  const signature = signer.take(OCTETS).content;
  signer.end();
  return { tst, certificates, signer: of, attributes, hash, signature };
}

/** What lies in the last value of a row. */
function alone(row: Row, tag: number): Row {
  const inner = row.within(tag);
  row.end();
  return inner;
}

/** Imprint and time of a TSTInfo (RFC 3161 section 2.4.2). */
function said(tst: Uint8Array): { stamped: string; at: bigint } {
  const row = only(tst, SEQUENCE);
  const version = row.take(INTEGER).content;
  must(version.length === 1 && version[0] === 1);
  row.take(OID);
  const imprint = row.within(SEQUENCE);
  must(HASHES[imprint.algorithm()] === 'SHA-256');
  const stamped = hex(imprint.take(OCTETS).content);
  row.take(INTEGER);
  const at = timeOf(row.take(TIME).content);
  // Accuracy and ordering are left to those who compare stamps with each other.
  row.maybe(SEQUENCE);
  row.maybe(BOOLEAN);
  row.maybe(INTEGER);
  return { stamped, at };
}

/** `20260131235959Z`, or with a fraction of up to nine digits; microseconds since 1970. */
function timeOf(bytes: Uint8Array): bigint {
  const text = String.fromCharCode(...bytes);
  const [, date, clock, fraction = ''] = must(/^(\d{8})(\d{6})(?:\.(\d{1,9}))?Z$/.exec(text));
  const [day, time] = [must(date), must(clock)];
  const iso = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}`;
  const ms = Date.parse(`${iso}Z`);
  must(!Number.isNaN(ms) && ms >= 0 && new Date(ms).toISOString().startsWith(iso));
  return BigInt(ms) * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
}

/** The attributes are of a TSTInfo and of these bytes, and name a certificate (RFC 3161 section 2.4.1, RFC 5816): gives what tells which. */
async function attributes(signed: Signed): Promise<(certificate: Uint8Array) => Promise<boolean>> {
  let [typed, digested] = [false, false];
  let named: { hash: string; digest: string } | null = null;
  const row = only(signed.attributes, SET);
  const own = await digest(signed.hash, signed.tst);
  while (!row.over) {
    const attribute = row.within(SEQUENCE);
    const kind = attribute.oid();
    const values = attribute.within(SET);
    if (kind === CONTENT_TYPE) typed = values.oid() === TST;
    else if (kind === MESSAGE_DIGEST) digested = hex(values.take(OCTETS).content) === own;
    else if (kind === SIGNING_CERTIFICATE_V2 || kind === SIGNING_CERTIFICATE) {
      const first = values.within(SEQUENCE).within(SEQUENCE).within(SEQUENCE);
      const algorithm = first.maybe(SEQUENCE);
      const usual = kind === SIGNING_CERTIFICATE ? 'SHA-1' : 'SHA-256';
      const hash = algorithm ? must(HASHES[new Row(algorithm.content).oid()]) : usual;
      named = { hash, digest: hex(first.take(OCTETS).content) };
    }
  }
  const { hash, digest: wanted } = must(typed && digested && named);
  return async (certificate) => (await digest(hash, certificate)) === wanted;
}
