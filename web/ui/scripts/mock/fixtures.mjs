/** A plausible small world for the pages: people, desktops, sessions, recordings, events. */

const revision = 'sha256:1f9c04be77a2';

const allow = (control, paste, copy, { resize = false, upload = false, download = false } = {}) => ({
  control,
  paste,
  copy,
  resize,
  paste_bytes: paste ? 4096 : 0,
  copy_bytes: copy ? 65536 : 0,
  upload,
  download,
  upload_bytes: upload ? 64 * 1024 * 1024 : 0,
  download_bytes: download ? 1024 * 1024 : 0,
  upload_types: upload ? ['application/pdf', 'image/*', 'text/plain'] : [],
  upload_extensions: [],
});

export const me = {
  subject: 'alice@example.org',
  groups: ['contractors', 'auditors'],
  roles: ['user', 'auditor'],
  issuer: 'https://id.example.org/realms/northwind',
  provider: 'corp',
};

/** Which policies are in force: one commit that is good, and one behind it that is not. */
export const policy = (now) => ({
  revision: '1f9c04be77a2d3e4f5061728394a5b6c7d8e9f00',
  since: new Date(now - 86_400_000).toISOString(),
  source: 'git@git.example.org:security/policies.git main:gate',
  following: {
    signer: 'ann@example.org',
    looked: new Date(now - 2_000).toISOString(),
    failure: null,
    refused: {
      commit: '77a2d3e4f5061728394a5b6c7d8e9f001f9c04be',
      at: new Date(now - 600_000).toISOString(),
      faults: [
        {
          file: 'contractors.yaml',
          line: 7,
          column: 11,
          reason: 'unknown key `pase` in `allow`; did you mean `paste`?',
        },
        {
          file: 'tests/contractors.yaml',
          line: 12,
          column: 0,
          reason:
            'the case `contractors work in office hours` fails: expected permit, got deny by default deny',
        },
      ],
    },
  },
});

export const desktops = [
  {
    name: 'terminal',
    title: 'Terminal',
    description: 'A shell with git, compilers and the staging cluster at hand.',
    icon: 'terminal',
    permitted: true,
    reason: 'contractors may open dev desktops',
    policy: { revision, rule: 'contractors.yaml:7 allow.open' },
    allows: allow(true, true, false),
    recorded: 'strict',
  },
  {
    name: 'browser',
    title: 'Browser',
    description: 'Chromium on a clean profile, for the partner portals.',
    icon: 'browser',
    permitted: true,
    reason: 'contractors may open dev desktops',
    policy: { revision, rule: 'contractors.yaml:7 allow.open' },
    allows: allow(true, true, true, { upload: true, download: true }),
    recorded: 'strict',
  },
  {
    name: 'ledger',
    title: 'Ledger',
    description: 'The bookkeeping system. Nothing is copied out of here.',
    icon: 'office',
    permitted: true,
    reason: 'auditors may look at the ledger',
    policy: { revision, rule: 'audit.yaml:3 allow.watch' },
    allows: allow(false, false, false),
    recorded: 'best_effort',
  },
  {
    name: 'production',
    title: 'Production console',
    description: 'Break-glass access to production.',
    icon: 'code',
    permitted: false,
    reason: 'Only members of “operators” may open this desktop, from Monday to Friday.',
    policy: { revision, rule: 'operators.yaml:12 deny[0].actions' },
    allows: allow(false, false, false),
    recorded: 'strict',
  },
  {
    name: 'archive',
    title: 'Archive',
    description: 'Documents of closed projects.',
    icon: 'files',
    permitted: false,
    reason: 'No policy lets you open this desktop.',
    policy: { revision, rule: 'default deny' },
    allows: allow(false, false, false),
    recorded: 'strict',
  },
];

export function sessions(now) {
  const started = (minutes) => new Date(now - minutes * 60_000).toISOString();
  return [
    {
      id: '0193c8f2-6a51-7c1e-9d0a-5b2f8e4d7c10',
      subject: me.subject,
      desktop: 'terminal',
      title: 'Terminal',
      state: 'live',
      started: started(12.6),
      viewers: 1,
      policy: desktops[0].policy,
      allows: desktops[0].allows,
      clipboard: 'latin1',
      hidden: false,
      recording: { mode: 'strict', state: 'recording', keys: 'counts' },
    },
    {
      id: '0193c8e0-11b4-7f3a-8c55-90aa1b7e2f34',
      subject: me.subject,
      desktop: 'browser',
      title: 'Browser',
      state: 'live',
      started: started(97),
      viewers: 0,
      policy: desktops[1].policy,
      allows: desktops[1].allows,
      clipboard: 'latin1',
      hidden: false,
      recording: { mode: 'strict', state: 'recording', keys: 'counts' },
    },
    {
      id: '0193c8f4-9b21-7d02-b1c3-aa01de57f9e2',
      subject: 'bob@example.org',
      desktop: 'ledger',
      title: 'Ledger',
      state: 'live',
      started: started(5),
      viewers: 1,
      policy: desktops[2].policy,
      allows: desktops[2].allows,
      clipboard: 'latin1',
      hidden: false,
      recording: { mode: 'best_effort', state: 'failed', keys: 'counts' },
    },
  ];
}

