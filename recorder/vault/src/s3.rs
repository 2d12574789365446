//! A vault in a bucket of S3, of AWS or of anything that speaks as it does.
//!
//! INVARIANT: an object is stored with `If-None-Match: *` and its SHA-256; what is there already counts only if it has the same bytes.

mod connection;
mod credentials;
mod fault;
mod guarding;
mod probe;
mod reading;
mod settings;
mod storing;
mod url;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use bytes::Bytes;
use thiserror::Error;
use time::OffsetDateTime;

use crate::{Entry, Guarded, Key, Lock, LockMode, Result, Vault, VaultError};

pub use fault::Fault;
pub use probe::Standing;
pub use settings::{Addressing, Encryption, Property, S3Settings};
pub use url::Url;

/// A bucket that was looked at and found to do what is asked of it.
#[derive(Debug, Clone)]
pub struct S3 {
    client: Client,
    settings: Arc<S3Settings>,
    standing: Arc<Standing>,
    /// What it was found to do for sessions whose policy asks for a lock, so that it is not tried for each.
    locking: Arc<Mutex<Option<Arc<Standing>>>>,
}

/// Why a bucket cannot be used.
#[derive(Debug, Error)]
pub enum S3Error {
    /// The bucket's name is none.
    #[error("`{0}` is not the name of a bucket")]
    Bucket(String),
    /// The prefix is not made of a key's segments.
    #[error(
        "`{0}` is not a prefix of keys: segments of A-Z a-z 0-9 . _ - with single slashes between, none beginning with a dot"
    )]
    Prefix(String),
    /// The endpoint is none, or may not be used.
    #[error("the endpoint `{endpoint}` cannot be used: {why}")]
    Endpoint {
        /// As it was given.
        endpoint: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The authorities cannot be read.
    #[error("the authorities {path} cannot be used: {why}")]
    Authorities {
        /// Their file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The server did not do what a vault needs.
    #[error("cannot {action} the bucket `{bucket}`")]
    Refused {
        /// What was tried: `list`, `write to`, …
        action: &'static str,
        /// The bucket.
        bucket: String,
        /// What the server said.
        #[source]
        fault: Fault,
    },
    /// The server does not do what is asked of it, by name.
    #[error("the bucket `{bucket}` does not protect the record ({property}): {reason}")]
    Unprotected {
        /// The bucket.
        bucket: String,
        /// What it lacks.
        property: Property,
        /// What was asked, and what was found.
        reason: String,
    },
}

impl S3 {
    /// Looks at the bucket and takes it as a vault if it does all that is asked of it.
    ///
    /// Leaves an object of a few bytes under `.portcullis/probe/` where it may not remove it again.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn open(settings: S3Settings) -> std::result::Result<Self, S3Error> {
        let mut vault = Self::for_reading(settings)?;
        let standing = probe::look(&vault.client, &vault.settings).await?;
        standing.check(&vault.settings)?;
        vault.standing = Arc::new(standing);
        Ok(vault)
    }

    /// Takes the bucket as a vault to read from; nothing is sent yet.
    ///
    /// # Errors
    /// [`S3Error`] when the settings are wrong.
    pub fn for_reading(settings: S3Settings) -> std::result::Result<Self, S3Error> {
        if !settings.prefix.is_empty() && Key::new(settings.prefix.clone()).is_err() {
            return Err(S3Error::Prefix(settings.prefix));
        }
        let client = connection::client(&settings)?;
        Ok(Self { client, settings: Arc::new(settings), standing: Arc::default(), locking: Arc::default() })
    }

    /// What the server was found to do when the vault was opened.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// What an object is called in the bucket.
    fn name(&self, key: &str) -> String {
        match self.settings.prefix.as_str() {
            "" => key.to_owned(),
            prefix => format!("{prefix}/{key}"),
        }
    }
}

#[async_trait]
impl Vault for S3 {
    async fn put(&self, key: &Key, from: &Path) -> Result<()> {
        self.store(key, from).await
    }

    async fn replace(&self, key: &Key, from: &Path) -> Result<()> {
        if key.name() != "index.m3u8" {
            return Err(VaultError::NotReplaceable(key.clone()));
        }
        self.write_over(key, from).await
    }

    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<Bytes> {
        self.get(key, range).await
    }

    async fn len(&self, key: &Key) -> Result<Option<u64>> {
        Ok(self.head(key).await?.map(|head| head.bytes))
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>> {
        self.page(prefix, after, limit).await
    }

    async fn strange(&self, place: &Key) -> Result<Vec<String>> {
        self.not_keys(place).await
    }

    async fn locked(self: Arc<Self>, lock: Lock) -> Result<Arc<dyn Vault>> {
        let mut settings = S3Settings::clone(&self.settings);
        settings.lock = Some(settings.lock.map_or(lock, |own| own.and(lock)));
        let known = self.locking.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let known = [Some(Arc::clone(&self.standing)), known].into_iter().flatten();
        let standing = match known.into_iter().find(|standing| standing.locks(&settings)) {
            Some(standing) => standing,
            None => {
                let found = probe::look(&self.client, &settings).await;
                let found = found.and_then(|standing| standing.check(&settings).map(|()| standing));
                let found = Arc::new(found.map_err(unprotected)?);
                *self.locking.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&found));
                found
            }
        };
        let locking = Arc::clone(&self.locking);
        Ok(Arc::new(Self { client: self.client.clone(), settings: Arc::new(settings), standing, locking }))
    }

    async fn remove(&self, key: &Key) -> Result<()> {
        self.take_away(key).await
    }

    async fn guarded(&self, key: &Key) -> Result<Guarded> {
        self.guard_of(key).await
    }

    async fn lock_until(&self, key: &Key, mode: LockMode, until: OffsetDateTime) -> Result<()> {
        S3::lock_until(self, key, mode, until).await
    }

    async fn hold(&self, key: &Key, held: bool) -> Result<bool> {
        // One that each object gets by configuration is taken off by hand.
        if !held && self.settings.legal_hold {
            return Ok(false);
        }
        self.set_hold(key, held).await
    }
}

fn unprotected(error: S3Error) -> VaultError {
    match error {
        S3Error::Unprotected { property, reason, .. } => VaultError::Unprotected { property: property.name(), reason },
        other => VaultError::Storage { action: "open", key: String::new(), source: io::Error::other(other) },
    }
}

/// The error of an action on an object.
fn failed(action: &'static str, key: &Key) -> impl Fn(Fault) -> VaultError {
    move |fault| match fault {
        Fault::NoObject => VaultError::NotFound(key.clone()),
        Fault::Full(_) => VaultError::NoSpace(key.clone()),
        fault => VaultError::Storage { action, key: key.to_string(), source: fault.into_io() },
    }
}
