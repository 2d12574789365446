//! Bytes that are UTF-16, in either order, as a text.

use crate::view::View;

/// Pairs of bytes of the shortest text.
const SHORTEST: usize = 6;

/// What the bytes say as UTF-16, if every other one of at least half of their pairs is zero, as in texts that are mostly ASCII.
///
/// Of ASCII alone it is enough to leave the zeros out; this is for what looks like ASCII and is not.
pub(crate) fn wide(bytes: &[u8]) -> Option<View<'static>> {
    let both = bytes.as_chunks::<2>().0;
    let pairs = both.len();
    let first: usize = both.iter().map(|[first, _]| usize::from(*first == 0)).sum();
    let second: usize = both.iter().map(|[_, second]| usize::from(*second == 0)).sum();
    let little = second >= first;
    if pairs < SHORTEST || first.max(second).saturating_mul(2) < pairs {
        return None;
    }
    let units = both.iter().map(|pair| if little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) });
    let mut view = View::default();
    let mut at = 0_usize;
    for character in char::decode_utf16(units) {
        let length = character.as_ref().map_or(2, |character| character.len_utf16().saturating_mul(2));
        let end = at.saturating_add(length);
        // INVARIANT: the text has no zeros, so it is never taken for UTF-16 again.
        if let Some(character) = character.ok().filter(|character| *character != '\0') {
            view.push(character.encode_utf8(&mut [0; 4]), at..end);
        }
        at = end;
    }
    Some(view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_read() {
        let text = "secret k\u{435}y \u{1f600}";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let view = wide(&little).unwrap();
        assert_eq!(view.text(), text);
        assert_eq!((view.origin(0..1), view.origin(8..10), view.origin(12..16)), (0..2, 16..18, 22..26));
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(wide(&big).unwrap().text(), text);
        assert!(wide(text.as_bytes()).is_none());
        assert!(wide(b"s\0h\0").is_none());
    }
}
