//! The names that files of a bundle may have: fifteen shapes and nothing else.
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// The most links, and so segments, of one bundle: what five digits count (eleven days of 10 s segments).
pub const MAX_LINKS: u32 = 99_999;
/// The most init segments of one bundle: what four digits count.
pub const MAX_INITS: u32 = 9_999;

/// What the names of encrypted files end with.
const AGE: &str = ".age";

/// The path of a file relative to its bundle's folder.
///
/// INVARIANT: there is no other way to name a file in a bundle, so a link or a listing can never point outside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathInBundle {
    /// `session.json`, the manifest.
    Session,
    /// `events/00001.jsonl`: the events of segment n (1-based).
    Events(u32),
    /// `events/00001.jsonl.age`: the same, encrypted (as [`PathInBundle::encrypted`] names it).
    AgeEvents(u32),
    /// `video/init-0001.mp4`: a CMAF header (ISO/IEC 23000-19), 1-based.
    Init(u32),
    /// `video/init-0001.mp4.age`: the same, encrypted.
    AgeInit(u32),
    /// `video/00001.m4s`: the CMAF segment n (1-based).
    Video(u32),
    /// `video/00001.m4s.age`: the same, encrypted.
    AgeVideo(u32),
    /// `chain/00001.jws`: link n (1-based).
    Link(u32),
    /// `index.m3u8`: the HLS media playlist (RFC 8216).
    Index,
    /// `SHA256SUMS`: every file but itself and the seal, for `sha256sum --check`.
    Sums,
    /// `seal.json`: the signed end.
    Seal,
    /// `seal.tsr`: what an authority said of when the seal was there (RFC 3161).
    TimeStamp,
    /// `derivation.json`: what was made of the original's video, signed; in a derived bundle alone.
    Derivation,
    /// `expired.json`: the tombstone of a recording whose time is over.
    Expired,
    /// `replaced.json`: the tombstone of video that was encoded anew, and then went.
    Replaced,
}

/// Why a text is not the path of a file in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no file of a bundle has this name")]
pub struct PathError;

impl PathInBundle {
    /// The path of this file in the bundle at `bundle`.
    #[must_use]
    pub fn under(self, bundle: &Path) -> PathBuf {
        bundle.join(self.to_string())
    }

    /// The number of the segment that this file belongs to, if it belongs to one.
    #[must_use]
    pub fn segment(self) -> Option<u32> {
        match self {
            Self::Events(n) | Self::AgeEvents(n) | Self::Video(n) | Self::AgeVideo(n) | Self::Link(n) => Some(n),
            _ => None,
        }
    }

    /// Whether the file goes when the recording's time is over: events, video and playlist do, and what proves them stays.
    #[must_use]
    pub fn expires(self) -> bool {
        matches!(self.plain(), Self::Events(_) | Self::Init(_) | Self::Video(_) | Self::Index)
    }

    /// Whether the file is video, encrypted or not: what a derivation stands in place of.
    #[must_use]
    pub fn is_video(self) -> bool {
        self.folder() == Some("video")
    }

    /// The name under which this file lies in an encrypted bundle: events and video as `….age`, all else as it is.
    #[must_use]
    pub fn encrypted(self) -> Self {
        match self {
            Self::Events(n) => Self::AgeEvents(n),
            Self::Init(n) => Self::AgeInit(n),
            Self::Video(n) => Self::AgeVideo(n),
            other => other,
        }
    }

    /// The name of what is in this file once it is decrypted; of all else its own.
    #[must_use]
    pub fn plain(self) -> Self {
        match self {
            Self::AgeEvents(n) => Self::Events(n),
            Self::AgeInit(n) => Self::Init(n),
            Self::AgeVideo(n) => Self::Video(n),
            other => other,
        }
    }

    /// Whether this names an encrypted file.
    #[must_use]
    pub fn is_encrypted(self) -> bool {
        self.plain() != self
    }

    /// The folder of the bundle that this file lies in; `None` for the bundle's own folder.
    #[must_use]
    pub fn folder(self) -> Option<&'static str> {
        match self {
            Self::Events(_) | Self::AgeEvents(_) => Some("events"),
            Self::Init(_) | Self::AgeInit(_) | Self::Video(_) | Self::AgeVideo(_) => Some("video"),
            Self::Link(_) => Some("chain"),
            Self::Session
            | Self::Index
            | Self::Sums
            | Self::Seal
            | Self::TimeStamp
            | Self::Derivation
            | Self::Expired
            | Self::Replaced => None,
        }
    }
}

