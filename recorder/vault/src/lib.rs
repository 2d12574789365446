//! Where evidence lives: one small trait over a folder or a bucket of S3.
//!
//! What is in a vault is never overwritten with something else, but for the index of a bundle that still grows.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod bundles;
mod error;
mod folder;
pub mod keeping;
mod key;
mod lock;
mod s3;
mod source;
mod stored;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use time::OffsetDateTime;

pub use bundles::{Place, days_of, find_bundle, next_bundle};
pub use error::{Result, VaultError};
pub use folder::Folder;
pub use key::{Key, KeyError, MAX_KEY_BYTES};
pub use lock::{Guarded, Lock, LockMode};
pub use s3::{Addressing, Encryption, Fault, Property, S3, S3Error, S3Settings, Standing, Url};
pub use stored::Stored;

/// The most bytes that one [`Vault::read`] returns; longer objects are read range by range.
pub const MAX_READ_BYTES: u64 = 64 * 1024 * 1024;
/// The most entries that one [`Vault::list`] returns.
pub const MAX_LIST: usize = 10_000;

/// One object of a vault, as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A store of immutable objects.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Stores the bytes of the file `from` under `key`, durably: when this returns, they survive a power cut.
    ///
    /// Storing the same bytes again is no error, so an interrupted upload is simply repeated.
    ///
    /// # Errors
    /// [`VaultError::AlreadyDiffers`] when other bytes are there already, [`VaultError::NoSpace`], [`VaultError::Storage`].
    async fn put(&self, key: &Key, from: &Path) -> Result<()>;

    /// As [`Vault::put`], but replaces what is there: for the `index.m3u8` of a bundle that still grows, and nothing else.
    /// A reader sees the old bytes or the new ones, never a mixture.
    ///
    /// # Errors
    /// [`VaultError::NotReplaceable`], [`VaultError::NoSpace`], [`VaultError::Storage`].
    async fn replace(&self, key: &Key, from: &Path) -> Result<()>;

    /// The bytes of `range`, or all of them.
    ///
    /// # Errors
    /// [`VaultError::NotFound`], [`VaultError::OutOfRange`] when the range is empty or ends behind the object's end,
    /// [`VaultError::TooLong`] over [`MAX_READ_BYTES`], [`VaultError::Storage`].
    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<Bytes>;

    /// The object's length in bytes; `None` when there is none.
    ///
    /// # Errors
    /// [`VaultError::Storage`].
    async fn len(&self, key: &Key) -> Result<Option<u64>>;

    /// The objects whose keys begin with `prefix`, sorted by the bytes of their keys, from the first one behind `after`,
    /// at most `limit` (and never more than [`MAX_LIST`]). A page shorter than that is the last.
    ///
    /// # Errors
    /// [`VaultError::Storage`].
    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>>;

    /// The names under `place` that [`Vault::list`] leaves out: those that no [`Key`] can have, and what is no object, such as a link; the storage's
    /// own are not among them.
    ///
    /// # Errors
    /// [`VaultError::Storage`].
    async fn strange(&self, _place: &Key) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// This vault, but what is put is locked as well: `lock` and what the vault locks by itself add up ([`Lock::and`]).
    ///
    /// # Errors
    /// [`VaultError::Unprotected`] when what stores the objects does not lock them.
    async fn locked(self: Arc<Self>, lock: Lock) -> Result<Arc<dyn Vault>> {
        let reason = format!("a {} lock was asked for, and nothing here locks objects", lock.mode);
        Err(VaultError::Unprotected { property: "Object Lock", reason })
    }

    /// Removes an object and every older version of it; one that is not there is gone already.
    ///
    /// # Errors
    /// [`VaultError::Storage`], among others when a lock or hold keeps it.
    async fn remove(&self, key: &Key) -> Result<()> {
        let source = std::io::ErrorKind::Unsupported.into();
        Err(VaultError::Storage { action: "remove", key: key.to_string(), source })
    }

    /// What keeps an object, by the word of what stores it.
    ///
    /// # Errors
    /// [`VaultError::Storage`].
    async fn guarded(&self, _key: &Key) -> Result<Guarded> {
        Ok(Guarded::default())
    }

    /// Locks an object that is there until a time; a lock that it has gets firmer and longer, never the other way.
    ///
    /// # Errors
    /// [`VaultError::Unprotected`] when what stores it does not lock it, [`VaultError::Storage`].
    async fn lock_until(&self, _key: &Key, mode: LockMode, _until: OffsetDateTime) -> Result<()> {
        let reason = format!("a {mode} lock was asked for, and nothing here locks objects");
        Err(VaultError::Unprotected { property: "Object Lock", reason })
    }

    /// Puts a legal hold on an object, or takes it off; whether what stores it knows holds.
    ///
    /// # Errors
    /// [`VaultError::Storage`].
    async fn hold(&self, _key: &Key, _held: bool) -> Result<bool> {
        Ok(false)
    }
}
