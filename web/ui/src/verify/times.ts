/** Wall-clock times of evidence: RFC 3339 in UTC with six decimals, as microseconds. Pure. */
import { need } from './verdict';

/** Microseconds since 1970; a day that no calendar has is malformed. */
export function microseconds(time: string): bigint {
  const [, second = '', decimals = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})Z$/.exec(time) ?? [];
  const ms = Date.parse(`${second}Z`);
  need(!Number.isNaN(ms) && new Date(ms).toISOString().startsWith(second) && !second.startsWith('0000'));
  return BigInt(ms) * 1000n + BigInt(decimals);
}

/** Microseconds since 1970 as evidence writes them. */
export function isoOf(microseconds: bigint): string {
  const decimals = String(microseconds % 1_000_000n).padStart(6, '0');
  return `${new Date(Number(microseconds / 1_000_000n) * 1000).toISOString().slice(0, 19)}.${decimals}Z`;
}
