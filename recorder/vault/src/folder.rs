//! A vault in a folder of this machine.
//!
//! INVARIANT: no name is resolved through a symbolic link. Each folder on the way is opened by its name in the one before it,
//! so nobody can turn the way elsewhere while it is walked.

mod listing;
mod removing;
mod storing;
mod way;

use std::collections::HashSet;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use rustix::fs::{Mode, OFlags};

use crate::{Entry, Key, MAX_READ_BYTES, Result, Vault, VaultError};

/// The folder on which a [`Folder`] vault stands. Files have mode 0600, folders 0700.
#[derive(Debug, Clone)]
pub struct Folder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    root: OwnedFd,
    /// Folders whose names are known to be durable.
    durable: Mutex<HashSet<String>>,
}

impl Folder {
    /// Opens the vault in `root`, which is made if it is not there (its parent has to be).
    ///
    /// # Errors
    /// [`VaultError::Storage`].
    pub fn open(root: &Path) -> Result<Self> {
        let failed = |source| VaultError::Storage { action: "open", key: root.display().to_string(), source };
        match std::fs::DirBuilder::new().mode(0o700).create(root) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(root, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        let inner = Inner { path: root.to_owned(), root: fd, durable: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.inner.path
    }

    /// Runs what waits for the disk on a thread where it may.
    async fn blocking<T: Send + 'static>(
        &self,
        action: &'static str,
        key: &str,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.inner);
        let stopped = |error| VaultError::Storage { action, key: key.to_owned(), source: io::Error::other(error) };
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(stopped)?
    }
}

#[async_trait]
impl Vault for Folder {
    async fn put(&self, key: &Key, from: &Path) -> Result<()> {
        let (name, key, from) = (key.to_string(), key.clone(), from.to_owned());
        self.blocking("store", &name, move |inner| inner.store(&key, &from, false)).await
    }

    async fn replace(&self, key: &Key, from: &Path) -> Result<()> {
        if key.name() != "index.m3u8" {
            return Err(VaultError::NotReplaceable(key.clone()));
        }
        let (name, key, from) = (key.to_string(), key.clone(), from.to_owned());
        self.blocking("store", &name, move |inner| inner.store(&key, &from, true)).await
    }

    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<Bytes> {
        let (name, key) = (key.to_string(), key.clone());
        self.blocking("read", &name, move |inner| inner.read(&key, range)).await
    }

    async fn len(&self, key: &Key) -> Result<Option<u64>> {
        let (name, key) = (key.to_string(), key.clone());
        self.blocking("read", &name, move |inner| Ok(inner.find(&key)?.map(|(_, bytes)| bytes))).await
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>> {
        let (name, prefix, after) = (prefix.to_owned(), prefix.to_owned(), after.cloned());
        self.blocking("list", &name, move |inner| inner.list(&prefix, after.as_ref(), limit)).await
    }

    async fn strange(&self, place: &Key) -> Result<Vec<String>> {
        let (name, place) = (place.to_string(), place.clone());
        self.blocking("list", &name, move |inner| inner.strange(&place)).await
    }

    async fn remove(&self, key: &Key) -> Result<()> {
        let (name, key) = (key.to_string(), key.clone());
        self.blocking("remove", &name, move |inner| inner.remove(&key)).await
    }
}

impl Inner {
    fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<Bytes> {
        let (file, bytes) = self.find(key)?.ok_or_else(|| VaultError::NotFound(key.clone()))?;
        let Range { start, end } = match range {
            Some(range) if range.is_empty() || range.end > bytes => {
                return Err(VaultError::OutOfRange { key: key.clone(), bytes });
            }
            Some(range) => range,
            None => 0..bytes,
        };
        let length = end.saturating_sub(start);
        let length = usize::try_from(length).ok().filter(|_| length <= MAX_READ_BYTES);
        let mut buffer = vec![0; length.ok_or_else(|| VaultError::TooLong(key.clone()))?];
        file.read_exact_at(&mut buffer, start).map_err(storage("read", key))?;
        Ok(buffer.into())
    }
}

/// The error of an action on an object.
fn storage<E: Into<io::Error>>(action: &'static str, key: &Key) -> impl Fn(E) -> VaultError {
    move |error| {
        let source = error.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => VaultError::NoSpace(key.clone()),
            _ => VaultError::Storage { action, key: key.to_string(), source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        let key = Key::new("a").unwrap();
        for errno in [Errno::NOSPC, Errno::DQUOT] {
            assert!(matches!(storage("store", &key)(errno), VaultError::NoSpace(full) if full == key));
        }
        assert!(matches!(storage("store", &key)(Errno::IO), VaultError::Storage { action: "store", .. }));
    }
}
