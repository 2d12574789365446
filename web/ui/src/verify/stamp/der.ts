/** DER (X.690) as far as time stamps and their certificates need it: definite lengths, one-byte tags, nothing copied. Pure. */
import { hex } from '../bytes';

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BITS = 0x03;
export const OCTETS = 0x04;
export const NULL = 0x05;
export const OID = 0x06;
export const UTF8 = 0x0c;
export const UTC_TIME = 0x17;
export const TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;
/** `[n]`, constructed. */
export const context = (n: number): number => 0xa0 + n;

/** One value; `whole` has its tag and length. */
export interface Value {
  tag: number;
  content: Uint8Array;
  whole: Uint8Array;
}

/** What is not DER, or not of the form that was asked for. */
export class NotDer extends Error {}

export function must<T>(value: T | null | undefined | false): T {
  if (value === null || value === undefined || value === false) throw new NotDer();
  return value;
}

/** A row of values, taken one by one. */
export class Row {
  constructor(private rest: Uint8Array) {}

  get over(): boolean {
    return this.rest.length === 0;
  }

  /** The next value. Throws NotDer when there is none. */
  next(): Value {
    const [tag = 0, first = 0] = this.rest;
    // More than three bytes of length are more than is ever looked at; tags of several bytes are none of ours.
    must(this.rest.length >= 2 && (first < 0x80 || (first > 0x80 && first <= 0x83)) && (tag & 0x1f) !== 0x1f);
    const digits = first < 0x80 ? 0 : first & 0x7f;
    const bytes = this.rest.subarray(2, 2 + digits);
    const length = digits === 0 ? first : bytes.reduce((value, digit) => value * 256 + digit, 0);
    must(digits === 0 || (bytes.length === digits && bytes[0] !== 0 && length >= 0x80));
    const end = 2 + digits + length;
    must(end <= this.rest.length);
    const whole = this.rest.subarray(0, end);
    this.rest = this.rest.subarray(end);
    return { tag, content: whole.subarray(2 + digits), whole };
  }

  /** The next value when it has this tag; else nothing is taken. */
  maybe(tag: number): Value | null {
    return this.rest[0] === tag ? this.next() : null;
  }

  take(tag: number): Value {
    return must(this.maybe(tag));
  }

  /** What lies in the value of this tag that comes next. */
  within(tag: number): Row {
    return new Row(this.take(tag).content);
  }

  /** The object identifier that comes next, as hexadecimal digits of its content. */
  oid(): string {
    return hex(this.take(OID).content);
  }

  /** The algorithm that comes next, as [`oid`]: without parameters, or with NULL for them. */
  algorithm(): string {
    const row = this.within(SEQUENCE);
    const oid = row.oid();
    if (!row.over) must(row.take(NULL).content.length === 0);
    row.end();
    return oid;
  }

  /** Ends here. */
  end(): void {
    must(this.over);
  }
}

/** The one value of these bytes, and nothing behind it. */
export function only(bytes: Uint8Array, tag: number): Row {
  const row = new Row(bytes);
  const inner = row.within(tag);
  row.end();
  return inner;
}

/** A value under another tag, as an implicitly tagged one is signed. */
export function retagged(value: Value, tag: number): Uint8Array {
  const whole = value.whole.slice();
  whole[0] = tag;
  return whole;
}
