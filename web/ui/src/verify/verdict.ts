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
  not_due: 22,
  expired: 23,
  derived: 24,
  replaced: 25,
} as const;

export type Verdict = keyof typeof CODES;
/** What a bundle without fault is. */
export type Sound = 'sound' | 'gap_declared' | 'expired' | 'derived' | 'replaced';
export type Kind = Exclude<Verdict, Sound>;

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

/** The kind of fault that a thrown value tells of: what is not said otherwise did not have the form. */
export function kindOf(thrown: unknown): Kind | null {
  return thrown instanceof Bad ? thrown.kind : 'malformed';
}

/** Of two kinds the one that says more. */
export function heavier(one: Kind | null, other: Kind): Kind {
  return one !== null && CODES[one] <= CODES[other] ? one : other;
}

/** Whether a verdict is that of a bundle without fault. */
export function isSound(verdict: Verdict): verdict is Sound {
  return ['sound', 'gap_declared', 'expired', 'derived', 'replaced'].includes(verdict);
}
