-- Recordings that the vault does not show any more keep their row.
ALTER TABLE recordings DROP CONSTRAINT recordings_state_check;
ALTER TABLE recordings ADD CONSTRAINT recordings_state_check CHECK (state IN ('recording', 'closed', 'interrupted', 'expired', 'missing'));
