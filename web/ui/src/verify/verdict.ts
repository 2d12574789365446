/** What can be wrong with a bundle, and what is concluded: docs/evidence-format.md, "Verdicts". */

/** By code: the lowest of its faults is a bundle's verdict. */
const CODES = {
  sound: 0,
  gap_declared: 3,
  unreadable: 4,
  unknown_key: 5,
  wrong_key: 6,
  revoked_key: 7,
  key_not_valid: 8,
  reordered: 9,
  truncated: 10,
  missing: 11,
  bad_signature: 12,
  edited: 13,
  extended: 14,
  extra: 15,
  not_a_file: 16,
  malformed: 17,
  not_monotonic: 18,
  bad_time_stamp: 19,
  wrong_clock: 20,
  unsealed: 21,
} as const;

export type Verdict = keyof typeof CODES;
export type Kind = Exclude<Verdict, 'sound' | 'gap_declared'>;

/** One fault: a file of the bundle and what is wrong with it. */
export interface Fault {
  path: string;
  kind: Kind;
}

/** What is wrong with a file; null when that was told already. */
export class Bad extends Error {
  constructor(readonly kind: Kind | null) {
    super(kind ?? 'told');
  }
}

export function need(truth: unknown, kind: Kind | null = 'malformed'): asserts truth {
  if (!truth) throw new Bad(kind);
}

export function verdictOf(faults: readonly Fault[], gaps: number): Verdict {
  const worst = [...faults].sort((one, other) => CODES[one.kind] - CODES[other.kind])[0];
  return worst?.kind ?? (gaps > 0 ? 'gap_declared' : 'sound');
}
