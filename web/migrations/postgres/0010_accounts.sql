-- The same as in `migrations/sqlite`, where it is explained.
ALTER TABLE sign_ins ADD COLUMN provider TEXT NOT NULL DEFAULT '';
ALTER TABLE sign_ins ADD COLUMN sub TEXT NOT NULL DEFAULT '';
ALTER TABLE sign_ins ADD COLUMN sid TEXT NOT NULL DEFAULT '';
CREATE INDEX sign_ins_by_provider ON sign_ins (provider, sub) WHERE provider <> '';
CREATE INDEX sign_ins_by_sid ON sign_ins (provider, sid) WHERE sid <> '';

CREATE TABLE accounts (
    name         TEXT   NOT NULL PRIMARY KEY,
    groups       TEXT   NOT NULL,
    hash         TEXT   NOT NULL,
    password_set BIGINT NOT NULL
);
