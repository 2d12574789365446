//! The folder of a desktop that files go into and come out of; whoever is on the desktop may put anything there.

use async_trait::async_trait;
use portcullis_files::FileName;
use time::OffsetDateTime;

use crate::files::{Spool, SpoolError, Spooled};

/// What the folder is called for people; it lies in the home of the desktop's user.
pub const FOLDER: &str = "Transfer";
/// Where it is mounted in a jail or a container: a file system of its own, so that nobody there can put another folder in its place.
pub(super) const MOUNT: &str = "/home/transfer";
/// Names that are listed at most.
pub(super) const MOST_LISTED: usize = 1000;
/// Names that are tried when a file's own is taken: `a (2).txt`, `a (3).txt` and so on.
pub(super) const MOST_TRIED: u32 = 100;

/// A file in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: FileName,
    /// Its length in bytes, as it is now.
    pub bytes: u64,
    /// When it was changed last, as the desktop says.
    pub modified: OffsetDateTime,
}

/// The transfer folder of one desktop.
#[async_trait]
pub trait Transfer: Send + Sync {
    /// The plain files in it whose names could cross; others, and more than a thousand, are left out.
    async fn list(&self) -> Result<Vec<Listed>, TransferError>;

    /// Brings a whole file into it, owned by the desktop's user, and returns the name that it got: its own, or the next that is free.
    async fn put(&self, name: &FileName, file: &Spooled) -> Result<FileName, TransferError>;

    /// Copies a plain file out of it, as much of it as there is when it is read.
    ///
    /// # Errors
    /// [`TransferError::Spool`] when it is more than the spool takes: a file may grow while it is read, and have no end.
    async fn take(&self, name: &FileName, spool: Spool) -> Result<Spool, TransferError>;
}

/// Why a file did not come in or out of the folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// There is no file of this name.
    #[error("there is no such file in the desktop's folder")]
    Missing,
    /// It is a folder, a link, a pipe, a device.
    #[error("it is not a plain file")]
    NotAFile,
    /// As many files have this name with a number behind it.
    #[error("too many files have this name already")]
    Taken,
    /// The folder is full.
    #[error("there is no room for it in the desktop's folder")]
    Full,
    /// The desktop ended.
    #[error("the desktop is gone")]
    Gone,
    /// The Docker Engine sent what is no archive of one plain file.
    #[error("the desktop's answer is not one file: {0}")]
    Malformed(&'static str),
    /// The gate's own place for it.
    #[error("the gate cannot take it")]
    Spool(#[from] SpoolError),
    /// The machine did not do it.
    #[error("the desktop's folder cannot be used")]
    Io(#[source] std::io::Error),
    /// The Docker Engine refused or failed.
    #[error("the Docker Engine could not carry it")]
    Engine(#[source] bollard::errors::Error),
}

/// A name and those that come after it where it is taken: `a.txt`, `a (2).txt`, `a (3).txt`.
pub(super) fn names(name: &FileName) -> impl Iterator<Item = FileName> {
    let whole = name.as_str().to_owned();
    let (stem, extension) = match whole.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem.to_owned(), format!(".{extension}")),
        _ => (whole.clone(), String::new()),
    };
    let numbered = (2..MOST_TRIED).filter_map(move |number| {
        let suffix = format!(" ({number}){extension}");
        let mut room = portcullis_files::MAX_NAME.saturating_sub(suffix.len()).min(stem.len());
        while !stem.is_char_boundary(room) {
            room = room.saturating_sub(1);
        }
        FileName::parse(&format!("{}{suffix}", stem.get(..room)?)).ok()
    });
    std::iter::once(name.clone()).chain(numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(name: &str) -> Vec<String> {
        names(&FileName::parse(name).unwrap()).take(3).map(|name| name.as_str().to_owned()).collect()
    }

    #[test]
    fn a_taken_name_gets_a_number_before_its_extension() {
        assert_eq!(tried("a.txt"), ["a.txt", "a (2).txt", "a (3).txt"]);
        assert_eq!(tried("a.tar.gz")[1], "a.tar (2).gz");
        assert_eq!(tried("notes"), ["notes", "notes (2)", "notes (3)"]);
        let long = format!("{}é.txt", "a".repeat(249));
        let numbered = &tried(&long)[1];
        assert!(numbered.len() <= 255 && numbered.ends_with(" (2).txt"), "{numbered}");
    }
}
