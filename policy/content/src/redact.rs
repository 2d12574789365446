//! Texts without what was found in them.

use std::ops::Range;

use crate::{Found, Searcher};

/// What stands for a finding. It is ASCII, for desktops whose clipboard has no more, and of one length, which tells nothing of what stood there.
pub const MARK: &str = "[redacted]";
/// How often a text is searched again: without one finding another may show, such as a number that letters stood before.
const ROUNDS: usize = 8;

/// A text in which nothing is found any more.
pub struct Cleaned {
    /// The text with marks.
    pub text: String,
    /// What was found in the text as it was given.
    pub found: Vec<Found>,
}

impl Cleaned {
    /// How many marks stand in place of something.
    pub fn places(&self, given: &str) -> usize {
        let marks = |text: &str| text.match_indices(MARK).count();
        marks(&self.text).saturating_sub(marks(given))
    }
}

/// The text with [`MARK`] in place of each finding; findings that overlap or touch are one. Ranges that are not in the text are left out.
pub fn redact(text: &str, found: &[Found]) -> String {
    let mut ranges: Vec<&Range<usize>> = found.iter().map(|found| &found.range).collect();
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut redacted = String::with_capacity(text.len());
    let mut from = 0;
    let mut marked = false;
    for range in ranges {
        if let Some(kept) = text.get(from..range.start.max(from)) {
            if !kept.is_empty() || !marked {
                redacted.push_str(kept);
                redacted.push_str(MARK);
                marked = true;
            }
            from = from.max(range.end);
        }
    }
    redacted.push_str(text.get(from..).unwrap_or_default());
    redacted
}

impl Searcher {
    /// Redacts a text until nothing is found in it but within marks; none if that takes too long, as where an expression matches all that stands around a mark:
    /// such a text must not cross.
    pub fn clean(&self, text: &str) -> Option<Cleaned> {
        clean(text, |text| self.search(text))
    }
}

/// Redacts what is found in a text until that is nothing but within marks.
pub(crate) fn clean(text: &str, search: impl Fn(&str) -> Vec<Found>) -> Option<Cleaned> {
    let first = search(text);
    let mut redacted = redact(text, &first);
    for _ in 0..ROUNDS {
        let more = beside_marks(&redacted, search(&redacted));
        if more.is_empty() {
            return Some(Cleaned { text: redacted, found: first });
        }
        redacted = redact(&redacted, &more);
    }
    None
}

/// What was found in a text that is redacted, but for what lies within marks.
pub fn beside_marks(text: &str, mut found: Vec<Found>) -> Vec<Found> {
    let marks: Vec<usize> = text.match_indices(MARK).map(|(at, _)| at).collect();
    found.retain(|found| !within(&marks, &found.range));
    found
}

/// Whether a range lies in one of the marks that begin at these places.
fn within(marks: &[usize], range: &Range<usize>) -> bool {
    let before = marks.partition_point(|at| *at <= range.start);
    before.checked_sub(1).and_then(|at| marks.get(at)).is_some_and(|at| range.end <= at.saturating_add(MARK.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_give_way_to_marks() {
        let found = |start, end| Found { range: start..end, detector: 0 };
        assert_eq!(redact("abcdef", &[found(1, 3)]), "a[redacted]def");
        assert_eq!(redact("abcdef", &[found(3, 5), found(1, 4), found(5, 6)]), "a[redacted]");
        assert_eq!(redact("abcdef", &[found(0, 1), found(5, 6)]), "[redacted]bcde[redacted]");
        assert_eq!(redact("a\u{e9}b", &[found(1, 3), found(2, 9), found(9, 12)]), "a[redacted]");
        assert_eq!(redact("abc", &[]), "abc");
    }
}
