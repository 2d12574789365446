//! Reading files of a bundle so that a file that changed is noticed: hashed while it is read, compared at its end.
use std::io::{self, Read};

use portcullis_evidence::{Digest, FileHash, Source};
use sha2::{Digest as _, Sha256};

use crate::error::ExportError;
use crate::long;

/// A file that is being read, and what was signed for it.
pub(crate) struct Checked<'a> {
    inner: Box<dyn Read + 'a>,
    hash: Sha256,
    bytes: u64,
    listed: FileHash,
}

impl<'a> Checked<'a> {
    /// Opens the file.
    pub(crate) fn open(source: &'a dyn Source, listed: &FileHash) -> Result<Self, ExportError> {
        let opened = source.open(listed.path).map_err(|error| ExportError::Read(listed.path, error))?;
        Ok(Self { inner: opened.reader, hash: Sha256::new(), bytes: 0, listed: *listed })
    }

    /// Reads what is left; whether the whole is what was signed.
    pub(crate) fn finish(mut self) -> Result<bool, ExportError> {
        let path = self.listed.path;
        io::copy(&mut self, &mut io::sink()).map_err(|error| ExportError::Read(path, error))?;
        let digest = Digest(self.hash.finalize().into());
        Ok(self.bytes == self.listed.bytes && digest == self.listed.sha256)
    }
}

impl Read for Checked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // One byte more than was signed is a change already; the rest of it is not read.
        let left = self.listed.bytes.saturating_add(1).saturating_sub(self.bytes);
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let part = buffer.get_mut(..most).unwrap_or_default();
        let length = self.inner.read(part)?;
        self.hash.update(part.get(..length).unwrap_or_default());
        self.bytes = self.bytes.saturating_add(long(length));
        Ok(length)
    }
}

/// The whole of a small file, at most `most` bytes.
pub(crate) fn whole(source: &dyn Source, listed: &FileHash, most: u64) -> Result<(Vec<u8>, bool), ExportError> {
    let mut file = Checked::open(source, listed)?;
    let mut bytes = Vec::new();
    let read = (&mut file).take(most).read_to_end(&mut bytes);
    read.map_err(|error| ExportError::Read(listed.path, error))?;
    Ok((bytes, file.finish()?))
}
