//! Notes and bookmarks on recordings: state, which outlives every rebuild.

use super::statement::either;
use super::{Index, IndexError};

/// Notes that one recording may have.
pub(crate) const MAX_NOTES: i64 = 200;

/// A note on a moment of a recording.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct NoteRow {
    pub(crate) id: String,
    /// The session's id.
    pub(crate) recording: String,
    pub(crate) at_ms: i64,
    /// Nothing: a bookmark.
    pub(crate) text: String,
    pub(crate) issuer: String,
    pub(crate) subject: String,
    /// RFC 3339, UTC.
    pub(crate) made: String,
}

impl Index {
    /// The notes on a recording, in the order of their moments.
    pub(crate) async fn notes(&self, recording: &str) -> Result<Vec<NoteRow>, IndexError> {
        let statement = "SELECT * FROM notes WHERE recording = $1 ORDER BY at_ms, made, id";
        Ok(either!(self, pool => sqlx::query_as(statement).bind(recording).fetch_all(pool).await?))
    }

    /// The note of this id on this recording.
    pub(crate) async fn note(&self, recording: &str, id: &str) -> Result<Option<NoteRow>, IndexError> {
        let statement = "SELECT * FROM notes WHERE recording = $1 AND id = $2";
        Ok(either!(self, pool => sqlx::query_as(statement).bind(recording).bind(id).fetch_optional(pool).await?))
    }

    /// Adds a note; false when the recording has as many as there may be.
    pub(crate) async fn add_note(&self, note: &NoteRow) -> Result<bool, IndexError> {
        let statement = "
            INSERT INTO notes (id, recording, at_ms, text, issuer, subject, made)
            SELECT $1, $2, $3, $4, $5, $6, $7
            WHERE (SELECT count(*) FROM notes WHERE recording = $2) < $8";
        let added = either!(self, pool => {
            sqlx::query(statement)
                .bind(&note.id)
                .bind(&note.recording)
                .bind(note.at_ms)
                .bind(&note.text)
                .bind(&note.issuer)
                .bind(&note.subject)
                .bind(&note.made)
                .bind(MAX_NOTES)
                .execute(pool)
                .await?
                .rows_affected()
        });
        Ok(added > 0)
    }

    /// Removes a note; whether it was there.
    pub(crate) async fn remove_note(&self, id: &str) -> Result<bool, IndexError> {
        let statement = "DELETE FROM notes WHERE id = $1";
        Ok(either!(self, pool => sqlx::query(statement).bind(id).execute(pool).await?.rows_affected()) > 0)
    }
}
