//! The rows of recordings: written from bundles, read newest first.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::filter::{Scope, Sought};
use super::statement::{Statement, bound, either};
use super::{Index, IndexError};

/// Keys that are tried for a new row before it is given up: so many sessions do not begin in one millisecond after the other.
const MAX_TRIES: i64 = 4096;

/// Keys are milliseconds since 1970 of 42 bits, until the year 2109.
pub(crate) const MAX_KEY: i64 = (1 << 42) - 1;

/// One recording as the index has it. Sizes and counts are never negative.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Row {
    /// What lists are ordered by; given by [`Index::begin`].
    pub(crate) key: i64,
    pub(crate) id: String,
    /// The bundle's place in the vault, "sessions/YYYY/MM/DD/<id>".
    pub(crate) prefix: String,
    pub(crate) subject: String,
    pub(crate) issuer: String,
    /// The subject's groups at the start: a JSON array of strings.
    pub(crate) groups: String,
    pub(crate) desktop: String,
    pub(crate) started: String,
    pub(crate) ended: Option<String>,
    pub(crate) duration_ms: i64,
    /// "recording", "closed", "interrupted", "expired" or "missing".
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
    /// How far its events are in: those of all segments before this one, 1 when none is.
    pub(crate) segment: i64,
    /// The events files of those segments.
    pub(crate) files: i64,
    /// Lines of this segment that are in as well.
    pub(crate) line: i64,
    /// Lines that are in, of all segments.
    pub(crate) lines: i64,
    /// The last event's place on the video's clock, microseconds.
    pub(crate) last_us: i64,
}

impl Row {
    /// The state of a recording that is not sealed.
    pub(crate) const LIVE: &str = "recording";

    /// The state of a recording whose events and video are gone.
    pub(crate) const EXPIRED: &str = "expired";

    /// The state of a recording that the vault does not show any more.
    pub(crate) const MISSING: &str = "missing";

    /// Whether the vault did not show the bundle when it was last looked for.
    pub(crate) fn is_missing(&self) -> bool {
        self.state == Row::MISSING
    }

    /// Whether the bundle lies at this place and grows no more.
    pub(crate) fn is_settled_at(&self, place: &str) -> bool {
        !self.is_live() && !self.is_missing() && self.prefix == place
    }

    /// Whether the bundle had no seal when it was last read.
    pub(crate) fn is_live(&self) -> bool {
        self.state == Row::LIVE
    }

    /// The subject's groups; none where they cannot be read.
    pub(crate) fn groups(&self) -> Vec<String> {
        serde_json::from_str(&self.groups).unwrap_or_default()
    }
}

/// Whether a row was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Yes,
    /// The index has what was read later already.
    Older,
}

/// A place in the list, newest first: what comes after it is older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor(pub(super) i64);

impl Cursor {
    /// After this row.
    pub(crate) fn after(row: &Row) -> Self {
        Cursor(row.key)
    }

    /// As the API writes it: opaque.
    pub(crate) fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.to_string())
    }

    /// Reads what `to_text` wrote.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        text.parse().ok().filter(|key| (0..=MAX_KEY).contains(key)).map(Cursor)
    }
}

const COLUMNS: &str = "key, id, prefix, subject, issuer, groups, desktop, started, ended, duration_ms, state, reason, \
    bytes, events, denied, gaps, policy_revision, policy_rule, recipients, read_at, segment, files, line, lines, last_us";

/// What is read later takes the place of what was read before, but for key, id and place, which stay.
pub(super) const UPDATE: &str = "
    UPDATE recordings SET subject = $3, issuer = $4, groups = $5, desktop = $6, started = $7, ended = $8,
        duration_ms = $9, state = $10, reason = $11, bytes = $12, events = $13, denied = $14, gaps = $15,
        policy_revision = $16, policy_rule = $17, recipients = $18, read_at = $19, segment = $20, files = $21,
        line = $22, lines = $23, last_us = $24
    WHERE id = $1 AND prefix = $2 AND (state IN ('recording', 'missing') OR $10 <> 'recording')";

macro_rules! values {
    ($query:expr, $row:expr) => {
        $query
            .bind(&$row.id)
            .bind(&$row.prefix)
            .bind(&$row.subject)
            .bind(&$row.issuer)
            .bind(&$row.groups)
            .bind(&$row.desktop)
            .bind(&$row.started)
            .bind(&$row.ended)
            .bind($row.duration_ms)
            .bind(&$row.state)
            .bind(&$row.reason)
            .bind($row.bytes)
            .bind($row.events)
            .bind($row.denied)
            .bind($row.gaps)
            .bind(&$row.policy_revision)
            .bind(&$row.policy_rule)
            .bind(&$row.recipients)
            .bind($row.read_at)
            .bind($row.segment)
            .bind($row.files)
            .bind($row.line)
            .bind($row.lines)
            .bind($row.last_us)
    };
}
pub(super) use values;

