//! What verification found: the facts of a bundle, and a line for each fault.
use std::fmt;

use serde::Serialize;

use crate::seal::State;

/// The most faults that are listed one by one; the rest is counted.
pub const MAX_FAULTS: usize = 1000;

/// The outcome of [`crate::verify`]. A bundle is sound when it has no fault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The session's id, as its manifest says.
    pub session: Option<String>,
    /// How the session ended, as a seal with a good signature says; `None` without one.
    pub state: Option<State>,
    /// Why it ended, from the seal.
    pub reason: Option<String>,
    /// The number of links that are there and good.
    pub links: u32,
    /// The number of events in the segments of good links.
    pub events: u64,
    /// Of those, how many are of a type that this version does not know.
    pub unknown_events: u64,
    /// The number of files whose hash was found right.
    pub files: u64,
    /// Their length, in bytes.
    pub bytes: u64,
    /// Length of the session in microseconds, from the seal.
    pub duration_us: Option<u64>,
    /// The highest revision recorded, from the seal.
    pub revisions: Option<u64>,
    /// The number of gaps that the seal lists.
    pub gaps: Option<u64>,
    /// The `kid`s of the keys that good signatures were made with, sorted.
    pub keys: Vec<String>,
    /// What is wrong, in the order found; at most [`MAX_FAULTS`].
    pub faults: Vec<Fault>,
    /// How many faults more there are.
    pub more_faults: u64,
}

/// One thing that is wrong with a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file, relative to the bundle. Names of foreign files are hostile text: `Display` escapes them.
    pub path: String,
    /// What kind of fault.
    pub kind: Kind,
    /// More, in words for a person.
    pub reason: String,
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The file's bytes are not those that were signed.
    Edited,
    /// The file was signed and is not there.
    Missing,
    /// The file is there and was not signed.
    Extra,
    /// A good link at another's place.
    Reordered,
    /// The seal counts more links than there are.
    Truncated,
    /// There is no seal: the session still runs, or its end was cut off.
    Unsealed,
    /// Signed with a key that is not among those given.
    UnknownKey,
    /// Signed with a known key, but not the one that the manifest names.
    WrongKey,
    /// The signature does not fit.
    BadSignature,
    /// The file does not have the form that this version prescribes.
    Malformed,
    /// A time or a sequence number goes backwards.
    NotMonotonic,
    /// A symbolic link, device, socket or pipe, or a folder in a file's place.
    NotAFile,
    /// The file could not be read.
    Unreadable,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// Adds a fault, or counts it when the list is full.
    pub(crate) fn fault(&mut self, path: impl ToString, kind: Kind, reason: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault { path: path.to_string(), kind, reason: reason.into() });
        } else {
            self.more_faults = self.more_faults.saturating_add(1);
        }
    }
}

impl fmt::Display for Report {
    /// One line for each fault and one for the whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "{fault}")?;
        }
        if self.more_faults > 0 {
            writeln!(f, "…and {} faults more", self.more_faults)?;
        }
        let session = self.session.as_deref().unwrap_or("unknown session");
        let verdict = if self.is_sound() { "sound" } else { "NOT SOUND" };
        let state = match self.state {
            Some(State::Closed) => "closed",
            Some(State::Interrupted) => "interrupted",
            None => "unsealed",
        };
        write!(
            f,
            "{}: {verdict}, {state}, {} links, {} events, {} files, {} bytes",
            session.escape_debug(),
            self.links,
            self.events,
            self.files,
            self.bytes
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.path.escape_debug(), self.kind, self.reason.escape_debug())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Edited => "edited",
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Reordered => "reordered",
            Self::Truncated => "truncated",
            Self::Unsealed => "unsealed",
            Self::UnknownKey => "unknown key",
            Self::WrongKey => "wrong key",
            Self::BadSignature => "bad signature",
            Self::Malformed => "malformed",
            Self::NotMonotonic => "not monotonic",
            Self::NotAFile => "not a file",
            Self::Unreadable => "unreadable",
        })
    }
}
