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
