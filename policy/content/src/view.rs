//! A text as it is searched, which knows where each part of it stands in what it was made from.

use std::borrow::Cow;
use std::ops::Range;

/// A text made from another one. Without spans it is that other one.
#[derive(Default)]
pub(crate) struct View<'a> {
    text: Cow<'a, str>,
    spans: Vec<Span>,
    /// Where line breaks were left out, rising.
    joints: Vec<usize>,
}

/// A part of the text and what it was made from.
struct Span {
    at: usize,
    from: Range<usize>,
    /// Each byte is its counterpart; else the part stands for all of `from`.
    verbatim: bool,
}

impl<'a> View<'a> {
    /// The text itself.
    pub(crate) fn of(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text), ..Self::default() }
    }

    /// The text to search.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where line breaks were left out.
    pub(crate) fn joints(&self) -> &[usize] {
        &self.joints
    }

    /// Appends a text that stands for all of `from`.
    pub(crate) fn push(&mut self, text: &str, from: Range<usize>) {
        if !text.is_empty() {
            self.spans.push(Span { at: self.text.len(), from, verbatim: false });
            self.text.to_mut().push_str(text);
        }
    }

    /// Appends a text that is what stands at `from`, byte for byte.
    pub(crate) fn push_verbatim(&mut self, text: &str, from: usize) {
        let to = from.saturating_add(text.len());
        match self.spans.last_mut() {
            Some(last) if last.verbatim && last.from.end == from => last.from.end = to,
            _ if text.is_empty() => return,
            _ => self.spans.push(Span { at: self.text.len(), from: from..to, verbatim: true }),
        }
        self.text.to_mut().push_str(text);
    }

    /// Notes that a line break was left out here.
    pub(crate) fn join(&mut self) {
        self.joints.push(self.text.len());
    }

    /// What a range of the text was made from. The range is not empty.
    pub(crate) fn origin(&self, range: Range<usize>) -> Range<usize> {
        if self.spans.is_empty() {
            return range;
        }
        let start = self.span(range.start).map_or(0, |span| {
            let into = if span.verbatim { range.start.saturating_sub(span.at) } else { 0 };
            span.from.start.saturating_add(into)
        });
        let end = self.span(range.end.saturating_sub(1)).map_or(start, |span| {
            let into = range.end.saturating_sub(span.at);
            if span.verbatim { span.from.start.saturating_add(into) } else { span.from.end }
        });
        start..end
    }

    fn span(&self, at: usize) -> Option<&Span> {
        let behind = self.spans.partition_point(|span| span.at <= at);
        self.spans.get(behind.checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lead_back_to_where_they_came_from() {
        let mut view = View::default();
        view.push_verbatim("ab", 0);
        view.push_verbatim("cd", 2);
        view.push("e", 4..7);
        view.push("", 7..9);
        view.push_verbatim("f", 9);
        assert_eq!((view.text(), view.spans.len()), ("abcdef", 3));
        assert_eq!(view.origin(1..3), 1..3);
        assert_eq!(view.origin(3..5), 3..7);
        assert_eq!(view.origin(4..6), 4..10);
        assert_eq!(View::of("abc").origin(1..2), 1..2);
    }
}