/** What lies in the transfer folder of the browser's session. */
export const files = (now) => [
  { name: 'quarterly-report.pdf', bytes: 412_877, modified: new Date(now - 4 * 60_000).toISOString() },
  { name: 'customers.csv', bytes: 2_811_904, modified: new Date(now - 26 * 60_000).toISOString() },
  {
    name: 'Screenshot 2026-11-22 at 09.41.07 of the very long window title.png',
    bytes: 88_120,
    modified: new Date(now - 190 * 60_000).toISOString(),
  },
];

/** The recordings that have video: the sample's length is theirs. */
export const playable = {
  closed: '0193c7aa-2f6e-7b10-a3d4-1c9e5f7b8a21',
  interrupted: '0193c79b-7de1-7a42-b7f0-62d3c8e19f55',
  running: '0193c8f2-6a51-7c1e-9d0a-5b2f8e4d7c10',
  sealed: '0193c78e-1b20-7f44-9e01-7c5a4d3b2e10',
};

export function recordings(now, sampleMs, recipient) {
  const people = ['alice@example.org', 'bob@example.org', 'chidi@partner.example', 'dana@example.org'];
  const names = ['terminal', 'browser', 'browser', 'ledger', 'terminal'];
  const at = (minutes) => new Date(now - minutes * 60_000).toISOString();
  const one = (id, n, more) => ({
    id,
    subject: people[n % people.length],
    groups: n % 4 === 2 ? ['users', 'partners'] : ['users'],
    desktop: names[n % names.length],
    started: at(40 + n * 173),
    ended: at(40 + n * 173 - ((n * 37) % 55) - 3),
    duration_ms: (((n * 37) % 55) + 3) * 60_000 + n * 971,
    state: 'closed',
    reason: 'ended by the person',
    bytes: 3_100_000 + n * 811_000,
    events: 120 + ((n * 97) % 900),
    denied: n % 4 === 1 ? (n % 7) + 1 : 0,
    policy: { revision, rule: n % 3 === 2 ? 'audit.yaml:3 allow.open' : 'contractors.yaml:7 allow.open' },
    gaps: 0,
    encrypted: false,
    recipients: [],
    readings: {
      thumbnail: read('made'),
      text: n % 3 === 2 ? read('none', 'not_asked') : read('made', '', 40 + n),
    },
    ...more,
  });
  const list = [
    one(playable.running, 0, {
      started: at(12.6),
      ended: null,
      state: 'recording',
      reason: '',
      duration_ms: sampleMs,
      denied: 1,
      readings: { thumbnail: read('none', 'running'), text: read('none', 'running') },
    }),
    one(playable.closed, 1, {
      desktop: 'terminal',
      duration_ms: sampleMs,
      ended: at(40 + 173 - sampleMs / 60_000),
      events: 35,
      denied: 3,
      gaps: 1,
    }),
    one(playable.interrupted, 2, {
      state: 'interrupted',
      reason: 'the gate was killed',
      duration_ms: sampleMs,
      denied: 3,
    }),
    one(playable.sealed, 3, {
      duration_ms: sampleMs,
      denied: 4,
      encrypted: true,
      recipients: [recipient],
      readings: { thumbnail: read('none', 'encrypted'), text: read('none', 'encrypted') },
    }),
  ];
  for (let n = 4; n < 70; n += 1) {
    const id = `0193b${String(n).padStart(3, '0')}-7c00-7000-8000-${String(n * 7919).padStart(12, '0')}`;
    const failed = { thumbnail: read('wanted'), text: read('failed', 'tesseract is not on this machine') };
    list.push(
      one(
        id,
        n,
        n === 6
          ? { readings: failed }
          : n % 17 === 0
            ? { state: 'interrupted', reason: 'the machine lost power', gaps: 1 }
            : {},
      ),
    );
  }
  return list;
}

/** How a reading stands. */
function read(state, reason = '', lines = 0) {
  return { state, reason, lines, failed: 0, until: null };
}

/** Lines of the sample's screen, where they stand in its pictures. */
export const screenLines = [
  ['On branch staging', 5_000, 60_000, 1, 174],
  ['nothing to commit, working tree clean', 5_000, 60_000, 2, 379],
  ['Finished in 4.21s <img src=x onerror=alert(1)>', 14_000, 60_000, 5, 215],
  ['test result: ok. 214 passed; 0 failed', 17_000, 60_000, 7, 379],
].map(([text, at, until, row, width]) => ({
  text,
  at,
  screen: { until, confidence: 94, x: 108, y: Math.round(117 + row * 26.35), width, height: 20 },
}));

