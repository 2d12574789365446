//! What was read off the pictures of a recording, as the API tells of it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::index::{ReadingRow, Row};

/// What was read off the pictures of a recording.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readings {
    /// The small picture.
    pub thumbnail: Standing,
    /// The text that was on the screen.
    pub text: Standing,
}

/// How one of them stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Standing {
    /// Whether it is there.
    pub state: ReadState,
    /// Where there is none: `running`, `expired`, `encrypted` or `not_asked` (no policy asked for it when the session began); where it
    /// failed, why, in words; else empty.
    #[schema(example = "encrypted")]
    pub reason: String,
    /// Lines of text that can be found.
    pub lines: u64,
    /// Regions of pictures that could not be read.
    pub failed: u64,
    /// Milliseconds up to which was read, where that is not the end.
    #[schema(required)]
    pub until: Option<u64>,
}

/// Whether something was read off the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadState {
    /// It will be.
    Wanted,
    /// It is there.
    Made,
    /// There is none, and none is to come.
    None,
    /// It was tried and failed.
    Failed,
}

impl Readings {
    pub(crate) fn of(row: &Row, readings: &[ReadingRow]) -> Self {
        let of = |kind: &str| {
            let found = readings.iter().find(|reading| reading.recording == row.key && reading.kind == kind);
            Standing::of(row, found)
        };
        Readings { thumbnail: of("thumbnail"), text: of("text") }
    }
}

impl Standing {
    fn of(row: &Row, reading: Option<&ReadingRow>) -> Self {
        let none = |reason: &str| Standing {
            state: ReadState::None,
            reason: reason.to_owned(),
            lines: 0,
            failed: 0,
            until: None,
        };
        let Some(reading) = reading else {
            return match row.state.as_str() {
                Row::EXPIRED => none("expired"),
                _ if !row.recipients.is_empty() => none("encrypted"),
                _ => none("running"),
            };
        };
        let positive = |number: i64| number.max(0).unsigned_abs();
        Standing {
            state: match reading.state.as_str() {
                "made" => ReadState::Made,
                "wanted" => ReadState::Wanted,
                "failed" => ReadState::Failed,
                _ => ReadState::None,
            },
            reason: reading.reason.clone(),
            lines: positive(reading.lines),
            failed: positive(reading.failed),
            until: reading.until_ms.map(positive),
        }
    }
}
