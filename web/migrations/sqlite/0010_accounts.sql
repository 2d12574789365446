-- How a sign-in came about: by which provider, whom that signed in, and its name for the sign-in; nothing where none did.
ALTER TABLE sign_ins ADD COLUMN provider TEXT NOT NULL DEFAULT '';
ALTER TABLE sign_ins ADD COLUMN sub TEXT NOT NULL DEFAULT '';
ALTER TABLE sign_ins ADD COLUMN sid TEXT NOT NULL DEFAULT '';
CREATE INDEX sign_ins_by_provider ON sign_ins (provider, sub) WHERE provider <> '';
CREATE INDEX sign_ins_by_sid ON sign_ins (provider, sid) WHERE sid <> '';

-- State: local accounts. They are never rebuilt.
CREATE TABLE accounts (
    name         TEXT    NOT NULL PRIMARY KEY,
    groups       TEXT    NOT NULL, -- a JSON array of strings
    hash         TEXT    NOT NULL, -- argon2id, as a PHC string
    password_set INTEGER NOT NULL  -- Unix seconds
) STRICT, WITHOUT ROWID;
