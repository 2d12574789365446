//! Lines joined where a token may have been wrapped.

use crate::view::View;

const BLANKS: [char; 3] = [' ', '\t', '\r'];

/// The text without the line breaks, and the blanks around them, that stand between characters of tokens; none if there is no such place.
pub(crate) fn joined(text: &str) -> Option<View<'static>> {
    let mut view = View::default();
    let mut from = 0;
    for (at, _) in text.match_indices('\n') {
        let before = text.get(from..at).unwrap_or_default().trim_end_matches(BLANKS);
        let next = at.saturating_add(1);
        let rest = text.get(next..).unwrap_or_default();
        let behind = rest.trim_start_matches(BLANKS);
        if before.ends_with(of_token) && behind.starts_with(of_token) {
            view.push_verbatim(before, from);
            view.join();
            from = next.saturating_add(rest.len().saturating_sub(behind.len()));
        }
    }
    view.push_verbatim(text.get(from..).unwrap_or_default(), from);
    (!view.joints().is_empty()).then_some(view)
}

fn of_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_joined_and_nothing_else() {
        let view = joined("key: ab\r\n  cd\nef.\ngh\n\nij").unwrap();
        assert_eq!((view.text(), view.joints()), ("key: abcdef.\ngh\n\nij", &[7, 9][..]));
        assert_eq!(view.origin(5..9), 5..13);
        assert!(joined("a.\nb\n\nc\n").is_none());
    }
}
