//! The end of a file's name behind its last dot: `pdf`.

use std::fmt;

use crate::shown::Shown;

/// Characters of an extension; longer ones are refused.
const MAX_EXTENSION: usize = 32;

/// A file's extension in lower case, without the dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Extension(String);

impl Extension {
    /// The letters, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a file with this extension is meant; upper case does not count.
    pub fn matches(&self, extension: &str) -> bool {
        self.0.eq_ignore_ascii_case(extension)
    }

    /// Reads `pdf`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let plain =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '_' | '+');
        match text {
            text if text.starts_with('.') => {
                Err(format!("`{}` begins with a dot; write the letters behind it", Shown(text)))
            }
            text if text.contains('.') => {
                Err(format!("`{}` has two parts; the last one is the extension", Shown(text)))
            }
            text if (1..=MAX_EXTENSION).contains(&text.len()) && text.chars().all(plain) => Ok(Self(text.to_owned())),
            _ => Err(format!("`{}` is not an extension; write one such as pdf, in small letters", Shown(text))),
        }
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_letters_behind_the_last_dot() {
        let pdf = Extension::read("pdf").unwrap();
        assert!(pdf.matches("PDF") && !pdf.matches("pdfx") && !pdf.matches(""));
        for (text, part) in [
            (".pdf", "write the letters behind it"),
            ("tar.gz", "the last one is the extension"),
            ("PDF", "in small letters"),
            ("", "such as pdf"),
            ("p*", "such as pdf"),
        ] {
            let error = Extension::read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
