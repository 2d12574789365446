//! Where the record of this gate lies, and what is there.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_evidence::{Manifest, PathInBundle};
use portcullis_vault::Vault;

use super::JOURNAL;
use crate::marks::Mark;

/// Where the record lies.
#[derive(Clone)]
pub struct Places {
    /// The recorder's spool.
    pub spool: PathBuf,
    /// The folder of the gate's journal.
    pub journal: PathBuf,
    /// Where bundles go.
    pub vault: Arc<dyn Vault>,
}

impl Places {
    /// The days of the journal, by their files' names.
    pub(crate) fn days(&self) -> io::Result<Vec<String>> {
        let mut days = Vec::new();
        for name in names(&self.journal)? {
            let day =
                name.strip_suffix(".jsonl").filter(|day| day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'));
            days.extend(day.map(|day| format!("{JOURNAL}{day}")));
        }
        Ok(days)
    }

    /// The sessions that are in the spool.
    pub(crate) fn sessions(&self) -> io::Result<Vec<String>> {
        let mut sessions = Vec::new();
        for name in names(&self.spool)? {
            let Ok(bytes) = fs::read(PathInBundle::Session.under(&self.bundle(&name))) else { continue };
            sessions.extend(Manifest::from_bytes(&bytes).ok().map(|manifest| manifest.prefix()));
        }
        Ok(sessions)
    }

    /// The end of everything that is there: where a destination begins that was not there before.
    pub(crate) fn ends(&self) -> io::Result<BTreeMap<String, Mark>> {
        let mut ends = BTreeMap::new();
        for day in self.days()? {
            let file = day.strip_prefix(JOURNAL).unwrap_or(&day);
            let end = end(&self.journal.join(format!("{file}.jsonl")), 0)?;
            ends.insert(day, end.unwrap_or_default());
        }
        for session in self.sessions()? {
            let bundle = self.bundle(super::session(&session));
            let mut last = Mark::START;
            for name in names(&bundle.join("events"))? {
                if let Ok(path @ PathInBundle::Events(n)) = format!("events/{name}").parse()
                    && n >= last.segment
                {
                    last = end(&path.under(&bundle), n)?.unwrap_or(last);
                }
            }
            ends.insert(session, last);
        }
        Ok(ends)
    }

    /// The bundle of a session in the spool.
    pub(super) fn bundle(&self, id: &str) -> PathBuf {
        self.spool.join(id).join("bundle")
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places").field("spool", &self.spool).field("journal", &self.journal).finish_non_exhaustive()
    }
}

/// The names in a folder that do not begin with a dot, sorted; none when it is not there.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string().ok().filter(|name| !name.starts_with('.')));
    }
    names.sort_unstable();
    Ok(names)
}

/// The mark behind the last whole line; `None` when the file is not there.
fn end(path: &Path, segment: u32) -> io::Result<Option<Mark>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut mark = Mark { segment, offset: 0, line: 0 };
    let mut reader = BufReader::new(file);
    let mut offset = 0_u64;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(Some(mark));
        }
        for byte in buffer {
            offset = offset.saturating_add(1);
            if *byte == b'\n' {
                mark.offset = offset;
                mark.line = mark.line.saturating_add(1);
            }
        }
        let length = buffer.len();
        reader.consume(length);
    }
}
