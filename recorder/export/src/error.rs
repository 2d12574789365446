//! Why something was not exported.
use std::io;

use portcullis_evidence::{ListingError, PathInBundle};
use thiserror::Error;

/// Why something was not exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The bundle does not say whose it is.
    #[error("the bundle cannot be read")]
    Listing(#[from] ListingError),
    /// A file of the bundle cannot be read.
    #[error("{0} cannot be read")]
    Read(PathInBundle, #[source] io::Error),
    /// A file is not the one that its link lists: it was changed since the bundle was verified.
    #[error("{0} is not the file that was signed: the bundle was changed while it was exported")]
    Changed(PathInBundle),
    /// A video file is not of the form that a recorder writes.
    #[error("{0} is not video as it is recorded: {1}")]
    Video(PathInBundle, &'static str),
    /// There is no picture to export.
    #[error("nothing of this session is on video; a zip has its events")]
    NoVideo,
    /// Its pictures are for those alone to whom it is encrypted.
    #[error("it is encrypted: only who has an identity can see its pictures; a zip has its files as they lie")]
    Encrypted,
    /// There is a tombstone.
    #[error("its time is over and its video went; a zip has what is left")]
    Expired,
    /// There is the tombstone of its video.
    #[error("its own video went, for another was made of it; what is under derived/ has a film")]
    Replaced,
    /// More than one file can hold.
    #[error("the recording has too many {0} for one film; a zip has all of them")]
    TooMany(&'static str),
    /// What is written cannot be written.
    #[error("the export cannot be written")]
    Write(#[source] io::Error),
}
