-- As in `migrations/sqlite`, where it is explained.
ALTER TABLE events ADD COLUMN until_ms BIGINT;
ALTER TABLE events ADD COLUMN confidence BIGINT;
ALTER TABLE events ADD COLUMN x BIGINT;
ALTER TABLE events ADD COLUMN y BIGINT;
ALTER TABLE events ADD COLUMN width BIGINT;
ALTER TABLE events ADD COLUMN height BIGINT;

CREATE TABLE readings (
    recording BIGINT NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN ('text', 'thumbnail')),
    state     TEXT    NOT NULL CHECK (state IN ('wanted', 'made', 'none', 'failed')),
    reason    TEXT    NOT NULL,
    attempts  BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    sha256    TEXT    NOT NULL,
    bytes     BIGINT NOT NULL,
    lines     BIGINT NOT NULL,
    failed    BIGINT NOT NULL,
    until_ms  BIGINT,
    PRIMARY KEY (recording, kind)
);
CREATE INDEX readings_to_do ON readings (kind, recording) WHERE state = 'wanted' OR state = 'failed';

INSERT INTO readings
SELECT key, 'thumbnail', 'wanted', '', 0, 0, '', 0, 0, 0, CAST(NULL AS BIGINT) FROM recordings
WHERE (state = 'closed' OR state = 'interrupted') AND recipients = '';
