//! What can be sought, and what is found, as the API has it.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::{IntoParams, ToSchema};

use super::{RecordingState, Verdict};
use crate::index::words::{MAX_QUESTION, Question};
use crate::index::{HitRow, Sought};
use crate::problem::Problem;

/// Rows of an answer to who does not say how many.
const ROWS: u32 = 50;

/// The most rows of an answer.
const MAX_ROWS: u32 = 200;

/// Characters of a name that is sought.
const MAX_NAME: usize = 256;

/// Characters of a snippet, and of what stands before its first mark.
const SNIPPET: usize = 200;
const BEFORE: usize = 60;

/// What is sought, and which part of it is wanted. Everything that is given must hold.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// `next` of the answer that this one continues.
    pub(crate) before: Option<String>,
    /// At most so many, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) limit: Option<u32>,
    /// Words of an event, all of them: names of files, what was found, reasons, rules, the subject and the desktop; or of a line of
    /// text that was on the screen. `"words in a row"`,
    /// and `begin*` with at least three characters. Not longer than 256 characters.
    #[param(max_length = 256)]
    pub(crate) q: Option<String>,
    /// The session's id.
    pub(crate) recording: Option<String>,
    /// The subject's whole name.
    pub(crate) subject: Option<String>,
    /// Who vouches for the subject.
    pub(crate) issuer: Option<String>,
    /// A group that the subject was in.
    pub(crate) group: Option<String>,
    /// The desktop's whole name.
    pub(crate) desktop: Option<String>,
    /// What decided anything in it: a revision, a rule (`contractors.yaml:7 allow.paste`), or the file of rules (`contractors.yaml`).
    pub(crate) policy: Option<String>,
    /// It began at this moment or later, RFC 3339, to the millisecond.
    #[param(format = DateTime)]
    pub(crate) from: Option<String>,
    /// It began before this moment.
    #[param(format = DateTime)]
    pub(crate) until: Option<String>,
    /// `denied`: recordings in which something was, `permitted`: in which nothing was denied. Of hits: those with this verdict.
    #[param(inline)]
    pub(crate) verdict: Option<Outcome>,
    /// How the recording stands.
    #[param(inline)]
    pub(crate) state: Option<RecordingState>,
    /// It has at least so many milliseconds.
    pub(crate) min_ms: Option<u64>,
    /// It has at most so many milliseconds.
    pub(crate) max_ms: Option<u64>,
    /// A type of events that say something, such as `upload`; `screen` is text that was on the screen.
    pub(crate) kind: Option<String>,
}

/// What became of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It was stopped.
    Denied,
    /// It was let through.
    Permitted,
}

impl Wanted {
    /// At most so many rows.
    pub(crate) fn limit(&self) -> Result<u32, Problem> {
        let limit = self.limit.unwrap_or(ROWS);
        (1..=MAX_ROWS).contains(&limit).then_some(limit).ok_or_else(|| bad("limit must be from 1 to 200."))
    }

    /// The place to go on from.
    pub(crate) fn before<T>(&self, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let Some(text) = &self.before else { return Ok(None) };
        read(text).map(Some).ok_or_else(|| bad("before must be the next of an earlier answer."))
    }

    /// What is sought, checked.
    pub(crate) fn sought(&self) -> Result<Sought, Problem> {
        let named =
            [&self.recording, &self.subject, &self.issuer, &self.group, &self.desktop, &self.policy, &self.kind];
        if named.into_iter().flatten().any(|name| name.chars().nth(MAX_NAME).is_some() || name.contains('\0')) {
            return Err(bad("A name must have at most 256 characters."));
        }
        Ok(Sought {
            recording: self.recording.clone(),
            subject: self.subject.clone(),
            issuer: self.issuer.clone(),
            group: self.group.clone(),
            desktop: self.desktop.clone(),
            policy: self.policy.clone(),
            from_ms: moment("from", self.from.as_deref())?,
            until_ms: moment("until", self.until.as_deref())?,
            denied: self.verdict.map(|verdict| verdict == Outcome::Denied),
            state: self.state.map(|state| state.as_str().to_owned()),
            min_ms: self.min_ms.map(|least| i64::try_from(least).unwrap_or(i64::MAX)),
            max_ms: self.max_ms.map(|most| i64::try_from(most).unwrap_or(i64::MAX)),
            question: self.question()?,
            kind: self.kind.clone(),
        })
    }

    fn question(&self) -> Result<Option<Question>, Problem> {
        let Some(text) = self.q.as_deref().filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        if text.chars().nth(MAX_QUESTION).is_some() {
            return Err(bad("q must have at most 256 characters."));
        }
        Question::parse(text).map(Some).ok_or_else(|| bad("q must have a word: letters or digits."))
    }

    /// What is sought, as it is put on the record, whatever part of it is wanted; empty where nothing is.
    pub(crate) fn told(&self) -> BTreeMap<String, String> {
        let whole = Wanted { before: None, limit: None, ..self.clone() };
        let Ok(serde_json::Value::Object(members)) = serde_json::to_value(whole) else { return BTreeMap::new() };
        let given = members.into_iter().filter_map(|(key, value)| match value {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some((key, text)),
            other => Some((key, other.to_string())),
        });
        given.collect()
    }
}

