//! What crossed before: a secret in several copies is found when the last of it comes.

use std::fmt;

use zeroize::Zeroizing;

use crate::normal::is_unseen;
use crate::redact::clean;
use crate::{Cleaned, Found, Searcher};

/// Bytes of earlier texts that are kept.
pub const TAIL: usize = 4 << 10;

/// The end of what has crossed in one direction. It is wiped when it is replaced or dropped.
#[derive(Clone, Default)]
pub struct Window {
    tail: Zeroizing<String>,
}

impl Window {
    /// All that is found in a text, or in earlier texts and it together. Ranges are in the text: of what began before, the part that lies in it.
    pub fn search(&self, searcher: &Searcher, text: &str) -> Vec<Found> {
        let mut found = searcher.search(text);
        let before = self.tail.len();
        if before > 0 && !text.is_empty() {
            let together = Zeroizing::new([&*self.tail, text].concat());
            let across = searcher
                .search(&together)
                .into_iter()
                .filter(|found| found.range.end > before && found.range.start < before);
            found.extend(
                across.map(|Found { range, detector }| Found { range: 0..range.end.saturating_sub(before), detector }),
            );
            found.sort_unstable_by_key(Found::order);
            found.dedup();
        }
        found
    }

    /// Redacts a text until nothing is found in it, nor in earlier texts and it together, but within marks; none if that takes too long.
    pub fn clean(&self, searcher: &Searcher, text: &str) -> Option<Cleaned> {
        clean(text, |text| self.search(searcher, text))
    }

    /// Remembers a text that crossed, as it crossed: what was stopped is not remembered.
    pub fn remember(&mut self, text: &str) {
        // Characters that are not seen are left out of every reading: they shall not push out what is.
        let mut seen = Zeroizing::new(String::with_capacity(self.tail.len().saturating_add(text.len())));
        seen.push_str(&self.tail);
        seen.extend(text.chars().filter(|character| !is_unseen(*character)));
        let mut from = seen.len().saturating_sub(TAIL);
        while !seen.is_char_boundary(from) {
            from = from.saturating_add(1);
        }
        self.tail = Zeroizing::new(seen.get(from..).unwrap_or_default().to_owned());
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Window of {} bytes", self.tail.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Known;

    #[test]
    fn unseen_characters_push_nothing_out() {
        let searcher = Searcher::new([Known::PaymentCard.into()]).unwrap();
        let mut window = Window::default();
        window.remember("4111 1111");
        window.remember(&"\u{200b}".repeat(2 * TAIL));
        assert_eq!(window.search(&searcher, " 1111 1111").len(), 1);
        window.remember(&"x".repeat(TAIL));
        assert!(window.search(&searcher, " 1111 1111").is_empty());
    }
}
