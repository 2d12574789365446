//! What is done with recordings over the years: held, released, let go when their time is over.
//!
//! INVARIANT: nothing goes under a lock, under a hold, without a seal of this gate's own, or before its time by this machine's clock and by
//! that of what stores it; and what proves the recording never goes.

mod derived;
mod expiry;
mod holds;
mod record;
mod replacing;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use portcullis_evidence::{HoldError, ManifestError, PathInBundle, SealError, SigningKey, TombstoneError, Trust};
use thiserror::Error;

use crate::{Key, KeyError, Vault, VaultError};

pub use expiry::{CLOCKS_DIFFER, Fate, Stays};
pub use holds::last_hold;
pub use record::Record;
pub use replacing::Replaced;

/// The most objects of a bundle that are looked at.
pub(crate) const MAX_OBJECTS: usize = 400_000;

/// Keeps the recordings of one vault, and lets them go.
pub struct Keeper {
    /// The vault.
    pub vault: Arc<dyn Vault>,
    /// Whose seals, holds and tombstones count.
    pub trust: Trust,
    /// Signs holds and tombstones.
    pub key: Arc<SigningKey>,
    /// How long recordings are kept of which policy does not say; `None`: for ever.
    pub keep: Option<Duration>,
    /// How long after a session's end its own video stays at least, though another was made of it; `None`: always.
    pub replace_after: Option<Duration>,
}

/// Why nothing can be said of a recording, or done with it.
#[derive(Debug, Error)]
pub enum KeepError {
    /// It has no manifest.
    #[error("there is no session.json")]
    NoManifest,
    /// Its manifest is none, or of another place.
    #[error("session.json cannot be read")]
    Manifest(#[source] ManifestError),
    /// Its manifest names another place.
    #[error("session.json is of another recording, {0}")]
    Stray(String),
    /// Its manifest is not the one that was sealed.
    #[error("session.json is not the one that was sealed")]
    Edited,
    /// Its seal is not one of a key that is trusted.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Its tombstone is forged.
    #[error(transparent)]
    Tombstone(#[from] TombstoneError),
    /// Its tombstone is of a time that has not come.
    #[error("{0} is of a time that has not come")]
    Early(PathInBundle),
    /// What holds it, or does no longer, is forged or torn.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// A file of it is longer than it can be.
    #[error("{0} is too long")]
    TooLong(Key),
    /// There are more objects than a bundle can have.
    #[error("there are more objects than a bundle can have")]
    TooMany,
    /// It expired: what is gone cannot be held.
    #[error("it expired at {0}")]
    Expired(String),
    /// It is held already, or not held.
    #[error("{0}")]
    Already(&'static str),
    /// What is to make room stays.
    #[error("what an interrupted attempt left does not go: {0}")]
    Guarded(Stays),
    /// It has no place.
    #[error("it has no place in a vault")]
    Place(#[from] KeyError),
    /// The vault failed.
    #[error("the vault failed")]
    Vault(#[from] VaultError),
}

impl Keeper {
    /// Stores a few bytes of this process's own.
    async fn store(&self, key: &Key, bytes: &[u8]) -> Result<(), KeepError> {
        let written = tempfile::NamedTempFile::new().and_then(|mut file| file.write_all(bytes).map(|()| file));
        let failed = |source| VaultError::Storage { action: "store", key: key.to_string(), source };
        let file = written.map_err(failed)?;
        Ok(self.vault.put(key, file.path()).await?)
    }
}

/// A small object whole; `None` when it is not there.
async fn small(vault: &dyn Vault, key: &Key, most: u64) -> Result<Option<bytes::Bytes>, KeepError> {
    match vault.len(key).await? {
        None => Ok(None),
        Some(bytes) if bytes > most => Err(KeepError::TooLong(key.clone())),
        Some(_) => Ok(Some(vault.read(key, None).await?)),
    }
}
