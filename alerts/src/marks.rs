//! Marks: how far a destination is in each file of the record; a log of JSON lines, of which the last about a file counts.
//!
//! A mark is written with a plain write before the next event is tried, so being killed loses none; each second the log is synced. A line that
//! a crash tore says nothing: the mark before it counts, and what lies between is delivered again under the same names.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The log.
const LOG: &str = "marks.jsonl";
/// Lines beyond those that count, after which the log is written anew.
const SLACK: usize = 10_000;
/// Bytes of a log that is read: some hundred thousand files of the record.
const MAX_LOG_BYTES: u64 = 64 * 1024 * 1024;

/// How far a file of the record was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// The segment of a session, from 1; 0 in a journal.
    pub(crate) segment: u32,
    /// Bytes of its file that are behind the mark.
    pub(crate) offset: u64,
    /// Lines of its file that are behind the mark.
    pub(crate) line: u64,
}

impl Mark {
    /// The beginning of a session.
    pub(crate) const START: Self = Self { segment: 1, offset: 0, line: 0 };
}

/// A line of the log.
#[derive(Debug, Serialize, Deserialize)]
struct Said {
    of: String,
    /// `None`: everything of it is behind the mark, and nothing more will come.
    #[serde(flatten)]
    mark: Option<Mark>,
}

/// The marks of one destination.
#[derive(Debug)]
pub(crate) struct Marks {
    folder: PathBuf,
    file: File,
    /// Where each file is read on.
    known: BTreeMap<String, Mark>,
    /// What the log says of it: behind the last that was delivered, and at times ahead of that.
    said: BTreeMap<String, Mark>,
    lines: usize,
    /// Something was written that is not synced.
    dirty: bool,
    /// The end of the log may not be the end of a line.
    torn: bool,
}

impl Marks {
    /// Opens the log in `folder`; one that is not there begins with the marks that `first` gives.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn open(folder: &Path, first: impl FnOnce() -> io::Result<BTreeMap<String, Mark>>) -> io::Result<Self> {
        let path = folder.join(LOG);
        if !path.try_exists()? {
            write_anew(folder, &first()?)?;
        }
        if fs::metadata(&path)?.len() > MAX_LOG_BYTES {
            return Err(io::Error::other(format!("{} is over {MAX_LOG_BYTES} bytes", path.display())));
        }
        let text = fs::read(&path)?;
        let mut known = BTreeMap::new();
        let mut lines = 0;
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            lines += 1;
            match serde_json::from_slice::<Said>(line) {
                Ok(Said { of, mark: Some(mark) }) => drop(known.insert(of, mark)),
                Ok(Said { of, mark: None }) => drop(known.remove(&of)),
                Err(_) => {
                    tracing::warn!(log = %path.display(), "a torn line in the marks: what follows the mark before it may be delivered again")
                }
            }
        }
        let torn = text.last().is_some_and(|byte| *byte != b'\n');
        let file = append(&path)?;
        let said = known.clone();
        Ok(Self { folder: folder.to_owned(), file, known, said, lines, dirty: false, torn })
    }

    /// The mark in a file.
    pub(crate) fn get(&self, of: &str) -> Option<Mark> {
        self.known.get(of).copied()
    }

    /// How many files are not done with.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// The files that are not done with.
    pub(crate) fn files(&self) -> Vec<String> {
        self.known.keys().cloned().collect()
    }

    /// Moves a mark behind what needs no delivery; the next gate reads that again, unless it is settled.
    pub(crate) fn pass(&mut self, of: &str, mark: Mark) {
        self.known.insert(of.to_owned(), mark);
    }

    /// The marks that are ahead of what the log says.
    pub(crate) fn passed(&self) -> Vec<(String, Mark)> {
        let ahead = self.known.iter().filter(|(of, mark)| self.said.get(*of) != Some(mark));
        ahead.map(|(of, mark)| (of.clone(), *mark)).collect()
    }

    /// Moves a mark behind what was delivered, or will not be; being killed does not move it back.
    ///
    /// INVARIANT: what is before it is durable on the record: a power cut could otherwise leave the mark behind the end of its file.
    ///
    /// # Errors
    /// The disk's; until the gate ends the mark holds all the same.
    pub(crate) fn settle(&mut self, of: &str, mark: Mark) -> io::Result<()> {
        self.known.insert(of.to_owned(), mark);
        self.said.insert(of.to_owned(), mark);
        self.say(of, Some(mark))
    }

    /// Is done with a file.
    ///
    /// # Errors
    /// The disk's; the next gate then finds its end again.
    pub(crate) fn forget(&mut self, of: &str) -> io::Result<()> {
        self.known.remove(of);
        self.said.remove(of);
        self.say(of, None)
    }

    /// The log to be synced, if there is something to sync.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn flush(&mut self) -> io::Result<Option<File>> {
        if self.lines > self.said.len().saturating_add(SLACK) {
            write_anew(&self.folder, &self.said)?;
            self.file = append(&self.folder.join(LOG))?;
            (self.lines, self.torn) = (self.said.len(), false);
        }
        if !std::mem::take(&mut self.dirty) {
            return Ok(None);
        }
        self.file.try_clone().map(Some)
    }

    fn say(&mut self, of: &str, mark: Option<Mark>) -> io::Result<()> {
        let mut line = if self.torn { vec![b'\n'] } else { Vec::new() };
        serde_json::to_writer(&mut line, &Said { of: of.to_owned(), mark })?;
        line.push(b'\n');
        self.lines += 1;
        self.dirty = true;
        let written = self.file.write_all(&line);
        self.torn = written.is_err();
        written
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).mode(0o600).open(path)
}

