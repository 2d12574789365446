//! Counters of what crossed and of what was stopped, each way.

use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_policy::ActionKind;

/// Texts or files, and their bytes, since the gate started.
#[derive(Debug)]
pub struct Tally([(ActionKind, Way); 2]);

#[derive(Debug, Default)]
struct Way {
    permitted: AtomicU64,
    denied: AtomicU64,
    bytes: AtomicU64,
}

/// What is known of one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// `paste`, `copy`, `upload` or `download`.
    pub way: &'static str,
    /// How many were permitted.
    pub permitted: u64,
    /// How many were not.
    pub denied: u64,
    /// Bytes of those that were permitted.
    pub bytes: u64,
}

impl Tally {
    /// Of texts: pastes and copies.
    #[must_use]
    pub fn texts() -> Self {
        Self::of([ActionKind::Paste, ActionKind::Copy])
    }

    /// Of files: uploads and downloads.
    #[must_use]
    pub fn files() -> Self {
        Self::of([ActionKind::Upload, ActionKind::Download])
    }

    fn of(kinds: [ActionKind; 2]) -> Self {
        Self(kinds.map(|kind| (kind, Way::default())))
    }

    /// Counts one: with its bytes where it was permitted.
    pub(crate) fn add(&self, kind: ActionKind, permitted: Option<u64>) {
        let Some((_, way)) = self.0.iter().find(|(known, _)| *known == kind) else { return };
        match permitted {
            Some(bytes) => {
                way.permitted.fetch_add(1, Ordering::Relaxed);
                way.bytes.fetch_add(bytes, Ordering::Relaxed);
            }
            None => {
                way.denied.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Both ways.
    #[must_use]
    pub fn read(&self) -> [Count; 2] {
        self.0.each_ref().map(|(kind, way)| Count {
            way: kind.name(),
            permitted: way.permitted.load(Ordering::Relaxed),
            denied: way.denied.load(Ordering::Relaxed),
            bytes: way.bytes.load(Ordering::Relaxed),
        })
    }
}
