//! A bundle brought from the bucket into a folder, all that lies under its place and nothing else, for who verifies it there.
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::S3;
use crate::{Key, Result, VaultError};

/// The most objects of one bundle: all that the names of its files can count, twice.
const MAX_OBJECTS: usize = 800_000;
/// Bytes that are read at once.
const PIECE: u64 = 16 * 1024 * 1024;
/// Names that are listed at once.
const PAGE: usize = 1000;

/// What was found under a bundle's place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Objects that lie in the folder now.
    pub objects: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Objects whose names no file of a bundle can have, so that they were not brought.
    pub strange: Vec<String>,
}

impl S3 {
    /// Brings every object under `place` (a bundle's, or any other) into the empty folder `to`.
    ///
    /// # Errors
    /// [`VaultError::Storage`], [`VaultError::NotFound`] when an object went away meanwhile.
    pub async fn fetch(&self, place: &Key, to: &Path) -> Result<Fetched> {
        let folder = format!("{}/", self.name(place.as_str()));
        let (mut fetched, mut after): (Fetched, Option<String>) = (Fetched::default(), None);
        loop {
            let listed = self.objects(&folder, after.as_deref(), PAGE).await;
            let (objects, more) = listed.map_err(|fault| failed("list", place, fault.into_io()))?;
            for object in &objects {
                let name = object.key().and_then(|key| key.strip_prefix(&folder)).unwrap_or_default();
                let bytes = object.size().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default();
                match Key::new(name) {
                    Ok(inner) => {
                        let key = Key::new(format!("{place}/{name}"));
                        let key = key.map_err(|error| failed("read", place, io::Error::other(error)))?;
                        self.bring(&key, bytes, &to.join(inner.as_str())).await?;
                        fetched.objects = fetched.objects.saturating_add(1);
                        fetched.bytes = fetched.bytes.saturating_add(bytes);
                    }
                    Err(_) => fetched.strange.push(super::fault::clean(name)),
                }
                if fetched.objects.saturating_add(fetched.strange.len()) > MAX_OBJECTS {
                    return Err(failed(
                        "list",
                        place,
                        io::Error::other("there are more objects than a bundle can have"),
                    ));
                }
            }
            after = objects.last().and_then(|object| object.key().map(str::to_owned));
            if !more || after.is_none() {
                return Ok(fetched);
            }
        }
    }

    async fn bring(&self, key: &Key, bytes: u64, to: &Path) -> Result<()> {
        let here = |error| failed("read", key, error);
        fs::create_dir_all(to.parent().unwrap_or(to)).map_err(here)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
        let mut file = file.map_err(here)?;
        let mut at = 0;
        while at < bytes {
            let until = at.saturating_add(PIECE).min(bytes);
            let piece = self.get(key, Some(at..until)).await?;
            file.write_all(&piece).map_err(here)?;
            at = until;
        }
        Ok(())
    }
}

fn failed(action: &'static str, key: &Key, source: io::Error) -> VaultError {
    VaultError::Storage { action, key: key.to_string(), source }
}