impl Index {
    /// Gives a new recording its row and its key, the next that is free from `row.key` on. Where it has a row already,
    /// that one stays and is the answer.
    pub(crate) async fn begin(&self, row: &Row) -> Result<Row, IndexError> {
        let statement = format!(
            "INSERT INTO recordings (id, prefix, {}, key) VALUES ({}, $25) ON CONFLICT DO NOTHING",
            COLUMNS.trim_start_matches("key, id, prefix, "),
            (1..=24).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
        );
        let first = row.key.clamp(0, MAX_KEY.saturating_sub(MAX_TRIES));
        for key in first..first.saturating_add(MAX_TRIES) {
            let made = either!(self, pool => {
                let query = sqlx::query(sqlx::AssertSqlSafe(statement.clone()));
                values!(query, row).bind(key).execute(pool).await?.rows_affected()
            });
            if made == 1 {
                return Ok(Row { key, ..row.clone() });
            }
            if let Some(known) = self.recording(&row.id).await? {
                return Ok(known);
            }
        }
        Err(IndexError::Keys)
    }

    /// Writes what was read of a recording in place of what its row says.
    ///
    /// INVARIANT: what was read before the seal never takes the place of what was read after it, and no count that of
    /// a higher one.
    pub(crate) async fn write(&self, row: &Row) -> Result<Written, IndexError> {
        let statement = format!("{UPDATE} AND lines <= $23");
        let done = either!(self, pool => {
            values!(sqlx::query(sqlx::AssertSqlSafe(statement.clone())), row).execute(pool).await?.rows_affected()
        });
        Ok(if done == 0 { Written::Older } else { Written::Yes })
    }

    /// The row with this id.
    pub(crate) async fn recording(&self, id: &str) -> Result<Option<Row>, IndexError> {
        let statement = "SELECT * FROM recordings WHERE id = $1";
        Ok(either!(self, pool => sqlx::query_as(statement).bind(id).fetch_optional(pool).await?))
    }

    /// At most `limit` rows of what is sought, newest first, after `before` when given.
    pub(crate) async fn page(
        &self,
        scope: &Scope,
        sought: &Sought,
        before: Option<Cursor>,
        limit: u32,
    ) -> Result<Vec<Row>, IndexError> {
        if sought.question.is_some() || sought.kind.is_some() {
            return self.answering(scope, sought, before, limit).await;
        }
        let desktops = self.desktops(scope).await?;
        let mut statement = Statement::new("SELECT r.* FROM ");
        let key = sought.lead(&mut statement, scope);
        sought.between(&mut statement, key, before.map(|Cursor(key)| key));
        sought.conditions(&mut statement, scope, &desktops);
        statement.push(&format!(" ORDER BY {key} DESC LIMIT ")).bind(i64::from(limit));
        self.rows(statement).await
    }

    pub(super) async fn rows(&self, Statement { text, values }: Statement) -> Result<Vec<Row>, IndexError> {
        Ok(either!(self, pool => {
            bound!(sqlx::query_as(sqlx::AssertSqlSafe(text)), values).fetch_all(pool).await?
        }))
    }

    /// The names of all desktops, where a scope has globs of them.
    pub(super) async fn desktops(&self, scope: &Scope) -> Result<Vec<String>, IndexError> {
        if !scope.has_globs() {
            return Ok(Vec::new());
        }
        // From one name to the next by the index: there are few desktops and many recordings.
        let statement = "
            WITH RECURSIVE names(name) AS (
                SELECT min(desktop) FROM recordings
                UNION ALL
                SELECT (SELECT min(r.desktop) FROM recordings r WHERE r.desktop > names.name) FROM names
                WHERE names.name IS NOT NULL)
            SELECT name FROM names WHERE name IS NOT NULL";
        let names: Vec<(String,)> = either!(self, pool => sqlx::query_as(statement).fetch_all(pool).await?);
        Ok(names.into_iter().map(|(name,)| name).collect())
    }

    /// Marks a recording as expired: its events go, and what its row says else stays.
    pub(crate) async fn expired(&self, id: &str) -> Result<(), IndexError> {
        let Some(row) = self.recording(id).await? else { return Ok(()) };
        self.drop_events(&row).await?;
        let mark = "UPDATE recordings SET state = $2 WHERE id = $1";
        either!(self, pool => sqlx::query(mark).bind(id).bind(Row::EXPIRED).execute(pool).await?.rows_affected());
        Ok(())
    }

    /// Marks a recording as missing: all that its row and its events say stays. Whether it was not marked before.
    pub(crate) async fn missing(&self, id: &str) -> Result<bool, IndexError> {
        let mark = "UPDATE recordings SET state = $2 WHERE id = $1 AND state <> $2";
        let marked =
            either!(self, pool => sqlx::query(mark).bind(id).bind(Row::MISSING).execute(pool).await?.rows_affected());
        Ok(marked > 0)
    }

    /// Ids of all rows.
    pub(crate) async fn recording_ids(&self) -> Result<Vec<String>, IndexError> {
        let statement = "SELECT id FROM recordings";
        let ids: Vec<(String,)> = either!(self, pool => sqlx::query_as(statement).fetch_all(pool).await?);
        Ok(ids.into_iter().map(|(id,)| id).collect())
    }

    /// Forgets a recording whose bundle is gone.
    pub(crate) async fn forget(&self, id: &str) -> Result<(), IndexError> {
        let Some(row) = self.recording(id).await? else { return Ok(()) };
        self.drop_events(&row).await?;
        for statement in [
            "DELETE FROM recording_groups WHERE recording = $1",
            "DELETE FROM recording_policies WHERE recording = $1",
            "DELETE FROM recordings WHERE key = $1",
        ] {
            either!(self, pool => sqlx::query(statement).bind(row.key).execute(pool).await?.rows_affected());
        }
        Ok(())
    }
}
