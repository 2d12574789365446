//! What PostgreSQL alone does: its address, its full text (`tsvector`), and how that is asked.

use std::fmt;
use std::str::FromStr;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{PgPool, Postgres as Dialect, Transaction};

use super::events::{Doc, Entry, OnScreen};
use super::search::Facet;
use super::statement::{Statement, bound};
use super::words::{Part, Question};
use super::{BUSY, IndexError, MAX_CONNECTIONS};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Hits.
pub(super) const HITS: &str = " FROM events e JOIN recordings r ON r.key = e.key >> 21 WHERE e.words @@ ";
/// What makes a text a question.
pub(super) const CAST: &str = "::text::tsquery";
/// The key of a hit, by which hits are ordered and paged.
pub(super) const HIT: &str = "e.key";

/// How many rows a question finds differs by its words, so a plan made for all of them is none. Compiling a plan, and
/// reading all recordings to join them, takes longer than a page of the newest.
const PLANNING: [(&str, &str); 4] =
    [("plan_cache_mode", "force_custom_plan"), ("jit", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off")];

/// What tells the planner how rows are spread, before the server looks by itself.
pub(super) const ANALYZE: [&str; 1] = ["ANALYZE recordings, recording_groups, recording_policies, events, readings"];

/// The place where what an event is about stands behind what it says: no phrase goes from one to the other.
const ABOUT: usize = 1000;

/// A database of a PostgreSQL server.
#[derive(Clone)]
pub struct Postgres {
    /// `postgres://user@host:port/database?sslmode=…`, without a password in it. Where it names no `sslmode` and the
    /// host is not this machine, the server's certificate must be good for the host's name.
    pub url: String,
    /// The password, where the server wants one.
    pub password: Option<String>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Postgres")
    }
}

/// Reaches the database and brings it to this version; of several gates at once one does so.
pub(super) async fn open(at: &Postgres) -> Result<PgPool, IndexError> {
    let mut options = PgConnectOptions::from_str(&at.url).map_err(IndexError::Address)?;
    if let Some(password) = &at.password {
        options = options.password(password);
    }
    let host = options.get_host();
    let here = options.get_socket().is_some()
        || ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&host)
        || host.starts_with('/');
    if !here && !at.url.contains("sslmode=") && !at.url.contains("ssl-mode=") {
        options = options.ssl_mode(PgSslMode::VerifyFull);
    }
    let options = options.application_name("portcullis").options(PLANNING);
    let place = format!("{}/{}", options.get_host(), options.get_database().unwrap_or_default());
    let pool = PgPoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .acquire_timeout(BUSY)
        .connect_with(options)
        .await
        .map_err(|source| IndexError::Reach { place, source })?;
    MIGRATIONS.run(&pool).await?;
    Ok(pool)
}

/// Empties the cache.
pub(super) async fn clear(pool: &PgPool) -> Result<(), IndexError> {
    sqlx::query("TRUNCATE recordings, recording_groups, recording_policies, events, readings").execute(pool).await?;
    Ok(())
}

/// Adds events with their full text. The statement is as long as the batch: none is kept for another time.
pub(super) async fn add(
    transaction: &mut Transaction<'_, Dialect>,
    events: &[(i64, &Entry, Option<Doc>)],
) -> Result<(), IndexError> {
    let columns = format!("key, at_ms, kind, verdict, rule, revision, text, {}, words", OnScreen::COLUMNS);
    let mut rows = Statement::new(&format!("INSERT INTO events ({columns}) VALUES "));
    for (n, (key, entry, doc)) in events.iter().enumerate() {
        rows.push(if n == 0 { "(" } else { ", (" }).bind(*key).push(", ").bind(entry.at_ms).push(", ");
        rows.list([entry.kind.as_str(), entry.verdict, &entry.rule, &entry.revision, &entry.text]);
        OnScreen::push(entry.place, &mut rows);
        rows.push(", ");
        match doc {
            Some(doc) => rows.bind(vector(doc)).push("::text::tsvector)"),
            None => rows.push("NULL)"),
        };
    }
    bound!(sqlx::query(sqlx::AssertSqlSafe(rows.text)).persistent(false), rows.values)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Removes the events of the keys from `from` on and before `to`, and their full text.
pub(super) async fn remove(transaction: &mut Transaction<'_, Dialect>, from: i64, to: i64) -> Result<(), IndexError> {
    let removal = sqlx::query("DELETE FROM events WHERE key >= $1 AND key < $2").bind(from).bind(to);
    removal.execute(&mut **transaction).await?;
    Ok(())
}

/// The words of an event with their places. Words are letters and digits, so no quote can end them; facets begin with
/// a sign that no word has.
pub(super) fn vector(doc: &Doc) -> String {
    let text = doc.text.iter().zip(1..).map(|(word, place)| format!("'{word}':{place}"));
    let about = doc.about.iter().zip(ABOUT..).map(|(word, place)| format!("'{word}':{place}"));
    let facets = doc.facets.iter().map(|facet| format!("'={facet}'"));
    text.chain(about).chain(facets).collect::<Vec<_>>().join(" ")
}

/// The question as a `tsquery`.
pub(super) fn question(question: Option<&Question>, facets: &[Facet]) -> String {
    let parts = question.map(|question| question.parts.as_slice()).unwrap_or_default();
    let facets = facets.iter().map(|Facet { any }| {
        let any: Vec<_> = any.iter().map(|facet| format!("'={facet}'")).collect();
        format!("({})", any.join(" | "))
    });
    parts.iter().map(part).chain(facets).collect::<Vec<_>>().join(" & ")
}

fn part(Part { words, prefix }: &Part) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    format!("({}{})", words.join(" <-> "), if *prefix { ":*" } else { "" })
}
