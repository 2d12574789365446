//! A bundle as it lies in a vault, for who verifies or exports it there: read piece by piece, never brought as a whole.
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use portcullis_evidence::{Entry, Opened, PathInBundle, Source};
use tokio::runtime::Handle;

use crate::{Key, MAX_LIST, Result, Vault};

/// Bytes that are read at once.
const PIECE: u64 = 4 * 1024 * 1024;

/// The bundle at one place of a vault.
///
/// INVARIANT: its methods wait for the vault, so they are called on a thread that may, which no task of an asynchronous runtime is.
pub struct Stored {
    vault: Arc<dyn Vault>,
    place: Key,
    runtime: Handle,
}

impl Stored {
    /// The bundle at `place` (`sessions/YYYY/MM/DD/<id>`, or wherever it was copied); the runtime is one that others drive.
    #[must_use]
    pub fn new(vault: Arc<dyn Vault>, place: Key, runtime: Handle) -> Self {
        Self { vault, place, runtime }
    }

    fn wait<T>(&self, answer: impl Future<Output = Result<T>>) -> io::Result<T> {
        self.runtime.block_on(answer).map_err(io::Error::other)
    }
}

impl Source for Stored {
    fn list(&self, each: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> io::Result<()> {
        let folder = format!("{}/", self.place);
        let (mut after, mut found) = (None, false);
        loop {
            let page = self.wait(self.vault.list(&folder, after.as_ref(), MAX_LIST))?;
            for entry in &page {
                found = true;
                let path = entry.key.as_str().strip_prefix(&folder).unwrap_or_default().to_owned();
                if each(Entry { path, is_file: true }).is_break() {
                    return Ok(());
                }
            }
            after = page.last().filter(|_| page.len() >= MAX_LIST).map(|entry| entry.key.clone());
            if after.is_none() {
                break;
            }
        }
        for path in self.wait(self.vault.strange(&self.place))? {
            found = true;
            // A name that could be a file's, and is none: a link lies there.
            let is_file = path.parse::<PathInBundle>().is_err();
            if each(Entry { path, is_file }).is_break() {
                return Ok(());
            }
        }
        if found { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn open(&self, path: PathInBundle) -> io::Result<Opened<'_>> {
        let key = Key::of(self.place.as_str(), path).map_err(io::Error::other)?;
        let bytes = self.wait(self.vault.len(&key))?.ok_or(io::ErrorKind::NotFound)?;
        Ok(Opened { bytes, reader: Box::new(Reader { of: self, key, at: 0, bytes, piece: Bytes::new() }) })
    }
}

/// An object that is read from its first byte on.
struct Reader<'a> {
    of: &'a Stored,
    key: Key,
    /// Where the next piece begins.
    at: u64,
    bytes: u64,
    piece: Bytes,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() && self.at < self.bytes {
            let until = self.at.saturating_add(PIECE).min(self.bytes);
            self.piece = self.of.wait(self.of.vault.read(&self.key, Some(self.at..until)))?;
            self.at = until;
        }
        let length = self.piece.len().min(buffer.len());
        if let Some(into) = buffer.get_mut(..length) {
            self.piece.copy_to_slice(into);
        }
        Ok(length)
    }
}
