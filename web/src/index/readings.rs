//! What is read off the pictures of recordings: how far that is, and the lines of text that were on the screen.

use portcullis_evidence::{Reading, ReadingKind};

use super::events::{Entry, FACTOR, LINES};
use super::recordings::Row;
use super::statement::{Statement, bound, either};
use super::{Index, IndexError};

/// Lines that go into the index together.
const BATCH: usize = 400;

/// How one reading of one recording stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct ReadingRow {
    /// The recording's key.
    pub(crate) recording: i64,
    /// "text" or "thumbnail".
    pub(crate) kind: String,
    /// "wanted", "made", "none" or "failed".
    pub(crate) state: String,
    /// Why there is none, or why it failed.
    pub(crate) reason: String,
    pub(crate) attempts: i64,
    /// Of its file, 64 hexadecimal digits; nothing before it is made.
    pub(crate) sha256: String,
    pub(crate) lines: i64,
    /// Regions that could not be read.
    pub(crate) failed: i64,
    /// Up to where was read, where that is not the end.
    pub(crate) until_ms: Option<i64>,
}

impl Index {
    /// Says of a recording that is sealed what is to be read of it, or why not. What is known stays.
    pub(crate) async fn expect_reading(
        &self,
        row: &Row,
        kind: ReadingKind,
        state: &str,
        reason: &str,
    ) -> Result<(), IndexError> {
        let statement = "INSERT INTO readings (recording, kind, state, reason, attempts, at, sha256, bytes, lines, failed) \
             VALUES ($1, $2, $3, $4, 0, 0, '', 0, 0, 0) ON CONFLICT DO NOTHING";
        either!(self, pool => {
            let query = sqlx::query(statement).bind(row.key).bind(kind.name()).bind(state).bind(reason);
            query.execute(pool).await?.rows_affected()
        });
        Ok(())
    }

    /// How the readings of these recordings stand.
    pub(crate) async fn readings(&self, recordings: &[i64]) -> Result<Vec<ReadingRow>, IndexError> {
        if recordings.is_empty() {
            return Ok(Vec::new());
        }
        let mut asked = Statement::new(
            "SELECT recording, kind, state, reason, attempts, sha256, lines, failed, until_ms FROM readings \
             WHERE recording IN (",
        );
        asked.list(recordings.iter().copied()).push(")");
        let Statement { text, values } = asked;
        Ok(either!(self, pool => {
            bound!(sqlx::query_as(sqlx::AssertSqlSafe(text)), values).fetch_all(pool).await?
        }))
    }

    /// What is to be read next at this time: small pictures before texts, the newest recording first.
    pub(crate) async fn next_unread(
        &self,
        now: i64,
        most_attempts: i64,
    ) -> Result<Option<(Row, ReadingKind)>, IndexError> {
        for kind in [ReadingKind::Thumbnail, ReadingKind::Text] {
            let statement = "SELECT r.* FROM readings d JOIN recordings r ON r.key = d.recording \
                 WHERE d.kind = $1 AND (d.state = 'wanted' OR d.state = 'failed') AND d.attempts < $2 AND d.at <= $3 \
                 ORDER BY d.recording DESC LIMIT 1";
            let found: Option<Row> = either!(self, pool => {
                sqlx::query_as(statement).bind(kind.name()).bind(most_attempts).bind(now).fetch_optional(pool).await?
            });
            if let Some(row) = found {
                return Ok(Some((row, kind)));
            }
        }
        Ok(None)
    }

    /// A reading failed, and is not tried again before `again`.
    pub(crate) async fn reading_failed(
        &self,
        row: &Row,
        kind: ReadingKind,
        reason: &str,
        again: i64,
    ) -> Result<(), IndexError> {
        let statement = "UPDATE readings SET state = 'failed', reason = $3, attempts = attempts + 1, at = $4 \
             WHERE recording = $1 AND kind = $2 AND state <> 'made'";
        either!(self, pool => {
            let query = sqlx::query(statement).bind(row.key).bind(kind.name()).bind(reason).bind(again);
            query.execute(pool).await?.rows_affected()
        });
        Ok(())
    }

    /// How often a reading was tried.
    pub(crate) async fn attempts(&self, row: &Row, kind: ReadingKind) -> Result<i64, IndexError> {
        let all = self.readings(&[row.key]).await?;
        Ok(all.iter().find(|reading| reading.kind == kind.name()).map_or(0, |reading| reading.attempts))
    }

    /// What failed is tried again from the beginning.
    pub(crate) async fn try_readings_again(&self) -> Result<(), IndexError> {
        let statement = "UPDATE readings SET attempts = 0, at = 0 WHERE state = 'failed'";
        either!(self, pool => sqlx::query(statement).execute(pool).await?.rows_affected());
        Ok(())
    }

    /// Puts a reading in: of a text its lines, in place of those that are there. Again does no harm.
    ///
    /// INVARIANT: it is said to be made only once all of its lines are in, so that what is interrupted is done anew.
    pub(crate) async fn put_reading(&self, row: &Row, reading: &Reading, lines: Vec<Entry>) -> Result<(), IndexError> {
        if reading.kind == ReadingKind::Text {
            let first = row.key.saturating_mul(FACTOR).saturating_add(LINES);
            let end = row.key.saturating_add(1).saturating_mul(FACTOR);
            either!(self, pool, dialect => {
                let mut transaction = pool.begin().await?;
                dialect::remove(&mut transaction, first, end).await?;
                transaction.commit().await?;
            });
            for batch in lines.chunks(BATCH) {
                self.add_entries(row, batch).await?;
            }
        }
        let int = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let statement = "UPDATE readings SET state = 'made', reason = '', sha256 = $3, bytes = $4, lines = $5, failed = $6, until_ms = $7 \
             WHERE recording = $1 AND kind = $2";
        either!(self, pool => {
            let query = sqlx::query(statement).bind(row.key).bind(reading.kind.name()).bind(reading.sha256.to_string());
            let query = query.bind(int(reading.bytes)).bind(int(reading.lines)).bind(int(reading.failed));
            query.bind(reading.until_ms.map(int)).execute(pool).await?.rows_affected()
        });
        Ok(())
    }
}
