//! Media types of files as policies name them: `application/pdf`, `image/*`, `*/*`.

use std::fmt;

use super::meant;
use crate::shown::Shown;

/// The top-level types that are registered (RFC 6838 and its successors), and the star for all.
const TOP: [&str; 11] =
    ["*", "application", "audio", "font", "haptics", "image", "message", "model", "multipart", "text", "video"];
/// Characters of a name on either side of the slash (RFC 6838 section 4.2).
const MAX_NAME: usize = 127;

/// A media type, or all subtypes of one, or all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MediaPattern {
    top: String,
    /// Nothing for all of them.
    sub: Option<String>,
}

impl MediaPattern {
    /// Whether a file of this type is meant; parameters behind a semicolon and upper case do not count.
    pub fn matches(&self, media_type: &str) -> bool {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let Some((top, sub)) = essence.split_once('/') else {
            return false;
        };
        (self.top == "*" || self.top.eq_ignore_ascii_case(top))
            && self.sub.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(sub))
    }

    /// Whether every type is meant.
    pub fn is_everything(&self) -> bool {
        self.top == "*"
    }

    /// Reads `application/pdf`, `image/*`, `*/*`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let unreadable =
            || format!("`{}` is not a media type; write one such as application/pdf or image/*", Shown(text));
        let (top, sub) = text.split_once('/').ok_or_else(unreadable)?;
        if !TOP.contains(&top) {
            return Err(format!("`{}` is not a kind of media; {}", Shown(top), meant(top, &TOP)));
        }
        let plain = |letter: char| {
            letter.is_ascii_lowercase()
                || letter.is_ascii_digit()
                || matches!(letter, '!' | '#' | '$' | '&' | '-' | '^' | '_' | '.' | '+')
        };
        match sub {
            "*" => Ok(Self { top: top.to_owned(), sub: None }),
            _ if top == "*" => Err(unreadable()),
            "" => Err(unreadable()),
            sub if sub.len() <= MAX_NAME && sub.chars().all(plain) => {
                Ok(Self { top: top.to_owned(), sub: Some(sub.to_owned()) })
            }
            _ => Err(unreadable()),
        }
    }
}

impl fmt::Display for MediaPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.top, self.sub.as_deref().unwrap_or("*"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_types() {
        for (pattern, media_type, expected) in [
            ("application/pdf", "application/pdf", true),
            ("application/pdf", "Application/PDF; version=1.7", true),
            ("application/pdf", "application/pdfx", false),
            ("image/*", "image/png", true),
            ("image/*", "image", false),
            ("image/*", "video/png", false),
            ("*/*", "x-odd/thing", true),
            ("*/*", "", false),
            ("image/svg+xml", "image/svg+xml", true),
        ] {
            assert_eq!(
                MediaPattern::read(pattern).unwrap().matches(media_type),
                expected,
                "{media_type} for {pattern}"
            );
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_mend() {
        for (text, part) in [
            ("pdf", "such as application/pdf"),
            ("image", "such as application/pdf"),
            ("image/", "such as application/pdf"),
            ("image/PNG", "such as application/pdf"),
            ("image/p*", "such as application/pdf"),
            ("*/png", "such as application/pdf"),
            ("images/png", "did you mean `image`?"),
        ] {
            let error = MediaPattern::read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
