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
        let derived = self.files(&place.derived()?).await?.into_iter().map(|(_, key)| key);
        for key in derived.chain(self.readings(place).await?) {
            self.guard_as(&record, &key, now).await?;
        }
        Ok(())
    }

    /// Locks and holds one object that came to a sealed recording later, as the recording is; again does no harm.
    ///
    /// # Errors
    /// As [`Keeper::guard_derived`].
    pub async fn guard(&self, place: &Place, path: PathInBundle, now: OffsetDateTime) -> Result<(), KeepError> {
        let (record, key) = (self.record(place).await?, Key::of(place.key().as_str(), path)?);
        self.guard_as(&record, &key, now).await
    }

    async fn guard_as(&self, record: &Record, key: &Key, now: OffsetDateTime) -> Result<(), KeepError> {
        if let Some((mode, until)) = locked_until(record).filter(|(_, until)| *until > now) {
            self.vault.lock_until(key, mode, until).await?;
        }
        if record.is_held() {
            self.vault.hold(key, true).await?;
        }
        Ok(())
    }

    /// Takes away what an interrupted attempt to derive something left: files without a statement of what they are made of.
    ///
    /// # Errors
    /// [`KeepError::Guarded`] when a lock or a hold keeps one of them; the vault's.
    pub async fn clear_derived(&self, place: &Place, now: OffsetDateTime) -> Result<(), KeepError> {
        let files = self.files(&place.derived()?).await?;
        if files.iter().any(|(path, _)| *path == PathInBundle::Derivation) {
            return Ok(());
        }
        let files: Vec<Key> = files.into_iter().map(|(_, key)| key).collect();
        for key in &files {
            if let Some(stays) = self.guarded(key, now).await? {
                return Err(KeepError::Guarded(stays));
            }
        }
        self.remove(&files, now, false).await.map(|_| ())
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
