//! Dead letters: which events a destination refused for good, in a list of bounded length.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::entry::Entry;

/// Bytes of the list, after which it becomes `refused.old.jsonl` and a new one begins.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// The list.
const LIST: &str = "refused.jsonl";

/// The list of a destination. It names events, which stay on the record; it does not repeat them.
#[derive(Debug)]
pub(crate) struct Letters(PathBuf);

impl Letters {
    pub(crate) fn of(folder: &Path) -> Self {
        Self(folder.join(LIST))
    }

    /// Adds one.
    pub(crate) fn add(&self, entry: &Entry, why: &str) -> io::Result<()> {
        if fs::metadata(&self.0).is_ok_and(|found| found.len() > MAX_BYTES) {
            fs::rename(&self.0, self.0.with_extension("old.jsonl"))?;
        }
        let Entry { id, kind, session, time, .. } = entry;
        let line = serde_json::json!({"delivery": id, "type": kind, "session": session, "time": time, "why": why});
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.0)?;
        file.write_all(format!("{line}\n").as_bytes())
    }
}
