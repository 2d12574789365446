//! Reading files of a bundle that nobody vouches for: capped, never through a link, in constant memory.
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufRead, Read};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::event::MAX_EVENT_BYTES;

/// How much of a file is hashed at once.
const HASHED_AT_ONCE: usize = 256 * 1024;

/// Opens a regular file that is no symbolic link and did not become another file while it was opened.
pub(crate) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let named = std::fs::symlink_metadata(path)?;
    if !named.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    // A pipe that took the file's place meanwhile would keep the opening waiting for ever.
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let opened = file.metadata()?;
    if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
        return Err(io::Error::other("the file was replaced while it was opened"));
    }
    Ok((file, opened))
}

/// The bytes of a file that has at most `most` of them; `None` when it has more.
pub(crate) fn capped(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    all(open(path)?.0, most)
}

/// What is left to read, if it is at most `most` bytes.
pub(crate) fn all(reader: impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(u64::try_from(bytes.len()).is_ok_and(|length| length <= most).then_some(bytes))
}

/// A reader that hashes and counts what passes.
pub(crate) struct Hashing<R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
}

impl<R: Read> Hashing<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    /// Reads what is left; then length and hash of the whole.
    pub(crate) fn finish(mut self) -> io::Result<(u64, Digest)> {
        let mut buffer = vec![0; HASHED_AT_ONCE];
        while self.read(&mut buffer)? > 0 {}
        Ok((self.bytes, Digest(self.hash.finalize().into())))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.hash.update(buffer.get(..length).unwrap_or_default());
        self.bytes = self.bytes.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        Ok(length)
    }
}

/// Length and SHA-256 of a file.
pub(crate) fn hash(path: &Path) -> io::Result<(u64, Digest)> {
    Hashing::new(open(path)?.0).finish()
}

/// What [`line`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line with its line feed.
    Whole,
    /// The file ends within a line.
    Torn,
    /// More than [`MAX_EVENT_BYTES`] without a line feed.
    TooLong,
    /// The file ends here.
    End,
}

/// Reads the next line, with its line feed, into `buffer` instead of what was there.
pub(crate) fn line(reader: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<Line> {
    buffer.clear();
    let most = u64::try_from(MAX_EVENT_BYTES).unwrap_or(u64::MAX);
    let length = reader.take(most).read_until(b'\n', buffer)?;
    Ok(match buffer.last() {
        None => Line::End,
        Some(b'\n') => Line::Whole,
        Some(_) if length >= MAX_EVENT_BYTES => Line::TooLong,
        Some(_) => Line::Torn,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let long = vec![b'x'; MAX_EVENT_BYTES];
        let mut buffer = Vec::new();
        let mut of = |bytes: &[u8]| {
            let mut reader = bytes;
            let mut found = Vec::new();
            loop {
                found.push(line(&mut reader, &mut buffer).unwrap());
                if !matches!(found.last(), Some(Line::Whole)) {
                    return found;
                }
            }
        };
        assert_eq!(of(b""), [Line::End]);
        assert_eq!(of(b"a\n\n"), [Line::Whole, Line::Whole, Line::End]);
        assert_eq!(of(b"a\nb"), [Line::Whole, Line::Torn]);
        assert_eq!(of(&long), [Line::TooLong]);
        assert_eq!(of(&[&long[1..], b"\n"].concat()), [Line::Whole, Line::End]);
    }

    #[test]
    fn links_and_long_files_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "abc").unwrap();
        assert_eq!(capped(&file, 3).unwrap().unwrap(), b"abc");
        assert_eq!(capped(&file, 2).unwrap(), None);
        assert_eq!(hash(&file).unwrap(), (3, Digest::of(b"abc")));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(open(&link).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(open(folder.path()).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
