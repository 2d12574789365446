//! How names from outside are written into reasons: shortened, and with nothing in them that a terminal or a log would obey.

use std::fmt;

/// Characters of a name that are shown before it is cut.
const SHOWN: usize = 64;

/// Displays a name from outside: at most 64 characters, control and bidirectional characters escaped.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.chars();
        for character in rest.by_ref().take(SHOWN) {
            // U+200B–U+200F, U+202A–U+202E, U+2060–U+2069: invisible or turning the direction of what follows.
            let hidden = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
            if character.is_control() || hidden {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                write!(f, "{character}")?;
            }
        }
        if rest.next().is_some() { f.write_str("…") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_stay_as_they_are() {
        assert_eq!(Shown("alice").to_string(), "alice");
        assert_eq!(Shown("Zoë Ångström").to_string(), "Zoë Ångström");
        assert_eq!(Shown("").to_string(), "");
    }

    #[test]
    fn control_and_hidden_characters_are_escaped() {
        assert_eq!(Shown("a\r\nb\u{1b}[31m").to_string(), "a\\u{d}\\u{a}b\\u{1b}[31m");
        assert_eq!(Shown("a\u{202e}b\u{200b}").to_string(), "a\\u{202e}b\\u{200b}");
    }

    #[test]
    fn long_names_are_cut_by_characters() {
        assert_eq!(Shown(&"ü".repeat(64)).to_string(), "ü".repeat(64));
        assert_eq!(Shown(&"ü".repeat(65)).to_string(), format!("{}…", "ü".repeat(64)));
    }
}
