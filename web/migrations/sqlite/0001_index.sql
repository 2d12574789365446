-- One-time sign-in links: only the SHA-256 of the secret is kept. Times are Unix seconds.
CREATE TABLE links (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX links_by_expiry ON links (expires_at);

-- Sign-ins: one row for each cookie that is good, by the SHA-256 of its token.
CREATE TABLE sign_ins (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    subject    TEXT    NOT NULL,
    issuer     TEXT    NOT NULL,
    groups     TEXT    NOT NULL, -- a JSON array of strings
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_ins_by_expiry ON sign_ins (expires_at);
CREATE INDEX sign_ins_by_subject ON sign_ins (issuer, subject, created_at);

-- Recordings: a cache of what the bundles in the vault say, one row for each bundle.
CREATE TABLE recordings (
    id              TEXT    NOT NULL PRIMARY KEY,
    prefix          TEXT    NOT NULL UNIQUE, -- "sessions/YYYY/MM/DD/<id>"
    subject         TEXT    NOT NULL,
    issuer          TEXT    NOT NULL,
    desktop         TEXT    NOT NULL,
    started         TEXT    NOT NULL, -- RFC 3339, UTC
    started_us      INTEGER NOT NULL, -- the same, microseconds since 1970: what lists are ordered by
    ended           TEXT,
    duration_ms     INTEGER NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('recording', 'closed', 'interrupted')),
    reason          TEXT    NOT NULL,
    bytes           INTEGER NOT NULL,
    events          INTEGER NOT NULL,
    denied          INTEGER NOT NULL,
    gaps            INTEGER NOT NULL,
    policy_revision TEXT    NOT NULL,
    policy_rule     TEXT    NOT NULL,
    read_at         INTEGER NOT NULL -- when the bundle was last read, Unix seconds
) STRICT;
CREATE INDEX recordings_newest ON recordings (started_us DESC, id DESC);
CREATE INDEX recordings_of_subject ON recordings (issuer, subject, started_us DESC, id DESC);
