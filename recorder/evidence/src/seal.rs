//! The seal, `seal.json`: how the session ended and how long its chain is, signed.
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, FileHash};
use crate::gap::Gap;

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
