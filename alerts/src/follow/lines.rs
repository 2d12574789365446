//! Whole lines out of what was read, with a mark behind each.

use std::fs::File;
use std::io::{self, Read as _, Seek, SeekFrom};

use super::Read;
use crate::choice::Choice;
use crate::entry::{Entry, Origin};
use crate::marks::Mark;

/// A line that is wanted.
#[derive(Debug)]
pub(crate) struct Found {
    /// `None`: it is no event, and nobody can say whether it was wanted.
    pub(crate) entry: Option<Entry>,
    /// The mark behind it.
    pub(crate) behind: Mark,
}

/// How lines of one file are read.
pub(super) struct Lines<'a> {
    gate: &'a str,
    origin: Origin<'a>,
    from: Mark,
    choice: &'a Choice,
}

impl<'a> Lines<'a> {
    pub(super) fn of(gate: &'a str, origin: Origin<'a>, from: Mark, choice: &'a Choice) -> Self {
        Self { gate, origin, from, choice }
    }

    /// The whole lines of `chunk`; `None` when there is none.
    pub(super) fn read(&self, chunk: &[u8]) -> Option<Read> {
        let whole = chunk.iter().rposition(|byte| *byte == b'\n')?;
        let (mut behind, mut found) = (self.from, Vec::new());
        for line in chunk.get(..=whole)?.split_inclusive(|byte| *byte == b'\n') {
            behind.offset = behind.offset.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
            behind.line = behind.line.saturating_add(1);
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            // A line that was torn is ended by an empty one.
            if line.is_empty() {
                continue;
            }
            let origin = match self.origin {
                Origin::Journal(day, _) => Origin::Journal(day, behind.line),
                session @ Origin::Session(_) => session,
            };
            let entry = Entry::read(self.gate, origin, line);
            if entry.as_ref().is_none_or(|entry| self.choice.takes(entry)) {
                found.push(Found { entry, behind });
            }
        }
        Some(Read::Lines(found, behind))
    }
}

/// The mark behind a line that is longer than any may be; `None` when its end is not there yet.
pub(super) fn skip(file: &mut File, from: Mark) -> io::Result<Option<Mark>> {
    file.seek(SeekFrom::Start(from.offset))?;
    let (mut offset, mut buffer) = (from.offset, [0; 8192]);
    loop {
        let read = file.read(&mut buffer)?;
        let chunk = buffer.get(..read).unwrap_or_default();
        if chunk.is_empty() {
            return Ok(None);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(read, |end| end.saturating_add(1));
        offset = offset.saturating_add(u64::try_from(taken).unwrap_or(u64::MAX));
        if end.is_some() {
            return Ok(Some(Mark { offset, line: from.line.saturating_add(1), ..from }));
        }
    }
}
