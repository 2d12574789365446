//! Why something is not on the record, as values that a session can act on.
use std::io;
use std::path::PathBuf;

use portcullis_evidence::WriteError;
use portcullis_rfb::ScreenError;
use portcullis_vault::{KeyError, VaultError};

use crate::encoder::EncoderError;
use crate::handover::HandOverError;

/// Why a recording could not be started, go on, or be ended.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It failed before this call; the same words as [`crate::Recording::failure`] has.
    #[error("the recording has failed: {0}")]
    Failed(String),
    /// It is being closed, or is closed.
    #[error("the recording is closed")]
    Closed,
    /// The hand-over log took nothing.
    #[error("the screen could not be handed over")]
    HandOver(#[source] HandOverError),
    /// The hand-over log could not be read.
    #[error("the hand-over log cannot be read")]
    Log(#[source] io::Error),
    /// The spool's folder or a file of it could not be used.
    #[error("cannot {action} {path}")]
    Spool {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Keys would be kept on a disk.
    #[error("{0} is on a disk: the keys of what is being recorded belong on a tmpfs, which the machine forgets")]
    OnDisk(PathBuf),
    /// Another recording has this spool.
    #[error("{0} belongs to another recording")]
    Taken(PathBuf),
    /// A change does not fit the screen as recorded so far.
    #[error("a change does not fit the screen")]
    Screen(#[source] ScreenError),
    /// The video could not be encoded.
    #[error("the video could not be encoded")]
    Encoder(#[source] EncoderError),
    /// The bundle could not be written.
    #[error("the bundle could not be written")]
    Bundle(#[source] WriteError),
    /// The vault did not take a file within the time that it is given.
    #[error("the vault does not take the record")]
    Vault(#[source] VaultError),
    /// The vault did not answer when the session was to begin.
    #[error("the vault does not answer")]
    Silent,
    /// The session's id or start does not make a place in a vault.
    #[error("the session has no place in a vault")]
    Place(#[source] KeyError),
    /// So many files wait for the vault that no more can.
    #[error("{0} files wait for the vault")]
    Backlog(usize),
    /// The encoder's thread ended without a word.
    #[error("the encoder died")]
    Died,
    /// The encoder did not end in the time that it is given.
    #[error("the encoder does not end")]
    Stuck,
}

impl RecordError {
    /// The error and its causes in one line, for a person.
    #[must_use]
    pub fn in_full(&self) -> String {
        let mut words = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            words.push_str(": ");
            words.push_str(&error.to_string());
            cause = error.source();
        }
        words
    }
}

/// The error of an action on a path of the spool.
pub(crate) fn spool(action: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> RecordError {
    move |source| RecordError::Spool { action, path: path.to_owned(), source }
}
