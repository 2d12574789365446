//! What a courier has done, counted, for metrics and for the log.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// The counters of one destination.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) delivered: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) expired: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) backlog: AtomicU64,
    pub(crate) behind_seconds: AtomicU64,
    pub(crate) failing: AtomicBool,
}

/// How a destination stands. Counts are since the gate's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The destination's name.
    pub name: String,
    /// Events that it took.
    pub delivered: u64,
    /// Events that it refused for good; they are listed in `DATA/alerts/NAME/refused.jsonl`.
    pub refused: u64,
    /// Events that were older than `keep_days` before they could be delivered, and were dropped.
    pub expired: u64,
    /// Lines of the record that could not be read, and bundles that were gone, or too many, before their events had been delivered.
    pub lost: u64,
    /// Tries that failed and are repeated.
    pub failures: u64,
    /// Events that wait: counted each half minute while it fails, and down as they are delivered.
    pub backlog: u64,
    /// How old the event is that was tried last, in seconds; 0 when nothing waits.
    pub behind_seconds: u64,
    /// Whether the last try failed.
    pub failing: bool,
}

impl Tally {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }

    pub(crate) fn standing(&self, name: &str) -> Standing {
        Standing {
            name: name.to_owned(),
            delivered: self.delivered.load(Relaxed),
            refused: self.refused.load(Relaxed),
            expired: self.expired.load(Relaxed),
            lost: self.lost.load(Relaxed),
            failures: self.failures.load(Relaxed),
            backlog: self.backlog.load(Relaxed),
            behind_seconds: self.behind_seconds.load(Relaxed),
            failing: self.failing.load(Relaxed),
        }
    }
}
