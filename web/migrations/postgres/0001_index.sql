-- The same tables as in `migrations/sqlite`, where their columns are explained.
CREATE TABLE links (
    hash       BYTEA  NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    expires_at BIGINT NOT NULL
);
CREATE INDEX links_by_expiry ON links (expires_at);

CREATE TABLE sign_ins (
    hash       BYTEA  NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    subject    TEXT   NOT NULL,
    issuer     TEXT   NOT NULL,
    groups     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_ins_by_expiry ON sign_ins (expires_at);
CREATE INDEX sign_ins_by_subject ON sign_ins (issuer, subject, created_at);

CREATE TABLE recordings (
    key             BIGINT NOT NULL PRIMARY KEY,
    id              TEXT   NOT NULL UNIQUE,
    prefix          TEXT   NOT NULL UNIQUE,
    subject         TEXT   NOT NULL,
    issuer          TEXT   NOT NULL,
    groups          TEXT   NOT NULL,
    desktop         TEXT   NOT NULL,
    started         TEXT   NOT NULL,
    ended           TEXT,
    duration_ms     BIGINT NOT NULL,
    state           TEXT   NOT NULL CHECK (state IN ('recording', 'closed', 'interrupted', 'expired')),
    reason          TEXT   NOT NULL,
    bytes           BIGINT NOT NULL,
    events          BIGINT NOT NULL,
    denied          BIGINT NOT NULL,
    gaps            BIGINT NOT NULL,
    policy_revision TEXT   NOT NULL,
    policy_rule     TEXT   NOT NULL,
    recipients      TEXT   NOT NULL,
    read_at         BIGINT NOT NULL,
    segment         BIGINT NOT NULL,
    files           BIGINT NOT NULL,
    line            BIGINT NOT NULL,
    lines           BIGINT NOT NULL,
    last_us         BIGINT NOT NULL
);
CREATE INDEX recordings_of_subject ON recordings (subject, key);
CREATE INDEX recordings_of_desktop ON recordings (desktop, key);
CREATE INDEX recordings_by_state ON recordings (state, key);
CREATE INDEX recordings_without_denials ON recordings (key) WHERE denied = 0;

CREATE TABLE recording_groups (
    name      TEXT   NOT NULL,
    recording BIGINT NOT NULL,
    PRIMARY KEY (name, recording)
);
CREATE INDEX groups_of_recording ON recording_groups (recording);

CREATE TABLE recording_policies (
    name      TEXT   NOT NULL,
    recording BIGINT NOT NULL,
    PRIMARY KEY (name, recording)
);
CREATE INDEX policies_of_recording ON recording_policies (recording);

CREATE TABLE events (
    key      BIGINT NOT NULL PRIMARY KEY,
    at_ms    BIGINT NOT NULL,
    kind     TEXT   NOT NULL,
    verdict  TEXT   NOT NULL,
    rule     TEXT   NOT NULL,
    revision TEXT   NOT NULL,
    text     TEXT   NOT NULL,
    words    TSVECTOR -- its full text; made by `index/postgres.rs`, so that both databases have the same words
);
CREATE INDEX event_texts ON events USING gin (words);

CREATE TABLE filters (
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    name    TEXT NOT NULL,
    query   TEXT NOT NULL,
    PRIMARY KEY (issuer, subject, name)
);

CREATE TABLE notes (
    id        TEXT   NOT NULL PRIMARY KEY,
    recording TEXT   NOT NULL,
    at_ms     BIGINT NOT NULL,
    text      TEXT   NOT NULL,
    issuer    TEXT   NOT NULL,
    subject   TEXT   NOT NULL,
    made      TEXT   NOT NULL
);
CREATE INDEX notes_of_recording ON notes (recording, at_ms);
