//! Keys: the names of objects, such that none can point outside of its vault.
use std::fmt;
use std::str::FromStr;

use portcullis_evidence::PathInBundle;
use thiserror::Error;

/// The longest key (what S3 permits).
pub const MAX_KEY_BYTES: usize = 1024;
/// The longest segment of a key: what file systems permit, less the prefix of a file that is being written.
const MAX_SEGMENT_BYTES: usize = 250;

/// A relative path of segments of `A-Z a-z 0-9 . _ -` with single slashes between; no segment begins with a dot.
///
/// INVARIANT: a key is never absolute, empty, or able to climb; names that begin with a dot are left to the vault itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// Why a text is not a [`Key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// No text at all.
    #[error("a key is not empty")]
    Empty,
    /// The key or one of its segments is too long.
    #[error("a key has at most {MAX_KEY_BYTES} bytes, {MAX_SEGMENT_BYTES} between slashes")]
    TooLong,
    /// A slash at the beginning or the end, or two in a row.
    #[error("a key has single slashes between its segments and none around them")]
    Slash,
    /// A segment that begins with a dot, as `.` and `..` do.
    #[error("no segment of a key begins with a dot")]
    Dot,
    /// Another character.
    #[error("a key consists of A-Z, a-z, 0-9, '.', '_', '-' and slashes")]
    Character,
}

impl Key {
    /// Reads a key.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: impl Into<String>) -> Result<Self, KeyError> {
        let text = text.into();
        check(&text)?;
        Ok(Self(text))
    }

    /// The key of a bundle's file, given where the bundle lies ([`portcullis_evidence::Manifest::prefix`]).
    ///
    /// # Errors
    /// When the prefix is not made of a key's segments.
    pub fn of(bundle: &str, path: PathInBundle) -> Result<Self, KeyError> {
        Self::new(format!("{bundle}/{path}"))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments, at least one.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The last segment.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The segments before the last, with slashes between; empty when there are none.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

fn check(text: &str) -> Result<(), KeyError> {
    if text.is_empty() {
        return Err(KeyError::Empty);
    }
    if text.len() > MAX_KEY_BYTES {
        return Err(KeyError::TooLong);
    }
    text.split('/').try_for_each(|segment| match segment.as_bytes() {
        [] => Err(KeyError::Slash),
        [b'.', ..] => Err(KeyError::Dot),
        bytes if bytes.len() > MAX_SEGMENT_BYTES => Err(KeyError::TooLong),
        bytes if bytes.iter().copied().all(permitted) => Ok(()),
        _ => Err(KeyError::Character),
    })
}

fn permitted(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::{Component, Path};

    #[test]
    fn keys() {
        for text in ["a", "sessions/2026/01/31/0198-ab/video/init-0001.mp4", "A_b-c.d/e", "-"] {
            assert_eq!(Key::new(text).unwrap().to_string(), text);
        }
        for (text, error) in [
            ("", KeyError::Empty),
            ("/a", KeyError::Slash),
            ("a/", KeyError::Slash),
            ("a//b", KeyError::Slash),
            (".", KeyError::Dot),
            ("..", KeyError::Dot),
            ("a/../b", KeyError::Dot),
            ("a/.put-1", KeyError::Dot),
            ("a\\b", KeyError::Character),
            ("a b", KeyError::Character),
            ("a\0b", KeyError::Character),
            ("ä", KeyError::Character),
            ("C:", KeyError::Character),
        ] {
            assert_eq!(Key::new(text), Err(error), "{text:?}");
        }
        assert_eq!(Key::new("a".repeat(251)), Err(KeyError::TooLong));
        assert_eq!(Key::new("a/".repeat(512) + "a"), Err(KeyError::TooLong));
    }

    proptest! {
        #[test]
        fn a_key_stays_under_its_root(text in "[a-zA-Z0-9._/\\-\\PC]{0,60}") {
            if let Ok(key) = Key::new(text.clone()) {
                prop_assert_eq!(key.as_str(), &text);
                prop_assert!(Path::new(key.as_str()).components().all(|part| matches!(part, Component::Normal(_))));
                prop_assert_eq!(Path::new(key.as_str()).components().count(), key.segments().count());
            }
        }
    }
}
