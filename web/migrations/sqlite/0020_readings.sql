-- Lines of text that were on the screen are events of the kind 'screen', with numbers behind those of all others: until when each was there,
-- how sure its reader was (0 to 100), and where, in pixels of the screen. Of all other events these are nothing.
ALTER TABLE events ADD COLUMN until_ms INTEGER;
ALTER TABLE events ADD COLUMN confidence INTEGER;
ALTER TABLE events ADD COLUMN x INTEGER;
ALTER TABLE events ADD COLUMN y INTEGER;
ALTER TABLE events ADD COLUMN width INTEGER;
ALTER TABLE events ADD COLUMN height INTEGER;

-- What is read off the pictures of recordings: a cache of what lies beside the bundles, and what is still to be done.
CREATE TABLE readings (
    recording INTEGER NOT NULL, -- its key
    kind      TEXT    NOT NULL CHECK (kind IN ('text', 'thumbnail')),
    state     TEXT    NOT NULL CHECK (state IN ('wanted', 'made', 'none', 'failed')),
    reason    TEXT    NOT NULL, -- why there is none, or why it failed
    attempts  INTEGER NOT NULL,
    at        INTEGER NOT NULL, -- not to be tried again before, Unix seconds
    sha256    TEXT    NOT NULL, -- of the file, after which it is named; nothing before it is made
    bytes     INTEGER NOT NULL,
    lines     INTEGER NOT NULL,
    failed    INTEGER NOT NULL, -- regions that could not be read
    until_ms  INTEGER,          -- up to where was read, where that is not the end
    PRIMARY KEY (recording, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX readings_to_do ON readings (kind, recording) WHERE state = 'wanted' OR state = 'failed';

-- Recordings that the index has already get their small pictures; no policy asked for their text.
INSERT INTO readings
SELECT key, 'thumbnail', 'wanted', '', 0, 0, '', 0, 0, 0, NULL FROM recordings
WHERE (state = 'closed' OR state = 'interrupted') AND recipients = '';