/** The events of a sample recording, on its clock. */
export function events(recording, kept = '') {
  const start = Date.parse(recording.started);
  const sha256 = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
  const viewer = 1;
  const rows = [
    [
      0,
      'contractors.yaml:7 allow.open',
      { type: 'session_opened', desktop: recording.desktop, runtime: 'process' },
    ],
    [
      0.4,
      'contractors.yaml:7 allow.watch',
      { type: 'viewer_joined', viewer, origin: 'https://desk.example.org' },
    ],
    [
      0.6,
      'contractors.yaml:8 allow.control',
      { type: 'control', viewer, effect: 'permit', reason: 'contractors may type' },
    ],
    [1.1, 'contractors.yaml:11 allow.resize', { type: 'resized', width: 1280, height: 800 }],
    ...[3, 4, 5, 6, 9, 10, 11, 14, 15, 16, 17, 22, 23, 24].map((s, n) => [
      s,
      'contractors.yaml:8 allow.control',
      { type: 'keys', viewer, pressed: 3 + ((n * 5) % 9) },
    ]),
    [12.2, 'contractors.yaml:8 allow.control', { type: 'clicks', viewer, pressed: 1, x: 412, y: 300 }],
    [
      18.5,
      'contractors.yaml:9 allow.paste',
      { type: 'paste', viewer, effect: 'permit', bytes: 214, sha256, reason: '' },
    ],
    [
      26.3,
      'contractors.yaml:9 allow.paste.max_bytes',
      {
        type: 'paste',
        viewer,
        effect: 'deny',
        bytes: 18_432,
        sha256,
        reason: 'more than the 4 KiB that may be pasted',
      },
    ],
    [
      31.7,
      'default deny',
      {
        type: 'copy',
        viewer,
        effect: 'deny',
        bytes: 1_204,
        sha256,
        reason: 'no policy lets you copy out of this desktop',
      },
    ],
    [33, 'contractors.yaml:7 allow.watch', { type: 'bell' }],
    [
      20.2,
      'contractors.yaml:16 deny[0].containing',
      {
        type: 'paste',
        viewer,
        effect: 'permit',
        bytes: 331,
        sha256,
        found: ['iban', 'payment-card'],
        redacted: 2,
        reason: 'payment cards and accounts are taken out',
      },
    ],
    [
      20.2,
      'contractors.yaml:16 deny[0].containing',
      { type: 'contents', of: 0, part: 1, parts: 1, age: kept },
    ],
    [
      28.9,
      'contractors.yaml:10 allow.upload',
      {
        type: 'upload',
        effect: 'permit',
        name: 'notes.zip',
        bytes: 48_211,
        media_type: 'application/zip',
        sha256,
        archive_entries: 3,
        reason: '',
      },
    ],
    [
      29.6,
      'contractors.yaml:18 deny[1].containing',
      {
        type: 'download',
        effect: 'deny',
        name: 'customers.csv',
        bytes: 2_811_904,
        media_type: 'text/csv',
        sha256,
        found: ['payment-card'],
        quarantined: '0193c7aa-2f6e-7b10-a3d4-1c9e5f7b8a21/2.age',
        reason: 'holds payment cards',
      },
    ],
    [46.3, 'contractors.yaml:7 allow.open', { type: 'desktop_lost', reason: 'it closed its connection' }],
    [47.7, 'contractors.yaml:7 allow.open', { type: 'desktop_back', away_us: 1_400_000 }],
    [
      36.2,
      'contractors.yaml:2 recording.mode',
      { type: 'gap', from_us: 34_000_000, to_us: 36_200_000, reason: 'the spool was full' },
    ],
    ...[38, 39, 41, 42, 43].map((s, n) => [
      s,
      'contractors.yaml:8 allow.control',
      { type: 'clicks', viewer, pressed: 1 + (n % 2), x: 200 + n * 91, y: 170 + n * 44 },
    ]),
    [
      45.5,
      'contractors.yaml:11 allow.resize',
      { type: 'refused', what: 'resize to 3840x2160', reason: 'larger than the policy allows' },
    ],
    [
      48.9,
      'contractors.yaml:1 policy',
      {
        type: 'policy_changed',
        effect: 'permit',
        reason: 'revision sha256:1f9c04be77a2 still permits this session',
      },
    ],
    [
      57.8,
      'contractors.yaml:7 allow.watch',
      { type: 'viewer_left', viewer, reason: 'ended by the person', sent_revision: 1893 },
    ],
    [58, 'contractors.yaml:7 allow.open', { type: 'session_closed', reason: 'ended by the person' }],
  ].sort((one, other) => one[0] - other[0]);
  return rows
    .filter(([, , what]) => recording.state === 'closed' || what.type !== 'session_closed')
    .filter(([, , what]) => recording.gaps > 0 || what.type !== 'gap')
    .filter(([, , what]) => kept !== '' || what.type !== 'contents')
    .map(([second, rule, what], seq) => ({
      v: 1,
      seq,
      at_us: Math.round(second * 1e6),
      time: new Date(start + second * 1000).toISOString(),
      session: recording.id,
      subject: recording.subject,
      policy: recording.policy.revision,
      rule,
      ...what,
      // It follows the event of its text.
      ...(what.type === 'contents' ? { of: seq - 1 } : {}),
    }));
}
