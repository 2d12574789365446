//! What a courier says in the log: the first of its kind at once, then one line a minute with how many there were.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::entry::Entry;

/// The time between two lines of one kind.
const MINUTE: Duration = Duration::from_secs(60);

/// The voice of one courier.
#[derive(Debug)]
pub(crate) struct Words {
    name: String,
    said: Mutex<HashMap<&'static str, (Instant, u64)>>,
}

impl Words {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), said: Mutex::default() }
    }

    /// Whether a line of this kind is due, and how many it stands for.
    fn due(&self, kind: &'static str) -> Option<u64> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match said.get_mut(kind) {
            Some((at, unsaid)) if at.elapsed() < MINUTE => {
                *unsaid = unsaid.saturating_add(1);
                None
            }
            known => {
                let unsaid = known.map_or(0, |(_, unsaid)| *unsaid);
                said.insert(kind, (Instant::now(), 0));
                Some(unsaid.saturating_add(1))
            }
        }
    }

    pub(crate) fn refused(&self, entry: &Entry, why: &str) {
        if let Some(count) = self.due("refused") {
            tracing::error!(
                alert = self.name,
                delivery = entry.id,
                kind = entry.kind,
                why,
                count,
                "an event was refused for good: it is in the list of refused ones and on the record"
            );
        }
    }

    pub(crate) fn expired(&self, entry: &Entry) {
        if let Some(count) = self.due("expired") {
            tracing::error!(
                alert = self.name,
                delivery = entry.id,
                kind = entry.kind,
                time = entry.time,
                count,
                "an event was too old to be delivered and is dropped here; it is on the record"
            );
        }
    }

    pub(crate) fn unreadable(&self, of: &str, why: &str) {
        if let Some(count) = self.due("unreadable") {
            tracing::error!(alert = self.name, of, why, count, "the record cannot be read for export");
        }
    }

    pub(crate) fn later(&self, entry: &Entry, why: &str) {
        if let Some(count) = self.due("later") {
            tracing::warn!(
                alert = self.name,
                delivery = entry.id,
                why,
                count,
                "an event was not taken and is tried again"
            );
        }
    }

    pub(crate) fn waiting(&self, events: u64, behind_seconds: u64) {
        if self.due("waiting").is_some() {
            tracing::warn!(
                alert = self.name,
                events,
                behind_seconds,
                "events wait for a destination that does not take them"
            );
        }
    }

    pub(crate) fn well(&self) {
        tracing::info!(alert = self.name, "takes events again");
    }

    /// Marks and lists that cannot be written: what was delivered may be delivered again by the next gate, under the same names.
    pub(crate) fn kept(&self, kept: io::Result<()>) {
        if let Err(error) = kept
            && let Some(count) = self.due("kept")
        {
            tracing::error!(alert = self.name, %error, count, "how far this destination is cannot be written: the next gate may deliver again");
        }
    }
}
