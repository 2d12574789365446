//! Events: what happened in a session beside its pixels, one JSON object a line.

mod types;
mod what;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::canonical::{self, CanonicalError};
use crate::{VERSION, is_stamp};

pub use types::TYPES;
pub use what::{Effect, What};

/// The longest line of an events file, its line feed included.
pub const MAX_EVENT_BYTES: usize = 16 * 1024;

/// Bytes of an age file in one `contents` event, and their digits in base64url.
pub const MAX_CONTENTS: usize = 8 * 1024;
pub(crate) const MAX_CONTENTS_DIGITS: usize = (MAX_CONTENTS * 4).div_ceil(3);

/// One event: who, when, under which policy and rule, and what.
///
/// INVARIANT: every event names subject, session, policy revision and rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Version of the format, [`VERSION`].
    pub v: u32,
    /// 1, 2, 3… through the whole session: strictly rising.
    pub seq: u64,
    /// Microseconds since the session's start on the media clock; never falls.
    pub at_us: u64,
    /// The wall clock, RFC 3339, UTC, six decimals: `2026-01-31T23:59:59.000000Z`. It may step; `at_us` may not.
    pub time: String,
    /// The session's id.
    pub session: String,
    /// Who: the subject's name, or `portcullis` where the gate itself acted.
    pub subject: String,
    /// Revision of the policies that decided.
    pub policy: String,
    /// The rule that decided, `contractors.yaml:7 allow.paste`; empty where none was asked.
    pub rule: String,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// The most strokes of one event.
const MAX_STROKES: usize = 128;

/// Why a value or a line is not an event of this version.
#[derive(Debug, Error)]
pub enum EventError {
    /// The line is longer than [`MAX_EVENT_BYTES`].
    #[error("an event takes at most {MAX_EVENT_BYTES} bytes")]
    TooLong,
    /// Not canonical JSON, or not the members of an event.
    #[error("not an event in canonical JSON")]
    Json(#[source] CanonicalError),
    /// `v` is not this version's.
    #[error("events have version {VERSION}, not {0}")]
    Version(u32),
    /// `time` is not of the form `2026-01-31T23:59:59.000000Z`.
    #[error("time is not RFC 3339 in UTC with six decimals")]
    Time,
    /// `seq` is 0.
    #[error("events are numbered from 1")]
    Seq,
    /// More strokes than one event has.
    #[error("an event has at most {MAX_STROKES} strokes")]
    Strokes,
    /// A hash that is none.
    #[error("a hash is 64 hexadecimal digits, or nothing")]
    Hash,
    /// A gap ends before it begins.
    #[error("a gap ends before it begins")]
    Gap,
}

impl Event {
    /// The event as its line in an events file: canonical JSON and a line feed.
    ///
    /// # Errors
    /// When it is too long or a member is out of range.
    pub fn to_line(&self) -> Result<Vec<u8>, EventError> {
        self.check()?;
        let mut line = canonical::to_bytes(self).map_err(EventError::Json)?;
        line.push(b'\n');
        if line.len() > MAX_EVENT_BYTES {
            return Err(EventError::TooLong);
        }
        Ok(line)
    }

    /// The event of one line, which may end in a line feed. Only the canonical bytes are accepted.
    ///
    /// # Errors
    /// When the line is anything but what [`Event::to_line`] writes.
    pub fn from_line(line: &[u8]) -> Result<Self, EventError> {
        if line.len() > MAX_EVENT_BYTES {
            return Err(EventError::TooLong);
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let event: Self = canonical::from_bytes(line).map_err(EventError::Json)?;
        event.check()?;
        Ok(event)
    }

    fn check(&self) -> Result<(), EventError> {
        if self.v != VERSION {
            return Err(EventError::Version(self.v));
        }
        if !is_stamp(&self.time) {
            return Err(EventError::Time);
        }
        if self.seq == 0 {
            return Err(EventError::Seq);
        }
        match &self.what {
            What::Gap { from_us, to_us, .. } if to_us < from_us => Err(EventError::Gap),
            What::Strokes { strokes, .. } if strokes.len() > MAX_STROKES => Err(EventError::Strokes),
            What::Paste { sha256, .. } | What::Copy { sha256, .. } if !is_hash_or_nothing(sha256) => {
                Err(EventError::Hash)
            }
            What::Upload { sha256, stripped_sha256, .. } | What::Download { sha256, stripped_sha256, .. }
                if !is_hash_or_nothing(sha256) || stripped_sha256.as_deref().is_some_and(|hash| !is_hash(hash)) =>
            {
                Err(EventError::Hash)
            }
            _ => Ok(()),
        }
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_hash_or_nothing(text: &str) -> bool {
    text.is_empty() || is_hash(text)
}
