//! The rows of recordings: written from bundles, read newest first.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_policy::Subject;

use super::{Index, IndexError};

/// One recording as the index has it. Sizes and counts are never negative.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id: String,
    /// The bundle's place in the vault, "sessions/YYYY/MM/DD/<id>".
    pub(crate) prefix: String,
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) desktop: String,
    pub(crate) started: String,
    pub(crate) started_us: i64,
    pub(crate) ended: Option<String>,
    pub(crate) duration_ms: i64,
    /// "recording", "closed", "interrupted" or "expired".
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) bytes: i64,
    pub(crate) events: i64,
    pub(crate) denied: i64,
    pub(crate) gaps: i64,
    pub(crate) policy_revision: String,
    pub(crate) policy_rule: String,
    /// To whom events and video are encrypted, with spaces between; empty when they are clear.
    pub(crate) recipients: String,
    /// When the bundle was last read, Unix seconds.
    pub(crate) read_at: i64,
}

impl Row {
    /// The state of a recording that is not sealed.
    pub(crate) const LIVE: &str = "recording";

    /// The state of a recording whose events and video are gone.
    pub(crate) const EXPIRED: &str = "expired";

    /// Whether the bundle had no seal when it was last read.
    pub(crate) fn is_live(&self) -> bool {
        self.state == Row::LIVE
    }
}

/// Whose recordings may be listed.
pub(crate) enum Scope<'a> {
    Everyone,
    Own(&'a Subject),
}

/// Whether a row was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Yes,
    /// The index has the sealed bundle already, and this was read before the seal.
    Older,
}

/// A place in the list, newest first: what comes after it is older.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    started_us: i64,
    id: String,
}

impl Cursor {
    /// After this row.
    pub(crate) fn after(row: &Row) -> Self {
        Cursor { started_us: row.started_us, id: row.id.clone() }
    }

    /// As the API writes it: opaque.
    pub(crate) fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}/{}", self.started_us, self.id))
    }

    /// Reads what `to_text` wrote.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (started_us, id) = text.split_once('/')?;
        Some(Cursor { started_us: started_us.parse().ok()?, id: id.to_owned() })
    }
}

const WRITE: &str = "
    INSERT INTO recordings (id, prefix, subject, issuer, desktop, started, started_us, ended, duration_ms, state, reason,
        bytes, events, denied, gaps, policy_revision, policy_rule, read_at, recipients)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
    ON CONFLICT (id) DO UPDATE SET
        prefix = excluded.prefix, subject = excluded.subject, issuer = excluded.issuer, desktop = excluded.desktop,
        started = excluded.started, started_us = excluded.started_us, ended = excluded.ended,
        duration_ms = excluded.duration_ms, state = excluded.state, reason = excluded.reason,
        bytes = excluded.bytes, events = excluded.events, denied = excluded.denied, gaps = excluded.gaps,
        policy_revision = excluded.policy_revision, policy_rule = excluded.policy_rule, read_at = excluded.read_at,
        recipients = excluded.recipients
    WHERE recordings.state = 'recording' OR excluded.state <> 'recording'";

const EVERYONES: &str = "
    SELECT * FROM recordings WHERE (started_us, id) < ($1, $2)
    ORDER BY started_us DESC, id DESC LIMIT $3";

const OWN: &str = "
    SELECT * FROM recordings WHERE issuer = $4 AND subject = $5 AND (started_us, id) < ($1, $2)
    ORDER BY started_us DESC, id DESC LIMIT $3";

impl Index {
    /// Writes a row, new or in place of the one with its id.
    ///
    /// INVARIANT: what was read before the seal never takes the place of what was read after it.
    pub(crate) async fn write(&self, row: &Row) -> Result<Written, IndexError> {
        let done = sqlx::query(WRITE)
            .bind(&row.id)
            .bind(&row.prefix)
            .bind(&row.subject)
            .bind(&row.issuer)
            .bind(&row.desktop)
            .bind(&row.started)
            .bind(row.started_us)
            .bind(&row.ended)
            .bind(row.duration_ms)
            .bind(&row.state)
            .bind(&row.reason)
            .bind(row.bytes)
            .bind(row.events)
            .bind(row.denied)
            .bind(row.gaps)
            .bind(&row.policy_revision)
            .bind(&row.policy_rule)
            .bind(row.read_at)
            .bind(&row.recipients)
            .execute(&self.pool)
            .await?;
        Ok(if done.rows_affected() == 0 { Written::Older } else { Written::Yes })
    }

    /// The row with this id.
    pub(crate) async fn recording(&self, id: &str) -> Result<Option<Row>, IndexError> {
        Ok(sqlx::query_as("SELECT * FROM recordings WHERE id = $1").bind(id).fetch_optional(&self.pool).await?)
    }

    /// At most `limit` rows, newest first, after `before` when given.
    pub(crate) async fn page(
        &self,
        scope: Scope<'_>,
        before: Option<&Cursor>,
        limit: u32,
    ) -> Result<Vec<Row>, IndexError> {
        let (started_us, id) = before.map_or((i64::MAX, ""), |cursor| (cursor.started_us, cursor.id.as_str()));
        let query = match scope {
            Scope::Everyone => sqlx::query_as(EVERYONES).bind(started_us).bind(id).bind(limit),
            Scope::Own(subject) => {
                sqlx::query_as(OWN).bind(started_us).bind(id).bind(limit).bind(&subject.issuer).bind(&subject.name)
            }
        };
        Ok(query.fetch_all(&self.pool).await?)
    }

    /// Marks a row as expired; what it says else stays.
    pub(crate) async fn expired(&self, id: &str) -> Result<(), IndexError> {
        let mark = sqlx::query("UPDATE recordings SET state = $2 WHERE id = $1").bind(id).bind(Row::EXPIRED);
        mark.execute(&self.pool).await?;
        Ok(())
    }

    /// Ids of all rows.
    pub(crate) async fn recording_ids(&self) -> Result<Vec<String>, IndexError> {
        let ids: Vec<(String,)> = sqlx::query_as("SELECT id FROM recordings").fetch_all(&self.pool).await?;
        Ok(ids.into_iter().map(|(id,)| id).collect())
    }

    /// Forgets a row whose bundle is gone.
    pub(crate) async fn forget(&self, id: &str) -> Result<(), IndexError> {
        sqlx::query("DELETE FROM recordings WHERE id = $1").bind(id).execute(&self.pool).await?;
        Ok(())
    }
}
