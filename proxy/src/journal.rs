//! The gate's own events: what was refused before there was a session, and who opened or watched what; JSON lines, one file a day.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use portcullis_evidence::{Event, VERSION, What, stamp};
use time::OffsetDateTime;

use crate::pace::Pace;

/// An append-only journal in a folder; every line is an evidence [`Event`], with an empty `session` where there was none.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    day: String,
    file: Option<File>,
    /// The end of the file may be half a line.
    torn: bool,
    seq: u64,
}

/// Who and under what an entry happened; every field may be empty where it is not known.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// The subject, or what it claimed to be where it could not be verified.
    pub subject: &'a str,
    /// The session.
    pub session: &'a str,
    /// The policy revision.
    pub policy: &'a str,
    /// The rule that decided.
    pub rule: &'a str,
}

impl Journal {
    /// Opens the folder, making it (mode 0700) where it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(Self { folder: folder.to_owned(), open: Mutex::default() })
    }

    /// Appends one entry. A journal that cannot be written is said in the log; it never stops a session, whose own evidence is apart.
    pub fn note(&self, about: About<'_>, what: What) {
        if let Err(error) = self.append(about, what) {
            tracing::error!(%error, folder = %self.folder.display(), "the journal cannot be written");
        }
    }

    /// Appends one entry.
    ///
    /// # Errors
    /// When it cannot be written; nothing of it is then on the journal.
    pub fn append(&self, about: About<'_>, what: What) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let time = stamp(OffsetDateTime::now_utc());
        let day = time.get(..10).unwrap_or_default().to_owned();
        if open.day != day || open.file.is_none() {
            let path = self.folder.join(format!("{day}.jsonl"));
            let file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path)?;
            open.torn = is_torn(&file)?;
            open.file = Some(file);
            open.day = day;
        }
        open.seq += 1;
        let event = Event {
            v: VERSION,
            seq: open.seq,
            at_us: 0,
            time,
            session: about.session.to_owned(),
            subject: about.subject.to_owned(),
            policy: about.policy.to_owned(),
            rule: about.rule.to_owned(),
            what,
        };
        // What a killed gate or a full disk left of a line is ended, and does not spoil this one.
        let mut line = if open.torn { vec![b'\n'] } else { Vec::new() };
        serde_json::to_writer(&mut line, &event)?;
        line.push(b'\n');
        let written = open.file.as_mut().map_or(Ok(()), |file| file.write_all(&line));
        open.torn = written.is_err();
        written
    }
}

/// Whether the last byte is no line feed.
fn is_torn(file: &File) -> io::Result<bool> {
    let Some(last) = file.metadata()?.len().checked_sub(1) else { return Ok(false) };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte != *b"\n")
}

/// Refusals of strangers, so that they do not fill the journal: 20 a second and 200 at once are written, the rest is counted.
#[derive(Debug)]
pub(crate) struct Knocks(Mutex<(Pace, u64)>);

impl Default for Knocks {
    fn default() -> Self {
        Self(Mutex::new((Pace::new(20, 200), 0)))
    }
}

impl Knocks {
    /// Whether one more is to be written, and how many were not since the last one.
    pub(crate) fn due(&self) -> Option<u64> {
        let mut knocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = knocks.0.try_take(Instant::now());
        if due {
            Some(std::mem::take(&mut knocks.1))
        } else {
            knocks.1 += 1;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_does_not_spoil_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let what = || What::SignedIn {};
        Journal::open(folder.path()).unwrap().append(About::default(), what()).unwrap();
        let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], &whole[..30]].concat()).unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        journal.append(About::default(), what()).unwrap();
        journal.append(About::default(), what()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let sound = text.lines().map(|line| serde_json::from_str::<Event>(line).is_ok()).collect::<Vec<_>>();
        assert_eq!(sound, [true, false, true, true], "{text}");
    }
}
