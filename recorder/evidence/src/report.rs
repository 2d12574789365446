//! What verification found: the facts of a bundle, and a line for each fault.
use std::fmt;

use serde::{Serialize, Serializer};

use crate::digest::Digest;
use crate::seal::State;
use crate::verdict::Verdict;

/// The most faults that are listed one by one; the rest is counted.
pub const MAX_FAULTS: usize = 1000;

/// The outcome of [`crate::verify`]. A bundle is sound when it has no fault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The session's id, as its manifest says.
    pub session: Option<String>,
    /// Whether what was recorded could be looked at.
    pub contents: Contents,
    /// To whom it is encrypted, as the manifest says; empty when it is clear.
    pub recipients: Vec<String>,
    /// How the session ended, as a seal with a good signature says; `None` without one.
    pub state: Option<State>,
    /// Why it ended, from the seal.
    pub reason: Option<String>,
    /// The number of links that are there and good.
    pub links: u32,
    /// The number of events in the segments of good links; 0 where they were not looked at.
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
    /// What the time stamp of the seal says; `None` without one.
    pub time_stamp: Option<StampedReport>,
    /// When its time was over and its events and video went, from a good tombstone; `None` without one.
    pub expired: Option<String>,
    /// When its video was replaced by what was made of it, from a good tombstone; `None` without one.
    pub replaced: Option<ReplacedReport>,
    /// What was made of the original's video, as a derivation with a good signature says; `None` of an original.
    pub derived: Option<DerivedReport>,
    /// What is wrong, in the order found; at most [`MAX_FAULTS`].
    pub faults: Vec<Fault>,
    /// How many faults more there are.
    pub more_faults: u64,
    /// The kind of fault that says most, of those that are not listed too.
    #[serde(skip)]
    pub(crate) heaviest: Option<Kind>,
}

/// Whether verification looked at events and video themselves, or at their ciphertext alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Contents {
    /// They are not encrypted.
    #[default]
    Clear,
    /// They are encrypted, and no identity was given that opens them: what they hold was not looked at.
    Encrypted,
    /// They are encrypted, and were decrypted and checked.
    Decrypted,
}

/// What verification found of a time stamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StampedReport {
    /// No authority was given to check it with.
    Unchecked,
    /// An authority that was given vouches for it.
    Proved {
        /// When the seal was there: RFC 3339, UTC, six decimals.
        time: String,
    },
}

/// What the tombstone of replaced video says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplacedReport {
    /// When the video went: RFC 3339, UTC, six decimals.
    pub at: String,
    /// SHA-256 of the `derivation.json` of what stands in its place.
    pub derivation: Digest,
}

/// What a derivation says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DerivedReport {
    /// When it was made: RFC 3339, UTC, six decimals.
    pub made: String,
    /// The codec of the video.
    pub codec: String,
    /// What made it.
    pub tool: String,
    /// How it was set.
    pub settings: String,
    /// How many pictures there are.
    pub pictures: u64,
    /// How long they last, microseconds.
    pub duration_us: u64,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The file's bytes are not those that were signed.
    Edited,
    /// The file was signed and is not there.
    Missing,
    /// A file of a bundle that is there and was not signed: the bundle goes on where its chain or seal does not.
    Extended,
    /// A file that no bundle has.
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
    /// Signed with a key that was revoked, and no time stamp shows that it was signed before.
    RevokedKey,
    /// Signed with a key that was not in use at the time that is claimed.
    KeyNotValid,
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
    /// The time stamp is not one of this seal by an authority that was given.
    BadTimeStamp,
    /// The seal says that the session ended after the seal was time-stamped.
    WrongClock,
    /// The tombstone says that the recording expired before its time.
    NotDue,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// How many faults there are, listed or not.
    pub(crate) fn count(&self) -> u64 {
        u64::try_from(self.faults.len()).unwrap_or(u64::MAX).saturating_add(self.more_faults)
    }

    /// Adds a fault, or counts it when the list is full.
    pub(crate) fn fault(&mut self, path: impl ToString, kind: Kind, reason: impl Into<String>) {
        let code = |kind| Verdict::Faulty(kind).exit_code();
        self.heaviest = Some(self.heaviest.filter(|other| code(*other) <= code(kind)).unwrap_or(kind));
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
        let verdict = match self.verdict() {
            Verdict::Sound => "sound".to_owned(),
            Verdict::Derived => {
                let gaps = self.gaps.unwrap_or(0);
                format!(
                    "derived, sound (its chain keeps the hashes of the video it was made of), gaps declared: {gaps}"
                )
            }
            Verdict::Replaced => self.replaced.as_ref().map_or_else(String::new, |replaced| {
                format!("video replaced {} by derivation {}, the rest is sound", replaced.at, replaced.derivation)
            }),
            Verdict::GapDeclared => format!("sound, gaps declared: {}", self.gaps.unwrap_or(0)),
            Verdict::Expired => format!("expired {}, the chain is sound", self.expired.as_deref().unwrap_or_default()),
            Verdict::Faulty(kind) => format!("NOT SOUND ({kind})"),
        };
        let state = match self.state {
            Some(State::Closed) => "closed",
            Some(State::Interrupted) => "interrupted",
            None => "unsealed",
        };
        let links = self.links;
        write!(f, "{}: {verdict}, {state}, {links} links, ", session.escape_debug())?;
        match self.contents {
            Contents::Encrypted => f.write_str("encrypted, contents not looked at, ")?,
            Contents::Decrypted => write!(f, "encrypted, {} events, ", self.events)?,
            Contents::Clear => write!(f, "{} events, ", self.events)?,
        }
        write!(f, "{} files, {} bytes", self.files, self.bytes)?;
        match &self.time_stamp {
            None => Ok(()),
            Some(StampedReport::Unchecked) => f.write_str(", a time stamp that was not checked"),
            Some(StampedReport::Proved { time }) => write!(f, ", time-stamped {time}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.path.escape_debug(), self.kind, self.reason.escape_debug())
    }
}

impl Kind {
    /// The kind's name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Missing => "missing",
            Self::Extended => "extended",
            Self::Extra => "extra",
            Self::Reordered => "reordered",
            Self::Truncated => "truncated",
            Self::Unsealed => "unsealed",
            Self::UnknownKey => "unknown_key",
            Self::WrongKey => "wrong_key",
            Self::RevokedKey => "revoked_key",
            Self::KeyNotValid => "key_not_valid",
            Self::BadSignature => "bad_signature",
            Self::Malformed => "malformed",
            Self::NotMonotonic => "not_monotonic",
            Self::NotAFile => "not_a_file",
            Self::Unreadable => "unreadable",
            Self::BadTimeStamp => "bad_time_stamp",
            Self::WrongClock => "wrong_clock",
            Self::NotDue => "not_due",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name().replace('_', " "))
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
