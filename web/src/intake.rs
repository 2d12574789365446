//! The events of a bundle on their way into the index, in batches, from where the index has them on.

use std::collections::BTreeSet;

use portcullis_evidence::{Effect, Event, What};
use portcullis_vault::VaultError;
use serde::Deserialize;

use crate::bundle::{Head, MAX_NAME, clean, cut, is_denied, named};
use crate::index::{Entry, MAX_EVENTS, Row, Written};
use crate::ingest::IngestError;
use crate::lines::{Line, Lines};
use crate::portal::{Portal, now};

/// Lines that go into the index together.
const BATCH: usize = 400;

/// Characters of an event's text that are searched and shown.
const MAX_TEXT: usize = 512;

impl Portal {
    /// Takes in what a bundle has and the index has not. `Older` where another gate did so meanwhile.
    pub(crate) async fn take_in(&self, head: &Head) -> Result<Written, IngestError> {
        let (index, begun) = (self.index(), head.begun(now()));
        let mut row = index.begin(&begun).await?;
        if row.prefix != begun.prefix {
            // The bundle of another session by the same id is gone: this one has its place.
            index.forget(&row.id).await?;
            row = index.begin(&begun).await?;
        }
        if !head.goes_on(&row) {
            index.drop_events(&row).await?;
            row = Row { segment: 0, files: 0, line: 0, lines: 0, last_us: 0, denied: 0, gaps: 0, ..row };
        }
        if row.segment == 0 {
            let after = Row { segment: 1, ..row.clone() };
            let own: Vec<_> = head.own_entry().into_iter().collect();
            if index.advance(&row, &after, &head.policies(), &own).await? == Written::Older {
                return Ok(Written::Older);
            }
            row = after;
        }
        let first = row.segment;
        for n in head.events().iter().filter(|n| i64::from(**n) >= first) {
            let Some(mut file) = Lines::open(self.vault(), &begun.prefix, *n).await? else { continue };
            let known = if i64::from(*n) == row.segment { row.line } else { 0 };
            for _ in 0..known {
                file.next().await?;
            }
            row.line = known;
            loop {
                let batch = Batch::read(&mut file, &row, *n).await?;
                if index.advance(&row, &batch.after, &batch.policies, &batch.entries).await? == Written::Older {
                    return Ok(Written::Older);
                }
                row = batch.after;
                if batch.is_last {
                    break;
                }
            }
        }
        let written = index.write(&head.settled(row.clone(), now())).await?;
        self.expect_readings(head, &row).await?;
        Ok(written)
    }
}

/// Lines of one events file.
struct Batch {
    entries: Vec<Entry>,
    policies: BTreeSet<String>,
    /// The row once they are in.
    after: Row,
    /// Whether the file ends with them.
    is_last: bool,
}

impl Batch {
    /// The next lines of the file of segment `n`, behind `row.line` of them.
    async fn read(file: &mut Lines, row: &Row, n: u32) -> Result<Batch, VaultError> {
        let mut batch = Batch { entries: Vec::new(), policies: BTreeSet::new(), after: row.clone(), is_last: false };
        batch.after.segment = i64::from(n);
        for _ in 0..BATCH {
            let Some(line) = file.next().await? else {
                batch.after.segment = i64::from(n).saturating_add(1);
                batch.after.files = row.files.saturating_add(1);
                batch.after.line = 0;
                batch.is_last = true;
                break;
            };
            batch.after.line = batch.after.line.saturating_add(1);
            batch.after.lines = batch.after.lines.saturating_add(1);
            match line {
                Line::Whole(line) => batch.take(&line),
                Line::Broken => tracing::warn!(bundle = row.prefix, segment = n, "an event cannot be read"),
            }
        }
        Ok(batch)
    }

    fn take(&mut self, line: &[u8]) {
        let Ok(event) = Event::from_line(line) else { return };
        let row = &mut self.after;
        let at_us = i64::try_from(event.at_us).unwrap_or(i64::MAX);
        row.last_us = row.last_us.max(at_us);
        row.denied = row.denied.saturating_add(i64::from(is_denied(&event.what)));
        row.gaps = row.gaps.saturating_add(i64::from(matches!(event.what, What::Gap { .. })));
        self.policies.extend(named(&event.policy, &event.rule));
        if row.lines <= MAX_EVENTS {
            self.entries.push(entry(&event, line, row));
        }
    }
}

/// The event as the index has it.
fn entry(event: &Event, line: &[u8], row: &Row) -> Entry {
    let revision = cut(&event.policy, MAX_NAME);
    Entry {
        n: row.lines,
        at_ms: i64::try_from(event.at_us / 1000).unwrap_or(i64::MAX),
        kind: kind(line),
        verdict: match (effect(&event.what), is_denied(&event.what)) {
            (_, true) => "deny",
            (Some(_), false) => "permit",
            (None, false) => "",
        },
        rule: clean(cut(&event.rule, MAX_NAME)),
        revision: if revision == row.policy_revision { String::new() } else { clean(revision) },
        text: clean(cut(&words_of(&event.what), MAX_TEXT)),
        place: None,
    }
}

/// An event's type, of those that the evidence format has.
fn kind(line: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Typed {
        r#type: String,
    }
    serde_json::from_slice(line).map_or_else(|_| String::new(), |Typed { r#type }| r#type)
}

fn effect(what: &What) -> Option<Effect> {
    match what {
        What::Input { effect, .. }
        | What::Paste { effect, .. }
        | What::Copy { effect, .. }
        | What::Upload { effect, .. }
        | What::Download { effect, .. }
        | What::Control { effect, .. }
        | What::Egress { effect, .. }
        | What::PolicyChanged { effect, .. } => Some(*effect),
        _ => None,
    }
}

/// What an event says in words: names, reasons, what was found.
///
/// INVARIANT: nothing that crossed, and no key that was pressed. What is not listed here says nothing.
fn words_of(what: &What) -> String {
    match what {
        What::SessionOpened { desktop, runtime } => join(&[desktop, runtime]),
        What::SessionClosed { reason }
        | What::ViewerLeft { reason, .. }
        | What::Control { reason, .. }
        | What::Gap { reason, .. }
        | What::PolicyChanged { reason, .. }
        | What::DesktopLost { reason } => reason.clone(),
        What::ViewerJoined { origin, .. } => origin.clone(),
        What::Input { kind, reason, .. } => join(&[kind, reason]),
        What::Paste { found, reason, .. } | What::Copy { found, reason, .. } => join(&[&found.join(", "), reason]),
        What::Upload { name, media_type, sha256, found, reason, .. }
        | What::Download { name, media_type, sha256, found, reason, .. } => {
            join(&[name, media_type, &found.join(", "), reason, sha256])
        }
        What::DesktopStarted { name, image, .. } => join(&[name, image]),
        What::Egress { host, reason, .. } => join(&[host, reason]),
        What::Refused { what, reason } => join(&[what, reason]),
        What::ProtocolViolation { side, reason } => join(&[side, reason]),
        What::ScreenRule { key, value, .. } => join(&[key, value]),
        _ => String::new(),
    }
}

fn join(texts: &[&str]) -> String {
    texts.iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().join(" · ")
}
