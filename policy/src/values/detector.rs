//! What contents are searched for: detectors that are built in, and regular expressions and lists of words of the policy's own.

use std::fmt;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};

use super::{Known, Word, meant};
use crate::shown::Shown;

/// What stands before a regular expression.
const REGEX: &str = "regex:";
/// What stands before the name of a file of words.
const WORDS: &str = "words:";
/// Bytes of a file's path in the policy folder: events name it.
const MAX_PATH: usize = 128;
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
    /// A list of words.
    Words(WordFile),
}

/// A regular expression that compiles, in time linear in what it searches.
#[derive(Clone)]
pub struct Pattern(Regex);

/// A file of the policy folder with a word or phrase on each line, named by its path there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WordFile(String);

impl Detector {
    /// Reads the name of a detector, `regex:` and an expression, or `words:` and a file.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix(WORDS) {
            return WordFile::read(path).map(Self::Words);
        }
        let Some(expression) = text.strip_prefix(REGEX) else {
            return Known::from_word(text).map(Self::Known).ok_or_else(|| {
                format!(
                    "`{}` is not a detector; {}; or write regex:EXPRESSION or words:FILE",
                    Shown(text),
                    meant(text, Known::WORDS)
                )
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

impl WordFile {
    /// Reads a path below the policy folder.
    fn read(path: &str) -> Result<Self, String> {
        let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', ':']);
        match path {
            path if path.is_empty() || path.len() > MAX_PATH => {
                Err(format!("the path of a file of words has 1 to {MAX_PATH} bytes; this one has {}", path.len()))
            }
            path if !path.split('/').all(plain) || path.chars().any(char::is_control) => Err(format!(
                "`{}` is no file of the policy folder; write its path there, such as words:lists/names.txt",
                Shown(path)
            )),
            path if path.ends_with(".yaml") || path.ends_with(".yml") => {
                Err(format!("`{}` would be a policy; a file of words has another name, such as names.txt", Shown(path)))
            }
            path => Ok(Self(path.to_owned())),
        }
    }

    /// The file that an entry of `containing` names, if it names one.
    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::read(text.strip_prefix(WORDS)?).ok()
    }

    /// The path in the policy folder, with slashes.
    pub fn path(&self) -> &str {
        &self.0
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
            Self::Words(file) => write!(f, "{WORDS}{}", file.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detectors_are_known_by_name_or_written_out() {
        for text in ["payment-card", "google-key", "regex:(?i)project aurora", "words:lists/names.txt"] {
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
            ("words:", "1 to 128 bytes"),
            ("words:/etc/passwd", "no file of the policy folder"),
            ("words:../names.txt", "no file of the policy folder"),
            ("words:a//b", "no file of the policy folder"),
            ("words:a/.hidden", "no file of the policy folder"),
            ("words:users.yaml", "would be a policy"),
        ] {
            let error = Detector::read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(Detector::read(&format!("regex:{}", "a".repeat(2000))).is_err());
    }
}
