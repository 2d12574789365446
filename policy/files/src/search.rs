//! What an inspection has seen, and the search of one text of it.

use std::collections::BTreeSet;

use portcullis_content::{Searcher, Stream};

use crate::Refused;
use crate::limits::Budget;

/// Types of members that are remembered; more than there are in the table.
const MOST_TYPES: usize = 256;

/// What was seen of a file so far.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) found: BTreeSet<usize>,
    pub(crate) nested: BTreeSet<&'static str>,
    pub(crate) unread: BTreeSet<&'static str>,
}

impl Seen {
    /// Remembers the type of a member.
    pub(crate) fn member(&mut self, media_type: &'static str) {
        if self.nested.len() < MOST_TYPES {
            self.nested.insert(media_type);
        }
    }

    /// Remembers that a text of this type could not be had, or not whole.
    pub(crate) fn unread(&mut self, media_type: &'static str) {
        self.unread.insert(media_type);
    }
}

/// The search of one text, which comes in pieces.
pub(crate) struct Search<'a> {
    stream: Option<Stream<&'a Searcher>>,
    budget: &'a Budget<'a>,
    found: BTreeSet<usize>,
}

impl<'a> Search<'a> {
    /// Begins a text.
    pub(crate) fn new(searcher: Option<&'a Searcher>, budget: &'a Budget<'a>) -> Self {
        Self { stream: searcher.map(Stream::new), budget, found: BTreeSet::new() }
    }

    /// Takes a piece of it.
    pub(crate) fn push(&mut self, text: &[u8]) -> Result<(), Refused> {
        if let Some(stream) = &mut self.stream {
            self.budget.text(text.len())?;
            self.found.extend(stream.push(text).into_iter().map(|found| found.detector));
        }
        Ok(())
    }

    /// Ends it.
    pub(crate) fn finish(mut self, seen: &mut Seen) {
        if let Some(stream) = self.stream.take() {
            self.found.extend(stream.finish().into_iter().map(|found| found.detector));
        }
        seen.found.append(&mut self.found);
    }
}

/// The texts among bytes: runs of ASCII's letters and signs, each a line, so that what a form puts between them parts them.
pub(crate) struct Runs<'a> {
    search: Search<'a>,
    run: Vec<u8>,
    begun: bool,
}

/// Characters of a run at least: no detector takes less.
const SHORTEST: usize = 8;
/// Characters that are handed on at once.
const PIECE: usize = 4096;

impl<'a> Runs<'a> {
    /// Begins a file.
    pub(crate) fn new(search: Search<'a>) -> Self {
        Self { search, run: Vec::with_capacity(PIECE), begun: false }
    }

    /// Takes a piece of it.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        if self.search.stream.is_none() {
            return Ok(());
        }
        for byte in bytes {
            if matches!(byte, b' '..=b'~' | b'\t') {
                self.run.push(*byte);
                if self.run.len() >= PIECE {
                    self.search.push(&self.run)?;
                    self.run.clear();
                    self.begun = true;
                }
            } else if !self.run.is_empty() || self.begun {
                self.end()?;
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refused> {
        if self.begun || self.run.len() >= SHORTEST {
            self.run.push(b'\n');
            self.search.push(&self.run)?;
        }
        self.run.clear();
        self.begun = false;
        Ok(())
    }

    /// Ends it.
    pub(crate) fn finish(mut self, seen: &mut Seen) -> Result<(), Refused> {
        self.end()?;
        self.search.finish(seen);
        Ok(())
    }
}

/// Bytes of a container that are no member's: comments, further fields, headers. Searched as they are, and for the texts among them.
pub(crate) struct Beside<'a> {
    raw: Search<'a>,
    runs: Runs<'a>,
}

impl<'a> Beside<'a> {
    /// Begins a container.
    pub(crate) fn new(search: impl Fn() -> Search<'a>) -> Self {
        Self { raw: search(), runs: Runs::new(search()) }
    }

    /// Takes one field. What only fills it is left out.
    pub(crate) fn push(&mut self, field: &[u8]) -> Result<(), Refused> {
        let end = field.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
        for bytes in [field.get(..end).unwrap_or_default(), b"\n"] {
            self.raw.push(bytes)?;
            self.runs.push(bytes)?;
        }
        Ok(())
    }

    /// Ends it.
    pub(crate) fn finish(self, seen: &mut Seen) -> Result<(), Refused> {
        self.raw.finish(seen);
        self.runs.finish(seen)
    }
}
