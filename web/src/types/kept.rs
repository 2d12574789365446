//! What people make in the portal, as the API has it: saved filters, notes and bookmarks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::index::{NoteRow, SavedFilter};

/// A person's saved filters.
#[derive(Debug, Serialize, ToSchema)]
pub struct Filters {
    /// By their names; at most 50.
    pub filters: Vec<Filter>,
}

/// A filter with its name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Filter {
    /// 1 to 64 characters.
    pub name: String,
    /// The query of the list's address, without its question mark.
    #[schema(example = "subject=alice&verdict=denied")]
    pub query: String,
}

impl From<SavedFilter> for Filter {
    fn from(SavedFilter { name, query }: SavedFilter) -> Self {
        Filter { name, query }
    }
}

/// What a filter is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilterQuery {
    /// The query of the list's address, at most 2,000 characters.
    pub(crate) query: String,
}

/// The notes on a recording.
#[derive(Debug, Serialize, ToSchema)]
pub struct Notes {
    /// In the order of their moments; at most 200.
    pub notes: Vec<Note>,
}

/// A note, or a bookmark.
#[derive(Debug, Serialize, ToSchema)]
pub struct Note {
    /// Its id.
    pub id: String,
    /// Milliseconds from the start of the recording.
    pub at: u64,
    /// At most 2,000 characters; nothing: a bookmark.
    pub text: String,
    /// Who made it.
    pub by: String,
    /// When, RFC 3339, UTC.
    pub made: String,
}

impl From<NoteRow> for Note {
    fn from(row: NoteRow) -> Self {
        Note { id: row.id, at: row.at_ms.max(0).unsigned_abs(), text: row.text, by: row.subject, made: row.made }
    }
}

/// A note to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNote {
    /// Milliseconds from the start of the recording.
    pub(crate) at: u64,
    /// At most 2,000 characters; nothing: a bookmark.
    #[serde(default)]
    pub(crate) text: String,
}
