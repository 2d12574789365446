-- Recordings that the vault does not show any more keep their row.
CREATE TABLE recordings_anew (
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
    state           TEXT    NOT NULL CHECK (state IN ('recording', 'closed', 'interrupted', 'expired', 'missing')),
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
INSERT INTO recordings_anew SELECT * FROM recordings;
DROP TABLE recordings;
ALTER TABLE recordings_anew RENAME TO recordings;
CREATE INDEX recordings_of_subject ON recordings (subject, key);
CREATE INDEX recordings_of_desktop ON recordings (desktop, key);
CREATE INDEX recordings_by_state ON recordings (state, key);
CREATE INDEX recordings_without_denials ON recordings (key) WHERE denied = 0;
