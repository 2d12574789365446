//! What SQLite alone does: its file, its full text (FTS5), and how that is asked.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};

use super::events::{Doc, Entry, OnScreen};
use super::search::Facet;
use super::statement::{Statement, bound};
use super::words::{Part, Question};
use super::{BUSY, IndexError, MAX_CONNECTIONS};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Hits, led by the full text: CROSS JOIN keeps SQLite from changing the order.
pub(super) const HITS: &str = " FROM event_texts t CROSS JOIN events e ON e.key = t.rowid CROSS JOIN recordings r ON r.key = e.key >> 21 WHERE event_texts MATCH ";
/// What makes a text a question.
pub(super) const CAST: &str = "";
/// The key of a hit, by which hits are ordered and paged.
pub(super) const HIT: &str = "t.rowid";

/// What tells the planner how rows are spread; events are found by their keys alone.
pub(super) const ANALYZE: [&str; 3] = ["ANALYZE recordings", "ANALYZE recording_groups", "ANALYZE recording_policies"];

/// Opens the file at `path`, made (mode 0600) when absent, and brings it to this version.
pub(super) async fn open(path: &Path) -> Result<SqlitePool, IndexError> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    drop(file.map_err(|source| IndexError::Make { path: path.to_owned(), source })?);
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // Else a power cut could bring back a sign-in that was ended, or a link that was used.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY);
    let pool = SqlitePoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .acquire_timeout(BUSY)
        .connect_with(options)
        .await
        .map_err(|source| IndexError::Open { path: path.to_owned(), source })?;
    MIGRATIONS.run(&pool).await?;
    Ok(pool)
}

/// Empties the cache.
pub(super) async fn clear(pool: &SqlitePool) -> Result<(), IndexError> {
    let mut transaction = pool.begin().await?;
    for statement in [
        "DELETE FROM recordings",
        "DELETE FROM recording_groups",
        "DELETE FROM recording_policies",
        "DELETE FROM events",
        "DELETE FROM readings",
        "INSERT INTO event_texts (event_texts) VALUES ('delete-all')",
    ] {
        sqlx::query(statement).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

/// Adds events and their full text. The statements are as long as the batch: none of them is kept for another time.
pub(super) async fn add(
    transaction: &mut Transaction<'_, Sqlite>,
    events: &[(i64, &Entry, Option<Doc>)],
) -> Result<(), IndexError> {
    let columns = format!("key, at_ms, kind, verdict, rule, revision, text, {}", OnScreen::COLUMNS);
    let mut rows = Statement::new(&format!("INSERT INTO events ({columns}) VALUES "));
    for (n, (key, entry, _)) in events.iter().enumerate() {
        rows.push(if n == 0 { "(" } else { ", (" }).bind(*key).push(", ").bind(entry.at_ms).push(", ");
        rows.list([entry.kind.as_str(), entry.verdict, &entry.rule, &entry.revision, &entry.text]);
        OnScreen::push(entry.place, &mut rows);
        rows.push(")");
    }
    bound!(sqlx::query(sqlx::AssertSqlSafe(rows.text)).persistent(false), rows.values)
        .execute(&mut **transaction)
        .await?;
    let mut texts = Statement::new("INSERT INTO event_texts (rowid, text, about, facets) VALUES ");
    let docs = events.iter().filter_map(|(key, _, doc)| Some((key, doc.as_ref()?)));
    for (n, (key, doc)) in docs.enumerate() {
        texts.push(if n == 0 { "(" } else { ", (" }).bind(*key).push(", ");
        texts.list([doc.text.join(" "), doc.about.join(" "), doc.facets.join(" ")]).push(")");
    }
    if !texts.values.is_empty() {
        bound!(sqlx::query(sqlx::AssertSqlSafe(texts.text)).persistent(false), texts.values)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// Removes the events of the keys from `from` on and before `to`, and their full text.
pub(super) async fn remove(transaction: &mut Transaction<'_, Sqlite>, from: i64, to: i64) -> Result<(), IndexError> {
    // Not every event has a text, and a row that is not there is none to remove.
    for statement in [
        "DELETE FROM event_texts WHERE rowid IN (SELECT key FROM events WHERE key >= $1 AND key < $2 AND text <> '')",
        "DELETE FROM events WHERE key >= $1 AND key < $2",
    ] {
        sqlx::query(statement).bind(from).bind(to).execute(&mut **transaction).await?;
    }
    Ok(())
}

/// The question in the words of FTS5. Words are letters and digits, so nothing in quotes can end them.
pub(super) fn question(question: Option<&Question>, facets: &[Facet]) -> String {
    let words = question.map(|question| {
        let parts: Vec<_> = question.parts.iter().map(part).collect();
        format!("{{text about}} : ({})", parts.join(" AND "))
    });
    let facets = facets.iter().map(|Facet { any }| {
        let any: Vec<_> = any.iter().map(|facet| format!("\"{facet}\"")).collect();
        format!("facets : ({})", any.join(" OR "))
    });
    words.into_iter().chain(facets).collect::<Vec<_>>().join(" AND ")
}

fn part(Part { words, prefix }: &Part) -> String {
    format!("\"{}\"{}", words.join(" "), if *prefix { " *" } else { "" })
}
