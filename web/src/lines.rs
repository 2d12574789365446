//! An events file of a bundle, line by line, in memory that does not grow with it.

use std::sync::Arc;

use portcullis_evidence::{MAX_EVENT_BYTES, PathInBundle};
use portcullis_vault::{Key, Vault, VaultError};

/// Bytes that are read from the vault at once.
const CHUNK: u64 = 256 * 1024;

/// Reads one events file.
pub(crate) struct Lines {
    vault: Arc<dyn Vault>,
    key: Key,
    /// How much has been read of how much there is.
    read: u64,
    len: u64,
    buffer: Vec<u8>,
    /// Where the next line begins in `buffer`.
    start: usize,
    /// Inside of a line that is too long to be an event.
    skipping: bool,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Its bytes, without the line feed.
    Whole(Vec<u8>),
    /// It has no line feed, or more bytes than an event may have.
    Broken,
}

impl Lines {
    /// The lines of segment `n` of the bundle at `prefix`; `None` when it has no events file.
    pub(crate) async fn open(vault: &Arc<dyn Vault>, prefix: &str, n: u32) -> Result<Option<Self>, VaultError> {
        let Ok(key) = Key::of(prefix, PathInBundle::Events(n)) else { return Ok(None) };
        let Some(len) = vault.len(&key).await? else { return Ok(None) };
        let vault = vault.clone();
        Ok(Some(Lines { vault, key, read: 0, len, buffer: Vec::new(), start: 0, skipping: false }))
    }

    /// The next line; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Line>, VaultError> {
        loop {
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest.get(..end).unwrap_or_default().to_vec();
                self.start = self.start.saturating_add(end).saturating_add(1);
                let broken = std::mem::take(&mut self.skipping) || line.len() > MAX_EVENT_BYTES;
                return Ok(Some(if broken { Line::Broken } else { Line::Whole(line) }));
            }
            self.skipping |= rest.len() > MAX_EVENT_BYTES;
            let unfinished = self.skipping || !rest.is_empty();
            self.buffer.drain(..self.start);
            self.start = 0;
            if self.skipping {
                self.buffer.clear();
            }
            if self.read == self.len {
                self.buffer.clear();
                self.skipping = false;
                return Ok(unfinished.then_some(Line::Broken));
            }
            let end = self.read.saturating_add(CHUNK).min(self.len);
            self.buffer.extend_from_slice(&self.vault.read(&self.key, Some(self.read..end)).await?);
            self.read = end;
        }
    }
}
