//! What contents are searched for: detectors that are built in, and regular expressions of the policy's own.

use std::fmt;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};

use super::{Known, Word, meant};
use crate::shown::Shown;

/// What stands before a regular expression.
const REGEX: &str = "regex:";
/// Bytes of a regular expression; more is refused.
const MAX_PATTERN: usize = 1024;
/// Bytes that a compiled regular expression may take: one that repeats too much is refused.
const MAX_COMPILED: usize = 1 << 20;

/// Something to search contents for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detector {
    /// A detector that is built in.
    Known(Known),
    /// A regular expression.
    Pattern(Pattern),
}

/// A regular expression that compiles, in time linear in what it searches.
#[derive(Clone)]
pub struct Pattern(Regex);

impl Detector {
    /// Reads the name of a detector, or `regex:` and an expression.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let Some(expression) = text.strip_prefix(REGEX) else {
            return Known::from_word(text).map(Self::Known).ok_or_else(|| {
                format!("`{}` is not a detector; {}; or write regex:EXPRESSION", Shown(text), meant(text, Known::WORDS))
            });
        };
        if expression.is_empty() || expression.len() > MAX_PATTERN {
            return Err(format!(
                "a regular expression has 1 to {MAX_PATTERN} bytes; this one has {}",
                expression.len()
            ));
        }
        let compiled = RegexBuilder::new(expression).size_limit(MAX_COMPILED).build();
        let regex =
            compiled.map_err(|error| format!("this regular expression does not compile: {}", last_line(&error)))?;
        if regex.is_match("") {
            return Err(
                "this regular expression matches where nothing is; let it name at least one character".to_owned()
            );
        }
        Ok(Self::Pattern(Pattern(regex)))
    }
}

/// The library's error in one line: what stands above it repeats the expression and points into it.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default().trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

impl FromStr for Detector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::read(text)
    }
}

impl Pattern {
    /// The expression, ready to search.
    pub fn regex(&self) -> &Regex {
        &self.0
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.as_str())
    }
}

impl fmt::Display for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(known) => known.fmt(f),
            Self::Pattern(pattern) => write!(f, "{REGEX}{}", pattern.0.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detectors_are_known_by_name_or_written_out() {
        for text in ["payment-card", "google-key", "regex:(?i)project aurora"] {
            assert_eq!(Detector::read(text).unwrap().to_string(), text);
        }
        assert_eq!(Detector::read("regex:a+"), Detector::read("regex:a+"));
        assert_ne!(Detector::read("regex:a+"), Detector::read("regex:a"));
    }

    #[test]
    fn other_texts_are_refused_with_the_mend() {
        for (text, part) in [
            ("private_key", "did you mean `private-key`?"),
            ("secrets", "known here: payment-card, iban"),
            ("regex:", "1 to 1024 bytes"),
            ("regex:(", "does not compile: unclosed group"),
            ("regex:(?=a)b", "does not compile: look-around"),
            ("regex:(a{1000}){1000}", "does not compile: "),
            ("regex:a*", "matches where nothing is"),
        ] {
            let error = Detector::read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(Detector::read(&format!("regex:{}", "a".repeat(2000))).is_err());
    }
}
