//! Globs for the names of desktops: `*` stands for any characters, `?` for one.

use std::fmt;
use std::str::Chars;

/// Characters of a glob; more is refused.
pub(crate) const MAX_GLOB: usize = 256;

/// A glob, matched against a whole name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Glob {
    /// No `*` and no `?`.
    Exact(String),
    /// One `*`: what stands before it and what behind it.
    Around(String, String),
    /// Anything else.
    Pattern(String),
}

impl Glob {
    /// Takes any text: every character but `*` and `?` stands for itself.
    pub fn new(pattern: &str) -> Self {
        if !pattern.contains(['*', '?']) {
            return Self::Exact(pattern.to_owned());
        }
        match pattern.split_once('*') {
            Some((before, behind)) if !before.contains('?') && !behind.contains(['*', '?']) => {
                Self::Around(before.to_owned(), behind.to_owned())
            }
            _ => Self::Pattern(pattern.to_owned()),
        }
    }

    /// Whether the whole name matches.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == name,
            Self::Around(before, behind) => {
                name.strip_prefix(before.as_str()).is_some_and(|rest| rest.ends_with(behind.as_str()))
            }
            Self::Pattern(pattern) => walk(pattern, name, |_| true),
        }
    }

    /// Whether every name that the other matches is matched here too; in doubt, no.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        // The other's own star is a letter here that only a star takes, and its question mark one that only a star or a question mark does.
        walk(&self.to_string(), &other.to_string(), |letter| letter != '*')
    }

    /// A name that it matches and few others do: each star stands for this word.
    pub(crate) fn sample(&self, word: &str) -> String {
        self.to_string().replace('*', word).replace('?', "x")
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) | Self::Pattern(text) => f.write_str(text),
            Self::Around(before, behind) => write!(f, "{before}*{behind}"),
        }
    }
}

/// Works from star to star and only ever goes back to the last one: at most pattern length × name length steps. `any` says which letters
/// a question mark takes.
fn walk(pattern: &str, name: &str, any: impl Fn(char) -> bool) -> bool {
    let (mut pattern, mut rest) = (pattern.chars(), name.chars());
    // Where to go on when a character does not fit: behind the last star, one character further in the name.
    let mut retry: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        let unread = rest.clone();
        match (pattern.next(), rest.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                rest = unread;
                retry = Some((pattern.clone(), rest.clone()));
            }
            (Some('?'), Some(found)) if any(found) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            (_, _) => {
                let Some((behind_star, mut after)) = retry.take() else {
                    return false;
                };
                if after.next().is_none() {
                    return false;
                }
                (pattern, rest) = (behind_star.clone(), after.clone());
                retry = Some((behind_star, after));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(glob: &str, name: &str, expected: bool) {
        assert_eq!(Glob::new(glob).matches(name), expected, "glob {glob:?} on {name:?}");
    }

    #[test]
    fn globs_match_whole_names() {
        for (glob, name, expected) in [
            ("", "", true),
            ("", "a", false),
            ("browser", "browser", true),
            ("browser", "browsers", false),
            ("rowser", "browser", false),
            ("*", "", true),
            ("*", "anything at all", true),
            ("**", "x", true),
            ("dev-*", "dev-", true),
            ("dev-*", "dev-7", true),
            ("dev-*", "my-dev-7", false),
            ("*-dev", "my-dev", true),
            ("*-dev", "my-dev-7", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1b2b3", false),
            ("?", "", false),
            ("?", "é", true),
            ("d??", "dev", true),
            ("d??", "de", false),
            ("?*", "", false),
            ("[a-z]", "b", false),
            ("[a-z]", "[a-z]", true),
            ("Browser", "browser", false),
            ("*aab", "aaaab", true),
        ] {
            check(glob, name, expected);
        }
    }

    #[test]
    fn wider_globs_cover_narrower_ones() {
        for (wide, narrow, expected) in [
            ("*", "dev-*", true),
            ("dev-*", "dev-a-*", true),
            ("dev-*", "dev-7", true),
            ("dev-7", "dev-7", true),
            ("dev-?", "dev-?", true),
            ("*-dev", "a*-dev", true),
            ("dev-*", "*", false),
            ("dev-7", "dev-*", false),
            ("?", "*", false),
            ("dev-?", "dev-*", false),
            ("d*-x", "dev-*", false),
        ] {
            assert_eq!(Glob::new(wide).covers(&Glob::new(narrow)), expected, "{wide} over {narrow}");
        }
    }

    #[test]
    fn a_hostile_glob_does_not_take_exponential_time() {
        let glob = format!("{}b", "a*".repeat(MAX_GLOB / 2));
        check(&glob, &"a".repeat(10_000), false);
    }

    /// The definition itself, slow and plain.
    fn defined(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(('*', behind)), _) => (0..=name.len()).any(|skipped| defined(behind, &name[skipped..])),
            (Some(_), None) => false,
            (Some((wanted, behind)), Some((found, after))) => {
                (*wanted == '?' || wanted == found) && defined(behind, after)
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(glob in "[ab*?]{0,7}", name in "[abc]{0,8}") {
            let (pattern, letters): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
            prop_assert_eq!(Glob::new(&glob).matches(&name), defined(&pattern, &letters));
        }

        #[test]
        fn what_covers_matches_more(wide in "[ab*?]{0,5}", narrow in "[ab*?]{0,5}", name in "[ab*?]{0,6}") {
            let (wide, narrow) = (Glob::new(&wide), Glob::new(&narrow));
            prop_assert!(!wide.covers(&narrow) || !narrow.matches(&name) || wide.matches(&name), "{} over {} on {}", wide, narrow, name);
        }

        #[test]
        fn samples_match(glob in "[ab*?-]{0,8}", word in "[a-z]{0,4}") {
            let glob = Glob::new(&glob);
            prop_assert!(glob.matches(&glob.sample(&word)));
        }
    }
}