fn bad(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

fn moment(name: &str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let read = OffsetDateTime::parse(text, &Rfc3339);
    let read = read.map_err(|_| bad(&format!("{name} must be a moment such as 2026-11-22T08:00:00Z.")))?;
    Ok(Some(i64::try_from(read.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()))
}

/// A part of the list of hits: those of the newest recording first, and in it the last first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hits {
    /// Those of recordings that the person may see.
    pub hits: Vec<Hit>,
    /// Where further ones begin, for `before`; null when there are none.
    #[schema(required)]
    pub next: Option<String>,
}

/// An event that has what is sought.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hit {
    /// The session's id.
    pub recording: String,
    /// Who used the desktop.
    pub subject: String,
    /// The desktop's name.
    pub desktop: String,
    /// When the session started, RFC 3339, UTC.
    pub started: String,
    /// Milliseconds from the start of the recording.
    pub at: u64,
    /// The event's type; `screen` for a line of text that was on the screen; `recording` stands for an encrypted recording as a whole, of whose events the gate knows nothing.
    pub kind: String,
    /// How it was decided; null where nothing was.
    #[schema(required)]
    pub verdict: Option<Verdict>,
    /// The rule that decided; empty where none was asked.
    pub rule: String,
    /// The policy revision that decided.
    pub policy: String,
    /// What the event says, or what stood on the screen: plain text that somebody else wrote.
    pub snippet: Snippet,
    /// Where the line stood; null of what is no line of text that was on the screen.
    #[schema(required)]
    pub screen: Option<Stood>,
}

/// Where a line of text stood on the screen.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stood {
    /// Until when, in milliseconds from the start of the recording.
    pub until: u64,
    /// How sure its reader was, 0 to 100.
    pub confidence: u8,
    /// Left edge, in pixels of the screen as it was then.
    pub x: u16,
    /// Upper edge.
    pub y: u16,
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
}

impl Stood {
    fn of(row: &HitRow) -> Option<Self> {
        let pixels = |number: Option<i64>| u16::try_from(number?).ok();
        Some(Stood {
            until: u64::try_from(row.until_ms?).ok()?,
            confidence: u8::try_from(row.confidence?).ok()?,
            x: pixels(row.x)?,
            y: pixels(row.y)?,
            width: pixels(row.width)?,
            height: pixels(row.height)?,
        })
    }
}

/// A piece of plain text, never HTML, and what of it is to be marked.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Snippet {
    /// At most 202 characters.
    pub text: String,
    /// Rising, apart from each other; none where what was sought is in the event's subject, desktop, type or rule.
    pub marks: Vec<Mark>,
}

/// A range of a text, in characters (Unicode scalar values).
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mark {
    /// The first.
    pub from: usize,
    /// The one behind the last.
    pub to: usize,
}

impl Hit {
    pub(crate) fn of(row: HitRow, question: Option<&Question>) -> Self {
        let verdict = match row.verdict.as_str() {
            "deny" => Some(Verdict::Deny),
            "permit" => Some(Verdict::Permit),
            _ => None,
        };
        Hit {
            snippet: Snippet::of(&row.text, question),
            screen: Stood::of(&row),
            recording: row.id,
            subject: row.subject,
            desktop: row.desktop,
            started: row.started,
            at: row.at_ms.max(0).unsigned_abs(),
            kind: row.kind,
            verdict,
            rule: row.rule,
            policy: if row.revision.is_empty() { row.policy_revision } else { row.revision },
        }
    }
}

impl Snippet {
    fn of(text: &str, question: Option<&Question>) -> Self {
        let marks = question.map(|question| question.marks(text)).unwrap_or_default();
        let all = text.chars().count();
        let first = marks.first().map_or(0, |(from, _)| *from);
        let start = if all <= SNIPPET { 0 } else { first.saturating_sub(BEFORE).min(all.saturating_sub(SNIPPET)) };
        let end = start.saturating_add(SNIPPET);
        let (head, tail) = (if start > 0 { "…" } else { "" }, if end < all { "…" } else { "" });
        let piece: String = text.chars().skip(start).take(SNIPPET).collect();
        let shift = head.chars().count();
        let within = marks.into_iter().filter(|(from, to)| *from >= start && *to <= end);
        let marks = within.map(|(from, to)| Mark {
            from: from.saturating_sub(start).saturating_add(shift),
            to: to.saturating_sub(start).saturating_add(shift),
        });
        Snippet { marks: marks.collect(), text: format!("{head}{piece}{tail}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_shows_its_first_mark() {
        let question = Question::parse("needle").unwrap();
        let marked = |text: &str| {
            let Snippet { text, marks } = Snippet::of(text, Some(&question));
            let found: Vec<String> =
                marks.iter().map(|mark| text.chars().skip(mark.from).take(mark.to - mark.from).collect()).collect();
            (text.chars().count(), found)
        };
        assert_eq!(marked("a Needle"), (8, vec!["Needle".to_owned()]));
        let hay = "häy ".repeat(100);
        assert_eq!(marked(&format!("{hay}needle {hay}needle")), (202, vec!["needle".to_owned()]));
        assert_eq!(marked(&format!("{hay}needle")), (201, vec!["needle".to_owned()]));
        assert_eq!(marked(&hay), (201, vec![]));
    }

    #[test]
    fn what_is_told_is_what_was_given_and_no_place_in_the_list() {
        let wanted = Wanted {
            before: Some("x".into()),
            limit: Some(3),
            q: Some("a b".into()),
            verdict: Some(Outcome::Denied),
            min_ms: Some(5),
            ..Wanted::default()
        };
        let told: Vec<_> = wanted.told().into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(told, ["min_ms=5", "q=a b", "verdict=denied"]);
        assert!(Wanted { before: Some("x".into()), ..Wanted::default() }.told().is_empty());
    }
}
