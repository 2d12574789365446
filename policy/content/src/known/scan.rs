//! Reading along a text's bytes.

use super::Text;

/// The byte at a place; 0 behind the end.
pub(crate) fn at(bytes: &[u8], place: usize) -> u8 {
    bytes.get(place).copied().unwrap_or_default()
}

/// The byte before a place; 0 before the beginning.
pub(crate) fn before(bytes: &[u8], place: usize) -> u8 {
    place.checked_sub(1).map_or(0, |place| at(bytes, place))
}

/// Where the bytes of a class end that begin at a place, at most so many.
pub(crate) fn span(bytes: &[u8], from: usize, most: usize, class: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from.saturating_add(rest.iter().take(most).take_while(|byte| class(**byte)).count())
}

/// The same backwards: where the bytes of a class begin that end before a place.
pub(crate) fn span_back(bytes: &[u8], to: usize, most: usize, class: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(..to).unwrap_or_default();
    to.saturating_sub(rest.iter().rev().take(most).take_while(|byte| class(**byte)).count())
}

/// Behind a literal that stands at a place.
pub(crate) fn literal(bytes: &[u8], from: usize, literal: &str) -> Option<usize> {
    bytes.get(from..)?.starts_with(literal.as_bytes()).then(|| from.saturating_add(literal.len()))
}

/// Where the next digit stands, from a place on.
pub(crate) fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    /// Bytes that are looked at together.
    const TOGETHER: usize = 32;
    let mut place = from;
    for chunk in bytes.get(from..)?.chunks(TOGETHER) {
        if chunk.iter().fold(false, |any, byte| any | byte.is_ascii_digit()) {
            return chunk.iter().position(u8::is_ascii_digit).map(|at| place.saturating_add(at));
        }
        place = place.saturating_add(chunk.len());
    }
    None
}

/// A letter, a digit or `_`, in ASCII.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A character of the URL-safe base64.
pub(crate) fn is_base64url(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

/// How many different bytes there are.
pub(crate) fn distinct(bytes: &[u8]) -> usize {
    (0..=u8::MAX).filter(|byte| bytes.contains(byte)).count()
}

impl Text<'_> {
    /// Whether a token of this class may begin here.
    pub(crate) fn begins(&self, place: usize, class: impl Fn(u8) -> bool) -> bool {
        !class(before(self.bytes, place)) || self.joints.binary_search(&place).is_ok()
    }

    /// Whether a token of this class may end before here.
    pub(crate) fn ends(&self, place: usize, class: impl Fn(u8) -> bool) -> bool {
        !class(at(self.bytes, place)) || self.joints.binary_search(&place).is_ok()
    }

    /// Behind exactly so many bytes of a class, where a token may end.
    pub(crate) fn exactly(&self, from: usize, count: usize, class: impl Fn(u8) -> bool) -> Option<usize> {
        let end = span(self.bytes, from, count, &class);
        (end.saturating_sub(from) == count && self.ends(end, class)).then_some(end)
    }
}
