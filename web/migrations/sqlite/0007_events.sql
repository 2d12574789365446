-- The cache anew, with the events of recordings; the next start of the gate fills it from the bundles.
DROP TABLE recordings;

-- One row for each bundle.
CREATE TABLE recordings (
    -- When it started, milliseconds since 1970, or the next such number that is free: what lists are ordered by.
    key             INTEGER NOT NULL PRIMARY KEY,
    id              TEXT    NOT NULL UNIQUE,
    prefix          TEXT    NOT NULL UNIQUE, -- "sessions/YYYY/MM/DD/<id>"
    subject         TEXT    NOT NULL,
    issuer          TEXT    NOT NULL,
    groups          TEXT    NOT NULL, -- the subject's: a JSON array of strings
    desktop         TEXT    NOT NULL,
    started         TEXT    NOT NULL, -- RFC 3339, UTC
    ended           TEXT,
    duration_ms     INTEGER NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('recording', 'closed', 'interrupted', 'expired')),
    reason          TEXT    NOT NULL,
    bytes           INTEGER NOT NULL,
    events          INTEGER NOT NULL,
    denied          INTEGER NOT NULL,
    gaps            INTEGER NOT NULL,
    policy_revision TEXT    NOT NULL,
    policy_rule     TEXT    NOT NULL,
    recipients      TEXT    NOT NULL, -- public keys of age with spaces between; empty when it is clear
    read_at         INTEGER NOT NULL, -- when the bundle was last read, Unix seconds
    -- How far its events are in: those of all segments before this one, of so many files, and so many lines of this one.
    segment         INTEGER NOT NULL,
    files           INTEGER NOT NULL,
    line            INTEGER NOT NULL,
    lines           INTEGER NOT NULL, -- in all
    last_us         INTEGER NOT NULL  -- the last event's place on the video's clock
) STRICT;
CREATE INDEX recordings_of_subject ON recordings (subject, key);
CREATE INDEX recordings_of_desktop ON recordings (desktop, key);
CREATE INDEX recordings_by_state ON recordings (state, key);
CREATE INDEX recordings_without_denials ON recordings (key) WHERE denied = 0;

-- Groups that the subject was in.
CREATE TABLE recording_groups (
    name      TEXT    NOT NULL,
    recording INTEGER NOT NULL,
    PRIMARY KEY (name, recording)
) STRICT, WITHOUT ROWID;
CREATE INDEX groups_of_recording ON recording_groups (recording);

-- What decided anything in it: revisions, rules, and the files of rules.
CREATE TABLE recording_policies (
    name      TEXT    NOT NULL,
    recording INTEGER NOT NULL,
    PRIMARY KEY (name, recording)
) STRICT, WITHOUT ROWID;
CREATE INDEX policies_of_recording ON recording_policies (recording);

-- One row for each event. Its key is that of the recording times 2^21, and its number.
CREATE TABLE events (
    key      INTEGER NOT NULL PRIMARY KEY,
    at_ms    INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    verdict  TEXT    NOT NULL, -- 'permit', 'deny', or nothing where none was asked
    rule     TEXT    NOT NULL,
    revision TEXT    NOT NULL, -- nothing where it is the recording's own
    text     TEXT    NOT NULL  -- what is searched and shown; nothing where it says nothing
) STRICT;

-- Their full text, by the same key: words as `index/words.rs` makes them, with spaces between.
CREATE VIRTUAL TABLE event_texts USING fts5(
    text, about, facets, content='', contentless_delete=1, tokenize='ascii'
);

-- State: what people made in the portal. It is never rebuilt.
CREATE TABLE filters (
    issuer  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    query   TEXT    NOT NULL,
    PRIMARY KEY (issuer, subject, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE notes (
    id        TEXT    NOT NULL PRIMARY KEY,
    recording TEXT    NOT NULL, -- the session's id
    at_ms     INTEGER NOT NULL,
    text      TEXT    NOT NULL, -- nothing: a bookmark
    issuer    TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    made      TEXT    NOT NULL -- RFC 3339, UTC
) STRICT;
CREATE INDEX notes_of_recording ON notes (recording, at_ms);