/// Writes a log of these marks, whole or not at all.
fn write_anew(folder: &Path, marks: &BTreeMap<String, Mark>) -> io::Result<()> {
    let part = folder.join("marks.part");
    let mut text = Vec::new();
    for (of, mark) in marks {
        serde_json::to_writer(&mut text, &Said { of: of.clone(), mark: Some(*mark) })?;
        text.push(b'\n');
    }
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&part, folder.join(LOG))?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> Mark {
        Mark { segment: 1, offset, line: offset / 10 }
    }

    fn open(folder: &Path) -> Marks {
        Marks::open(folder, || Ok(BTreeMap::from([("old".to_owned(), at(7))]))).unwrap()
    }

    #[test]
    fn the_last_word_about_a_file_counts_in_the_next_gate() {
        let folder = tempfile::tempdir().unwrap();
        let mut marks = open(folder.path());
        marks.settle("a", Mark::START).unwrap();
        marks.settle("a", at(20)).unwrap();
        marks.settle("b", Mark::START).unwrap();
        marks.pass("b", at(50));
        assert_eq!((marks.get("b"), marks.passed()), (Some(at(50)), vec![("b".to_owned(), at(50))]));
        marks.forget("old").unwrap();
        // What was passed and not settled is read again.
        let mut marks = open(folder.path());
        assert_eq!(
            (marks.files(), marks.get("a"), marks.get("b")),
            (vec!["a".into(), "b".into()], Some(at(20)), Some(Mark::START))
        );
        marks.settle("b", at(60)).unwrap();
        assert!(marks.passed().is_empty());
        assert!(marks.flush().unwrap().is_some() && marks.flush().unwrap().is_none());
        assert_eq!(open(folder.path()).get("b"), Some(at(60)));
    }

    #[test]
    fn a_log_cut_at_any_byte_never_moves_a_mark_ahead_and_takes_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let mut marks = open(folder.path());
        for offset in 1..6 {
            marks.settle("a", at(offset)).unwrap();
        }
        let whole = fs::read(folder.path().join(LOG)).unwrap();
        for cut in 0..whole.len() {
            fs::write(folder.path().join(LOG), &whole[..cut]).unwrap();
            let mut marks = open(folder.path());
            let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
            // The last line may be whole but for its line feed.
            let most = u64::try_from(lines).unwrap();
            assert!(marks.get("a").is_none_or(|mark| mark.offset <= most), "cut at {cut}: {:?}", marks.get("a"));
            assert!(lines < 2 || marks.get("a").is_some(), "cut at {cut}");
            marks.settle("b", at(3)).unwrap();
            assert_eq!(open(folder.path()).get("b"), Some(at(3)), "cut at {cut}");
        }
    }

    #[test]
    fn a_long_log_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut marks = open(folder.path());
        for offset in 0..=u64::try_from(SLACK).unwrap() + 2 {
            marks.settle("a", at(offset)).unwrap();
        }
        let before = fs::metadata(folder.path().join(LOG)).unwrap().len();
        let last = marks.get("a");
        marks.flush().unwrap();
        assert!(fs::metadata(folder.path().join(LOG)).unwrap().len() < before / 100);
        marks.settle("b", at(1)).unwrap();
        let marks = open(folder.path());
        assert_eq!((marks.get("a"), marks.get("b"), marks.get("old")), (last, Some(at(1)), Some(at(7))));
    }
}
