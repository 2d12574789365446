//! Counters of files that crossed and of those that were stopped.

use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_policy::ActionKind;

/// Files and bytes since the gate started, each way.
#[derive(Debug, Default)]
pub struct FileCounts {
    uploads: Way,
    downloads: Way,
}

#[derive(Debug, Default)]
struct Way {
    permitted: AtomicU64,
    denied: AtomicU64,
    bytes: AtomicU64,
}

/// What is known of one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileCount {
    /// `upload` or `download`.
    pub way: &'static str,
    /// Files that were permitted.
    pub permitted: u64,
    /// Files that were not.
    pub denied: u64,
    /// Bytes of those that were permitted.
    pub bytes: u64,
}

impl FileCounts {
    pub(super) fn add(&self, kind: ActionKind, permitted: Option<u64>) {
        let way = if kind == ActionKind::Upload { &self.uploads } else { &self.downloads };
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
    pub fn read(&self) -> [FileCount; 2] {
        let read = |kind: ActionKind, way: &Way| FileCount {
            way: kind.name(),
            permitted: way.permitted.load(Ordering::Relaxed),
            denied: way.denied.load(Ordering::Relaxed),
            bytes: way.bytes.load(Ordering::Relaxed),
        };
        [read(ActionKind::Upload, &self.uploads), read(ActionKind::Download, &self.downloads)]
    }
}
