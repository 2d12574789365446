//! The seal, `seal.json`: how the session ended and how long its chain is, signed.
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::{Digest, FileHash};
use crate::gap::Gap;
use crate::jws::{self, Typ, Unproved};
use crate::path::PathInBundle;
use crate::trust::Trust;
use crate::{Keep, VERSION, canonical, is_stamp};

/// The longest `seal.json`: a full list of gaps in base64url, with room to spare.
pub(crate) const MAX_SEAL_BYTES: u64 = 256 * 1024;
/// The longest reason that a seal gives, in bytes.
pub(crate) const MAX_REASON_BYTES: usize = 1024;

/// The payload of `seal.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// Version of the format.
    pub v: u32,
    /// The session's id.
    pub session: String,
    /// How it ended.
    pub state: State,
    /// Why, in words for a person.
    pub reason: String,
    /// When, by the wall clock: RFC 3339, UTC, six decimals.
    pub ended: String,
    /// Length of the session on the media clock, in microseconds.
    pub duration_us: u64,
    /// The number of links.
    pub links: u32,
    /// SHA-256 of the bytes of the last link's file; of `session.json` when there is no link.
    pub last: Digest,
    /// The number of events.
    pub events: u64,
    /// The highest revision of the screen that was recorded.
    pub revisions: u64,
    /// What is lacking, as the gap events say, in their order; at most [`crate::MAX_GAPS`].
    pub gaps: Vec<Gap>,
    /// `SHA256SUMS`, `index.m3u8` and `session.json`, in this order.
    pub files: Vec<FileHash>,
    /// Until when it is kept and how it is locked, where somebody asked.
    #[serde(default, deserialize_with = "canonical::present", skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
}

/// Why a seal is not one of this version, or not of a key that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("seal.json: {0}")]
pub struct SealError(String);

impl Seal {
    /// What the bytes of a `seal.json` say, without a look at the signature.
    ///
    /// # Errors
    /// When they do not have the form of a seal.
    pub fn unproved(bytes: &[u8]) -> Result<Self, SealError> {
        Self::open(bytes).map(|(seal, _)| seal)
    }

    /// What the bytes of a `seal.json` say, signed with one of the keys that are trusted; when a key was in use is for
    /// [`crate::verify_at`] to ask.
    ///
    /// # Errors
    /// When they do not have the form of a seal, or the signature does not fit.
    pub fn proved(bytes: &[u8], trust: &Trust) -> Result<Self, SealError> {
        let (seal, unproved) = Self::open(bytes)?;
        unproved.prove(trust.keys()).map(|()| seal).map_err(|error| SealError(error.to_string()))
    }

    /// Whether something may go because these bytes, which are proved, say so: their key is not revoked, or the time stamp beside them is older.
    #[must_use]
    pub fn lets_go(bytes: &[u8], time_stamp: Option<&[u8]>, trust: &Trust) -> bool {
        let Ok((_, unproved)) = Self::open(bytes) else { return false };
        let Some(revoked) = trust.validity(&unproved.kid).and_then(|validity| validity.revoked) else { return true };
        let stamped = time_stamp.zip(trust.authorities());
        stamped.is_some_and(|(stamp, given)| given.verify(stamp, bytes, None).is_ok_and(|said| said.time < revoked))
    }

    fn open(bytes: &[u8]) -> Result<(Self, Unproved), SealError> {
        if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_SEAL_BYTES) {
            return Err(SealError(format!("it is longer than {MAX_SEAL_BYTES} bytes")));
        }
        let unproved = jws::flattened(Typ::Seal, bytes).map_err(|error| SealError(error.to_string()))?;
        let seal: Self = canonical::from_bytes(&unproved.payload).map_err(|error| SealError(error.to_string()))?;
        match seal.malformed() {
            None => Ok((seal, unproved)),
            Some(fault) => Err(SealError(fault.to_owned())),
        }
    }

    /// What is wrong with its form.
    pub(crate) fn malformed(&self) -> Option<&'static str> {
        let listed = self.files.iter().map(|file: &FileHash| file.path);
        if self.v != VERSION {
            Some("it has another version")
        } else if !listed.eq([PathInBundle::Sums, PathInBundle::Index, PathInBundle::Session]) {
            Some("it does not list SHA256SUMS, index.m3u8 and session.json")
        } else if self.files.iter().any(|file| file.plain.is_some()) {
            Some("it lists what is not encrypted as if it were")
        } else if self.reason.len() > MAX_REASON_BYTES {
            Some("its reason is too long")
        } else if self.links > crate::MAX_LINKS {
            Some("it counts more links than there can be")
        } else if !is_stamp(&self.ended) {
            Some("ended is not RFC 3339 in UTC with six decimals")
        } else if self.keep.as_ref().is_some_and(|keep| !is_stamp(&keep.until)) {
            Some("until is not RFC 3339 in UTC with six decimals")
        } else {
            None
        }
    }
}

/// How a session's record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The gate that recorded it closed it.
    Closed,
    /// The gate was stopped in the midst; another run closed what was there.
    Interrupted,
}

/// What the recorder knows of a session's end; the writer adds the rest of the [`Seal`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// How it ended.
    pub state: State,
    /// Why, in words for a person; cut to 1024 bytes.
    pub reason: String,
    /// When, by the wall clock, as [`crate::stamp`] writes it.
    pub ended: String,
    /// Length of the session on the media clock, in microseconds.
    pub duration_us: u64,
    /// The highest revision of the screen that was recorded.
    pub revisions: u64,
}
