//! Events on their way into the index: with their full text, together with how far their recording is in.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::recordings::{Row, UPDATE, Written, values};
use super::statement::{Statement, bound, either};
use super::words::words;
use super::{Index, IndexError};

/// The key of an event is that of its recording times this, and its number.
pub(super) const FACTOR: i64 = 1 << 21;

/// The number of the first line of text that was on the screen; further ones follow.
pub(crate) const LINES: i64 = FACTOR / 2;

/// Events of a recording that the index takes in; what comes after them is counted, and not found.
pub(crate) const MAX_EVENTS: i64 = LINES - 1;

/// One event as the index has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its number in the recording; 0 is the recording's own.
    pub(crate) n: i64,
    pub(crate) at_ms: i64,
    pub(crate) kind: String,
    /// "permit", "deny" or nothing.
    pub(crate) verdict: &'static str,
    pub(crate) rule: String,
    /// Nothing where it is the recording's own.
    pub(crate) revision: String,
    /// What is searched and shown; an event without is found by no question.
    pub(crate) text: String,
    /// Of a line of text that was on the screen alone.
    pub(crate) place: Option<OnScreen>,
}

/// Where a line of text was on the screen, and until when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OnScreen {
    pub(crate) until_ms: i64,
    /// 0 to 100.
    pub(crate) confidence: i64,
    /// In pixels of the screen.
    pub(crate) x: i64,
    pub(crate) y: i64,
    pub(crate) width: i64,
    pub(crate) height: i64,
}

impl OnScreen {
    /// The names of its columns.
    pub(super) const COLUMNS: &str = "until_ms, confidence, x, y, width, height";

    /// Its values, behind a comma; of what was not on the screen nothing.
    pub(super) fn push(place: Option<OnScreen>, rows: &mut Statement) {
        rows.push(", ");
        match place {
            Some(at) => rows.list([at.until_ms, at.confidence, at.x, at.y, at.width, at.height]),
            None => rows.push("NULL, NULL, NULL, NULL, NULL, NULL"),
        };
    }
}

impl Entry {
    /// The kind of a line of text that was on the screen.
    pub(crate) const SCREEN: &str = "screen";

    /// The kind of the one entry that an encrypted recording has, of whose events the gate knows nothing.
    pub(crate) const RECORDING: &str = "recording";
}

/// The full text of an event: what it says, what it is about, and marks that narrow a question down.
pub(super) struct Doc {
    pub(super) text: Vec<String>,
    pub(super) about: Vec<String>,
    pub(super) facets: Vec<String>,
}

impl Doc {
    fn of(entry: &Entry, about: &About) -> Option<Doc> {
        if entry.text.is_empty() && entry.kind != Entry::RECORDING {
            return None;
        }
        let verdict = match entry.verdict {
            "deny" => "denied",
            "permit" => "permitted",
            _ => "",
        };
        let own = [entry.kind.as_str(), verdict, &entry.rule].map(words).concat();
        let marks = [facet('k', &entry.kind), facet('v', entry.verdict)];
        Some(Doc {
            text: words(&entry.text),
            about: [own, about.words.clone()].concat(),
            facets: marks.into_iter().chain(about.facets.iter().cloned()).collect(),
        })
    }
}

/// What all events of a recording are about.
struct About {
    words: Vec<String>,
    facets: Vec<String>,
}

impl About {
    fn of(row: &Row) -> Self {
        let groups = row.groups();
        let named = [facet('s', &row.subject), facet('d', &row.desktop)];
        About {
            words: [words(&row.subject), words(&row.desktop)].concat(),
            facets: named.into_iter().chain(groups.iter().map(|group| facet('g', group))).collect(),
        }
    }
}

/// A mark in the full text: that a name of this sort is on the event. Two names may share one, so that rows are asked too.
pub(super) fn facet(sort: char, name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    let short = hash.iter().take(5).map(|byte| format!("{byte:02x}"));
    format!("{sort}{}", short.collect::<String>())
}

impl Index {
    /// Puts events in and moves their recording's row on from `before` to `after`, both or neither.
    ///
    /// INVARIANT: an event is in once. Where another gate has moved the row meanwhile, nothing is written.
    pub(crate) async fn advance(
        &self,
        before: &Row,
        after: &Row,
        policies: &BTreeSet<String>,
        entries: &[Entry],
    ) -> Result<Written, IndexError> {
        let about = About::of(after);
        let events: Vec<_> = entries
            .iter()
            .filter(|entry| entry.n <= MAX_EVENTS)
            .map(|entry| {
                let key = before.key.saturating_mul(FACTOR).saturating_add(entry.n);
                (key, entry, Doc::of(entry, &about))
            })
            .collect();
        let groups = after.groups();
        let begins = before.segment == 0;
        let names = [
            ("recording_groups", begins.then_some(groups)),
            ("recording_policies", Some(policies.iter().cloned().collect())),
        ];
        let names: Vec<_> =
            names.into_iter().filter_map(|(table, names)| names_of(table, names?, before.key)).collect();
        let moved = format!("{UPDATE} AND segment = $25 AND line = $26");
        Ok(either!(self, pool, dialect => {
            let mut transaction = pool.begin().await?;
            let query = sqlx::query(sqlx::AssertSqlSafe(moved));
            let query = values!(query, after).bind(before.segment).bind(before.line);
            if query.execute(&mut *transaction).await?.rows_affected() == 0 {
                transaction.rollback().await?;
                return Ok(Written::Older);
            }
            for Statement { text, values } in names {
                let query = sqlx::query(sqlx::AssertSqlSafe(text)).persistent(false);
                bound!(query, values).execute(&mut *transaction).await?;
            }
            if !events.is_empty() {
                dialect::add(&mut transaction, &events).await?;
            }
            transaction.commit().await?;
            Written::Yes
        }))
    }

    /// Puts further events in, as they are.
    pub(super) async fn add_entries(&self, row: &Row, entries: &[Entry]) -> Result<(), IndexError> {
        let (about, first) = (About::of(row), row.key.saturating_mul(FACTOR));
        let events: Vec<_> =
            entries.iter().map(|entry| (first.saturating_add(entry.n), entry, Doc::of(entry, &about))).collect();
        either!(self, pool, dialect => {
            let mut transaction = pool.begin().await?;
            dialect::add(&mut transaction, &events).await?;
            transaction.commit().await?;
        });
        Ok(())
    }

    /// Takes the events of a recording out, and what was read off its pictures, so that both can be read anew.
    pub(crate) async fn drop_events(&self, row: &Row) -> Result<(), IndexError> {
        let from = row.key.saturating_mul(FACTOR);
        let mark = "UPDATE recordings SET segment = 0, files = 0, line = 0, lines = 0, last_us = 0 WHERE key = $1";
        either!(self, pool, dialect => {
            let mut transaction = pool.begin().await?;
            sqlx::query(mark).bind(row.key).execute(&mut *transaction).await?;
            sqlx::query("DELETE FROM readings WHERE recording = $1").bind(row.key).execute(&mut *transaction).await?;
            dialect::remove(&mut transaction, from, from.saturating_add(FACTOR)).await?;
            transaction.commit().await?;
        });
        Ok(())
    }
}

fn names_of(table: &str, names: Vec<String>, recording: i64) -> Option<Statement> {
    let mut statement = Statement::new(&format!("INSERT INTO {table} (name, recording) VALUES "));
    for (n, name) in names.iter().enumerate() {
        statement.push(if n == 0 { "(" } else { ", (" }).bind(name).push(", ").bind(recording).push(")");
    }
    statement.push(" ON CONFLICT DO NOTHING");
    (!names.is_empty()).then_some(statement)
}
