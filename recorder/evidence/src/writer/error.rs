//! Why a bundle could not be written, as values that a recorder can act on.
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::event::EventError;
use crate::manifest::ManifestError;
use crate::path::PathInBundle;

/// Why a step of a [`crate::BundleWriter`] failed. Unless it is [`WriteError::Broken`], the step may be tried again.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The disk is full; [`crate::BundleWriter::release_room`] makes room for a last word.
    #[error("no space is left to write {0}")]
    NoSpace(PathBuf),
    /// The disk failed.
    #[error("cannot {action} {path}")]
    Storage {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// An earlier step left the disk in a state that is not known; only [`crate::BundleWriter::reopen`] can find out.
    #[error("an earlier write failed for good; the bundle has to be opened anew")]
    Broken,
    /// The bundle is sealed.
    #[error("the bundle is sealed")]
    Sealed,
    /// The folder for a new bundle holds something.
    #[error("{0} is not empty")]
    NotEmpty(PathBuf),
    /// The manifest cannot be written.
    #[error("the manifest cannot be written")]
    Manifest(#[source] ManifestError),
    /// The manifest names another key than the one that signs.
    #[error("the manifest names another key than the one that signs")]
    Key,
    /// The manifest names other recipients than those to whom the bundle is encrypted, or a clear segment is closed as an encrypted one.
    #[error("the manifest names other recipients than those to whom the bundle is encrypted")]
    Encryption,
    /// The event cannot be written.
    #[error("the event cannot be written")]
    Event(#[source] EventError),
    /// The event is of another session.
    #[error("the event is of another session")]
    Session,
    /// The event does not come after the one before.
    #[error("the event does not come after the one before: {0}")]
    Order(&'static str),
    /// The segment does not fit the chain.
    #[error("segment {n} cannot be closed: {reason}")]
    Segment {
        /// Its number.
        n: u32,
        /// Why.
        reason: &'static str,
    },
    /// The bundle has as many links as it can have.
    #[error("the bundle is full: it has {} links", crate::MAX_LINKS)]
    Full,
    /// The bundle cannot be sealed while this file is in no link.
    #[error("the bundle cannot be sealed: {0} is in no link")]
    Unlisted(String),
    /// The ending is not one that a seal can hold.
    #[error("the bundle cannot be sealed: {0}")]
    Ending(&'static str),
    /// A file of the bundle is not what this writer, or the one before it, wrote.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// Which file.
        path: PathInBundle,
        /// How.
        reason: String,
    },
}

/// The error of an action on a path.
pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => WriteError::NoSpace(path.to_owned()),
        _ => WriteError::Storage { action, path: path.to_owned(), source },
    }
}

pub(super) fn damaged(path: PathInBundle, reason: impl ToString) -> WriteError {
    WriteError::Damaged { path, reason: reason.to_string() }
}
