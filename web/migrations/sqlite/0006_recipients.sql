-- To whom events and video of a recording are encrypted: public keys of age with spaces between; empty when they are clear.
ALTER TABLE recordings ADD COLUMN recipients TEXT NOT NULL DEFAULT '';