impl fmt::Display for PathInBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session => f.write_str("session.json"),
            Self::Events(n) => write!(f, "events/{n:05}.jsonl"),
            Self::Init(n) => write!(f, "video/init-{n:04}.mp4"),
            Self::Video(n) => write!(f, "video/{n:05}.m4s"),
            Self::AgeEvents(_) | Self::AgeInit(_) | Self::AgeVideo(_) => write!(f, "{}{AGE}", self.plain()),
            Self::Link(n) => write!(f, "chain/{n:05}.jws"),
            Self::Index => f.write_str("index.m3u8"),
            Self::Sums => f.write_str("SHA256SUMS"),
            Self::Seal => f.write_str("seal.json"),
            Self::TimeStamp => f.write_str("seal.tsr"),
            Self::Derivation => f.write_str("derivation.json"),
            Self::Expired => f.write_str("expired.json"),
            Self::Replaced => f.write_str("replaced.json"),
        }
    }
}

impl FromStr for PathInBundle {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let path = match text {
            "session.json" => Self::Session,
            "index.m3u8" => Self::Index,
            "SHA256SUMS" => Self::Sums,
            "seal.json" => Self::Seal,
            "seal.tsr" => Self::TimeStamp,
            "derivation.json" => Self::Derivation,
            "expired.json" => Self::Expired,
            "replaced.json" => Self::Replaced,
            _ => match text.strip_suffix(AGE) {
                Some(plain) => numbered(plain).filter(|path| path.encrypted() != *path).ok_or(PathError)?.encrypted(),
                None => numbered(text).ok_or(PathError)?,
            },
        };
        Ok(path)
    }
}

fn numbered(text: &str) -> Option<PathInBundle> {
    let between = |before: &str, after: &str| text.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    if let Some(digits) = between("events/", ".jsonl") {
        Some(PathInBundle::Events(number(digits, 5)?))
    } else if let Some(digits) = between("video/init-", ".mp4") {
        Some(PathInBundle::Init(number(digits, 4)?))
    } else if let Some(digits) = between("video/", ".m4s") {
        Some(PathInBundle::Video(number(digits, 5)?))
    } else if let Some(digits) = between("chain/", ".jws") {
        Some(PathInBundle::Link(number(digits, 5)?))
    } else {
        None
    }
}

/// A number of exactly `width` ASCII digits, from 1.
fn number(digits: &str, width: usize) -> Option<u32> {
    if digits.len() != width || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|n| *n >= 1)
}

impl Serialize for PathInBundle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PathInBundle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fifteen_shapes() {
        for (path, text) in [
            (PathInBundle::Session, "session.json"),
            (PathInBundle::Events(1), "events/00001.jsonl"),
            (PathInBundle::Init(12), "video/init-0012.mp4"),
            (PathInBundle::Video(99_999), "video/99999.m4s"),
            (PathInBundle::AgeEvents(1), "events/00001.jsonl.age"),
            (PathInBundle::AgeInit(12), "video/init-0012.mp4.age"),
            (PathInBundle::AgeVideo(99_999), "video/99999.m4s.age"),
            (PathInBundle::Link(7), "chain/00007.jws"),
            (PathInBundle::Index, "index.m3u8"),
            (PathInBundle::Sums, "SHA256SUMS"),
            (PathInBundle::Seal, "seal.json"),
            (PathInBundle::TimeStamp, "seal.tsr"),
            (PathInBundle::Derivation, "derivation.json"),
            (PathInBundle::Expired, "expired.json"),
            (PathInBundle::Replaced, "replaced.json"),
        ] {
            assert_eq!(path.to_string(), text);
            assert_eq!(text.parse(), Ok(path));
        }
    }

    #[test]
    fn nothing_else_is_a_path() {
        for text in [
            "",
            "/session.json",
            "./session.json",
            "../session.json",
            "events/../session.json",
            "events/00000.jsonl",
            "events/1.jsonl",
            "events/100000.jsonl",
            "events/+0001.jsonl",
            "events/00001.jsonl\n",
            "video/init-00001.mp4",
            "video/init-0000.mp4",
            "Video/00001.m4s",
            "chain/00001.JWS",
            "chain/00001.jws.age",
            "events/00001.jsonl.age.age",
            "video/00000.m4s.age",
            "session.json.age",
        ] {
            assert_eq!(text.parse::<PathInBundle>(), Err(PathError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_prints_the_same(text in "(events/|video/|video/init-|chain/|)[0-9]{3,6}\\.(jsonl|m4s|mp4|jws)(\\.age)?|\\PC{0,20}") {
            if let Ok(path) = text.parse::<PathInBundle>() {
                prop_assert_eq!(path.to_string(), text);
            }
        }
    }
}
