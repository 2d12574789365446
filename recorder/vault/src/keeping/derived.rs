//! What was derived of a recording lies under `derived/` and `readings/`, and is locked, held and let go together with its original.
use portcullis_evidence::{KeepLock, PathInBundle, parse_stamp};
use time::OffsetDateTime;

use super::{KeepError, Keeper, Record};
use crate::{Key, LockMode, Place};

/// The most objects of readings that one recording has; those of attempts that were interrupted are among them.
const MAX_READINGS: usize = 1000;

impl Keeper {
    /// Locks and holds what was derived of a recording as its original is: for who has stored it.
    ///
    /// # Errors
    /// What keeps the recording from being believed, or the storage from locking; it is to be repeated, which does no harm.
    pub async fn guard_derived(&self, place: &Place, now: OffsetDateTime) -> Result<(), KeepError> {
        let record = self.record(place).await?;
        let lock = locked_until(&record).filter(|(_, until)| *until > now);
        let derived = self.files(&place.derived()?).await?.into_iter().map(|(_, key)| key);
        for key in derived.chain(self.readings(place).await?) {
            if let Some((mode, until)) = lock {
                self.vault.lock_until(&key, mode, until).await?;
            }
            if record.is_held() {
                self.vault.hold(&key, true).await?;
            }
        }
        Ok(())
    }

    /// The objects of a recording, and those of what was derived of it.
    pub(super) async fn all_files(&self, place: &Place) -> Result<Vec<(PathInBundle, Key)>, KeepError> {
        let mut files = self.files(place.key()).await?;
        files.extend(self.files(&place.derived()?).await?);
        Ok(files)
    }

    /// The objects that hold what was read off the pictures of a recording: all of them go with it, for nothing of them proves anything.
    pub(super) async fn readings(&self, place: &Place) -> Result<Vec<Key>, KeepError> {
        let listed = self.vault.list(&format!("{}/", place.readings()?), None, MAX_READINGS).await?;
        Ok(listed.into_iter().map(|entry| entry.key).collect())
    }

    /// Puts a tombstone on what was derived too, if anything was; again does no harm.
    pub(super) async fn bury_derived(&self, place: &Place, tombstone: &[u8]) -> Result<(), KeepError> {
        let derived = place.derived()?;
        let there = self.vault.list(&format!("{derived}/"), None, 1).await?;
        if !there.is_empty() && !tombstone.is_empty() {
            self.store(&Key::of(derived.as_str(), PathInBundle::Expired)?, tombstone).await?;
        }
        Ok(())
    }
}

/// How a seal says that the recording is locked, and until when.
pub(super) fn locked_until(record: &Record) -> Option<(LockMode, OffsetDateTime)> {
    let keep = record.seal.as_ref()?.keep.as_ref()?;
    let mode = match keep.lock {
        KeepLock::None => return None,
        KeepLock::Governance => LockMode::Governance,
        KeepLock::Compliance => LockMode::Compliance,
    };
    Some((mode, parse_stamp(&keep.until)?))
}
