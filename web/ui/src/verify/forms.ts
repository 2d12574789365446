/** The signed parts of a bundle, once their form was held against the schema. */

export interface Listed {
  path: string;
  bytes: number;
  sha256: string;
  /** Of what is in an encrypted file. */
  plain?: { bytes: number; sha256: string };
}

export interface Manifest {
  id: string;
  started: string;
  key: string;
  recipients?: string[];
}

export interface Link {
  session: string;
  n: number;
  from_us: number;
  to_us: number;
  files: Listed[];
  prev: string;
}

export interface Gap {
  from_us: number;
  to_us: number;
}

export interface Seal {
  session: string;
  state: 'closed' | 'interrupted';
  ended: string;
  reason: string;
  duration_us: number;
  links: number;
  last: string;
  events: number;
  gaps: Gap[];
  files: [Listed, Listed, Listed];
  keep?: { lock: string; until: string };
}

export interface Tombstone {
  session: string;
  seal: string;
  due: string;
  at: string;
  by: string;
  reason: string;
}

/** The tombstone of video alone: `derivation` is the hash of what says what stands in its place. */
export interface Replacement {
  session: string;
  seal: string;
  derivation: string;
  at: string;
  by: string;
  reason: string;
}

export interface Derivation {
  session: string;
  of: string;
  made: string;
  codec: string;
  tool: string;
  settings: string;
  files: Listed[];
}
