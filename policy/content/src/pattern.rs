//! Regular expressions of the policy's own, in time linear in what they search.

use std::fmt;
use std::ops::Range;

use regex::{Regex, RegexBuilder};

use crate::Refused;

/// Bytes of a regular expression; more is refused.
pub const MAX_PATTERN: usize = 1024;
/// Bytes that a compiled regular expression may take.
const MAX_COMPILED: usize = 1 << 20;
/// Matches of one expression in one step of a search. Each may cost a look over all that follows, so behind the last of them the rest counts as found.
pub const MAX_MATCHES: usize = 512;

/// A regular expression that compiles and matches at least one character.
#[derive(Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles an expression in the syntax of the `regex` crate. Errors: its length, its syntax, its compiled size, or that it matches nothing at all.
    pub fn read(expression: &str) -> Result<Self, Refused> {
        if expression.is_empty() || expression.len() > MAX_PATTERN {
            return Err(Refused::PatternLength(expression.len()));
        }
        let compiled = RegexBuilder::new(expression).size_limit(MAX_COMPILED).build();
        Self::compiled(compiled.map_err(|error| Refused::Pattern(Box::new(error)))?)
    }

    /// Takes an expression that was compiled, and bounded, elsewhere.
    pub fn compiled(regex: Regex) -> Result<Self, Refused> {
        if regex.is_match("") { Err(Refused::PatternOfNothing) } else { Ok(Self(regex)) }
    }

    /// Where it matches.
    pub(crate) fn find(&self, text: &str, mut push: impl FnMut(Range<usize>)) {
        let mut matches = self.0.find_iter(text);
        for found in matches.by_ref().take(MAX_MATCHES) {
            // An expression such as `\b` matches no empty text and no character of another.
            if !found.is_empty() {
                push(found.range());
            }
        }
        if let Some(next) = matches.next() {
            push(next.start()..text.len());
        }
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unbounded_is_refused() {
        assert!(matches!(Pattern::read(""), Err(Refused::PatternLength(0))));
        assert!(matches!(Pattern::read(&"a".repeat(1025)), Err(Refused::PatternLength(1025))));
        assert!(matches!(Pattern::read("(a{1000}){1000}"), Err(Refused::Pattern(_))));
        assert!(matches!(Pattern::read("(?=a)b"), Err(Refused::Pattern(_))));
        assert!(matches!(Pattern::read("a*"), Err(Refused::PatternOfNothing)));
    }

    #[test]
    fn too_many_matches_are_one_to_the_end() {
        let pattern = Pattern::read("a").unwrap();
        let text = "ab".repeat(MAX_MATCHES + 9);
        let mut found = Vec::new();
        pattern.find(&text, |range| found.push(range));
        assert_eq!(found.len(), MAX_MATCHES + 1);
        assert_eq!(found.last(), Some(&(2 * MAX_MATCHES..text.len())));
    }
}
