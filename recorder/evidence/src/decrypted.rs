//! An encrypted bundle as if it were clear, for those who have an identity.
use std::io;
use std::ops::ControlFlow;

use crate::age::{AgeError, Identities};
use crate::path::PathInBundle;
use crate::source::{Entry, Opened, Source};

/// A bundle whose encrypted files are shown under their plain names, decrypted while they are read. Clear files pass as they are.
///
/// INVARIANT: nothing is written anywhere; what is read is only as sound as verification of the bundle behind finds it.
#[derive(Clone, Copy)]
pub struct Decrypted<'a> {
    source: &'a dyn Source,
    identities: &'a Identities,
}

impl<'a> Decrypted<'a> {
    /// The bundle at `source`, opened with these identities.
    #[must_use]
    pub fn new(source: &'a dyn Source, identities: &'a Identities) -> Self {
        Self { source, identities }
    }

    /// As [`Source::open`], telling what is wrong with the file apart.
    ///
    /// # Errors
    /// Any of [`AgeError`] but `Recipients` and `TooLong`.
    pub fn uncover(&self, path: PathInBundle) -> Result<Opened<'a>, AgeError> {
        let sealed = self.source.open(path.encrypted()).map_err(AgeError::Io)?;
        let (bytes, reader) = self.identities.measured(sealed.reader, sealed.bytes)?;
        Ok(Opened { bytes, reader: Box::new(reader) })
    }
}

impl Source for Decrypted<'_> {
    fn list(&self, each: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> io::Result<()> {
        self.source.list(&mut |Entry { path, is_file }| {
            let plain = path.parse::<PathInBundle>().ok().filter(|path| path.is_encrypted());
            each(Entry { path: plain.map_or(path, |path| path.plain().to_string()), is_file })
        })
    }

    fn open(&self, path: PathInBundle) -> io::Result<Opened<'_>> {
        if path.encrypted() == path {
            return self.source.open(path);
        }
        match self.uncover(path) {
            Ok(opened) => Ok(opened),
            Err(AgeError::Io(error)) if error.kind() == io::ErrorKind::NotFound => self.source.open(path),
            Err(AgeError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }
}
