//! The search of a text that comes in pieces, and of any text: what is found does not depend on the pieces.

use std::ops::{Deref, Range};

use crate::searcher::Hit;
use crate::{Found, Searcher};

/// Bytes of a text that are searched at once.
pub const STEP: usize = 64 << 10;
/// Bytes before them that are looked at too: what stands before a finding can make it none.
pub const BEFORE: usize = 4 << 10;
/// Bytes behind them that are looked at too: of a finding that is longer than this, the end may be missing.
pub const AHEAD: usize = 32 << 10;

/// A search of a text that comes in pieces. It holds at most [`BEFORE`], [`STEP`] and [`AHEAD`] bytes of it, and takes time linear in it.
///
/// Bytes that are no UTF-8 are read as Latin-1, so files can be searched as they are.
pub struct Stream<S> {
    searcher: S,
    held: Vec<u8>,
    /// Where in the text the held bytes begin, and where the step that is searched next.
    offset: usize,
    step: usize,
}

impl<S: Deref<Target = Searcher>> Stream<S> {
    /// Begins a text.
    pub fn new(searcher: S) -> Self {
        Self { searcher, held: Vec::new(), offset: 0, step: 0 }
    }

    /// Takes a piece of the text. Answers with what was found in all that needs no more to be judged; ranges count from the text's beginning.
    pub fn push(&mut self, mut piece: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        while !piece.is_empty() {
            let full = self.step.saturating_sub(self.offset).saturating_add(STEP + AHEAD);
            let room = full.saturating_sub(self.held.len()).min(piece.len());
            let (now, later) = piece.split_at_checked(room).unwrap_or((piece, &[]));
            self.held.extend_from_slice(now);
            piece = later;
            if self.held.len() >= full {
                let end = self.step.saturating_add(STEP);
                found.extend(self.search(self.step..end, false));
                self.step = end;
                let keep = self.step.saturating_sub(self.offset).saturating_sub(BEFORE);
                self.held.drain(..keep.min(self.held.len()));
                self.offset = self.offset.saturating_add(keep);
            }
        }
        found
    }

    /// Ends the text. Answers with what was found in the rest of it.
    pub fn finish(self) -> Vec<Found> {
        self.search(self.step..usize::MAX, true)
    }

    /// What begins in a step, found in all that is held.
    fn search(&self, step: Range<usize>, last: bool) -> Vec<Found> {
        let (start, end) = whole(&self.held, self.offset > 0, !last);
        let held = self.held.get(start..end).unwrap_or_default();
        let offset = self.offset.saturating_add(start);
        let part = step.start.saturating_sub(offset)..step.end.saturating_sub(offset);
        let mut found: Vec<Found> = self
            .searcher
            .hits(held, part)
            .into_iter()
            .filter(|hit| step.contains(&hit.at.saturating_add(offset)))
            .map(|Hit { found: Found { range, detector }, .. }| {
                let range = on_characters(held, range);
                Found { range: range.start.saturating_add(offset)..range.end.saturating_add(offset), detector }
            })
            .collect();
        merge(&mut found);
        found
    }
}

/// Where whole characters begin and end in bytes that may have been cut before or behind.
fn whole(bytes: &[u8], cut_before: bool, cut_behind: bool) -> (usize, usize) {
    let continues = |byte: &&u8| (0x80..0xc0).contains(*byte);
    let start = if cut_before { bytes.iter().take(3).take_while(continues).count() } else { 0 };
    let mut end = bytes.len();
    if cut_behind {
        let tail = bytes.iter().rev().take(3).take_while(continues).count();
        let lead = bytes.len().saturating_sub(tail).saturating_sub(1);
        let length = match bytes.get(lead) {
            Some(0xc0..0xe0) => 2,
            Some(0xe0..0xf0) => 3,
            Some(0xf0..) => 4,
            _ => 0,
        };
        if tail.saturating_add(1) < length {
            end = lead;
        }
    }
    (start, end)
}

/// The range, widened to whole characters.
fn on_characters(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let continues = |at: usize| bytes.get(at).is_some_and(|byte| (0x80..0xc0).contains(byte));
    let Range { mut start, mut end } = range;
    for _ in 0..3 {
        start = start.saturating_sub(usize::from(continues(start)));
        end = end.saturating_add(usize::from(continues(end)));
    }
    start..end
}

/// Joins findings of one detector that overlap, and sorts them by place.
fn merge(found: &mut Vec<Found>) {
    found.sort_unstable_by_key(|found| (found.detector, found.range.start));
    found.dedup_by(|next, last| {
        let same = next.detector == last.detector && next.range.start < last.range.end;
        if same {
            last.range.end = last.range.end.max(next.range.end);
        }
        same
    });
    found.sort_unstable_by_key(Found::order);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_characters_are_left_to_another_step() {
        let text = "a\u{e9}\u{20ac}\u{1f600}".as_bytes();
        assert_eq!(text.len(), 10);
        let ends: Vec<usize> = (1..=10).map(|end| whole(&text[..end], false, true).1).collect();
        assert_eq!(ends, [1, 1, 3, 3, 3, 6, 6, 6, 6, 10]);
        let starts: Vec<usize> = (0..10).map(|start| start + whole(&text[start..], true, false).0).collect();
        assert_eq!(starts, [0, 1, 3, 3, 6, 6, 6, 10, 10, 10]);
        assert_eq!(on_characters(text, 2..7), 1..10);
    }

    #[test]
    fn overlapping_findings_of_one_detector_are_one() {
        let found = |start, end, detector| Found { range: start..end, detector };
        let mut all = vec![found(5, 9, 1), found(0, 4, 0), found(2, 6, 0), found(6, 8, 0), found(2, 3, 0)];
        merge(&mut all);
        assert_eq!(all, [found(0, 6, 0), found(5, 9, 1), found(6, 8, 0)]);
    }
}
