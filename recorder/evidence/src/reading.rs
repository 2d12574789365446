//! A reading: what a gate made of the pictures of a sealed recording for whoever looks for one, and its signed statement of that.
//!
//! Readings lie beside the bundles, never in them, and prove nothing about a session: they say where to look.
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::canonical;
use crate::digest::Digest;
use crate::jws::{self, Typ};
use crate::key::SigningKey;
use crate::trust::Trust;
use crate::{VERSION, is_stamp};

/// The longest statement.
pub const MAX_READING_BYTES: u64 = 16 * 1024;
/// The longest text of a recording, all of its lines.
pub const MAX_TEXT_BYTES: u64 = 48 * 1024 * 1024;
/// The most lines of a recording.
pub const MAX_TEXT_LINES: usize = 200_000;
/// The longest small picture.
pub const MAX_THUMBNAIL_BYTES: u64 = 64 * 1024;
/// The longest line as it is written.
const MAX_LINE_BYTES: usize = 8 * 1024;
/// Characters of a line's text.
const MAX_LINE_CHARACTERS: usize = 512;
/// The longest of a statement's texts, in bytes.
const MAX_WORDS_BYTES: usize = 512;

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadingKind {
    /// The text that was on the screen: lines of JSON, each a [`ScreenLine`].
    Text,
    /// One small picture: a JPEG.
    Thumbnail,
}

/// The payload of `text.json` and of `thumbnail.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Version of the format.
    pub v: u32,
    /// The session's id.
    pub session: String,
    /// What it is.
    pub kind: ReadingKind,
    /// SHA-256 of the bytes of the recording's `seal.json`.
    pub of: Digest,
    /// When, by the wall clock: RFC 3339, UTC, six decimals.
    pub made: String,
    /// What made it, with its version.
    pub tool: String,
    /// How it was set.
    pub settings: String,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, after which it is named.
    pub sha256: Digest,
    /// Lines of text; of a picture 0.
    pub lines: u64,
    /// Pictures that were looked at.
    pub pictures: u64,
    /// Regions of pictures that were read.
    pub regions: u64,
    /// Of these, how many could not be.
    pub failed: u64,
    /// Pixels of all regions that were read.
    pub pixels: u64,
    /// Pixels of all pictures that were looked at.
    pub shown: u64,
    /// Milliseconds from the start up to which was read, where the bounds of a reading were reached before the end.
    #[serde(default, deserialize_with = "canonical::present", skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
}

/// A line of text that was on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreenLine {
    /// Since when it was there, in milliseconds from the start of the recording.
    pub from_ms: u64,
    /// Until when.
    pub until_ms: u64,
    /// Left edge, in pixels of the screen.
    pub x: u16,
    /// Upper edge.
    pub y: u16,
    /// Width.
    pub w: u16,
    /// Height.
    pub h: u16,
    /// How sure its reader was, 0 to 100.
    pub confidence: u8,
    /// What it says: 1 to 512 characters, none of them a control character.
    pub text: String,
}

/// Why a reading is none, or not one of this recording.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a reading: {0}")]
pub struct ReadingError(String);

impl ReadingKind {
    /// Its word in the index and in places.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Thumbnail => "thumbnail",
        }
    }

    /// The name of its statement: `text.json`, `thumbnail.json`.
    #[must_use]
    pub fn statement(self) -> String {
        format!("{}.json", self.name())
    }

    /// The name of the file with this hash, so that files of two attempts are two.
    #[must_use]
    pub fn file(self, sha256: &Digest) -> String {
        match self {
            Self::Text => format!("{sha256}.jsonl"),
            Self::Thumbnail => format!("{sha256}.jpg"),
        }
    }

    /// The longest that its file is.
    #[must_use]
    pub fn max_bytes(self) -> u64 {
        match self {
            Self::Text => MAX_TEXT_BYTES,
            Self::Thumbnail => MAX_THUMBNAIL_BYTES,
        }
    }
}

impl Reading {
    /// The bytes of its statement: a flattened JWS in canonical JSON, and a line feed.
    ///
    /// # Errors
    /// When a member is out of its range.
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, ReadingError> {
        self.fault().map_or(Ok(()), |fault| Err(ReadingError(fault.to_owned())))?;
        let payload = canonical::to_bytes(self).map_err(|error| ReadingError(error.to_string()))?;
        Ok(jws::sign_flattened(Typ::Reading, &payload, key))
    }

    /// What a statement says, signed with a key that is trusted, of the recording whose seal has this hash.
    ///
    /// # Errors
    /// When it is forged, or of another recording.
    pub fn proved(bytes: &[u8], trust: &Trust, kind: ReadingKind, sealed: Digest) -> Result<Self, ReadingError> {
        let fail = |error: &dyn ToString| ReadingError(error.to_string());
        let unproved = jws::flattened(Typ::Reading, bytes).map_err(|error| fail(&error))?;
        unproved.prove(trust.keys()).map_err(|error| fail(&error))?;
        if trust.validity(&unproved.kid).is_some_and(|validity| validity.revoked.is_some()) {
            return Err(ReadingError(format!("the key {} is revoked", unproved.kid)));
        }
        let reading: Self = canonical::from_bytes(&unproved.payload).map_err(|error| fail(&error))?;
        let another = reading.of != sealed || reading.kind != kind;
        let fault = reading.fault().or(another.then_some("it is of another recording"));
        fault.map_or(Ok(reading), |fault| Err(ReadingError(fault.to_owned())))
    }

    fn fault(&self) -> Option<&'static str> {
        if self.v != VERSION {
            Some("it has another version")
        } else if !is_stamp(&self.made) {
            Some("made is not RFC 3339 in UTC with six decimals")
        } else if [&self.session, &self.tool, &self.settings].iter().any(|text| text.len() > MAX_WORDS_BYTES) {
            Some("a text is too long")
        } else if self.bytes > self.kind.max_bytes() {
            Some("its file is too long")
        } else {
            None
        }
    }
}

impl ScreenLine {
    /// The line as it is written: canonical JSON and a line feed.
    ///
    /// # Errors
    /// When it is none that [`ScreenLine::from_line`] would read.
    pub fn to_line(&self) -> Result<Vec<u8>, ReadingError> {
        self.fault().map_or(Ok(()), |fault| Err(ReadingError(fault.to_owned())))?;
        let mut bytes = canonical::to_bytes(self).map_err(|error| ReadingError(error.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a line, without its line feed.
    ///
    /// # Errors
    /// When it is none that [`ScreenLine::to_line`] writes.
    pub fn from_line(bytes: &[u8]) -> Result<Self, ReadingError> {
        if bytes.len() > MAX_LINE_BYTES {
            return Err(ReadingError("a line is too long".to_owned()));
        }
        let line: Self = canonical::from_bytes(bytes).map_err(|error| ReadingError(error.to_string()))?;
        line.fault().map_or(Ok(line), |fault| Err(ReadingError(fault.to_owned())))
    }

    fn fault(&self) -> Option<&'static str> {
        let characters = self.text.chars().take(MAX_LINE_CHARACTERS.saturating_add(1)).count();
        if characters == 0 || characters > MAX_LINE_CHARACTERS || self.text.chars().any(char::is_control) {
            Some("a line's text is empty, too long, or not of characters that are shown")
        } else if self.confidence > 100 || self.until_ms < self.from_ms || self.w == 0 || self.h == 0 {
            Some("a line's numbers are none")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> ScreenLine {
        ScreenLine { from_ms: 1, until_ms: 2, x: 3, y: 4, w: 5, h: 6, confidence: 97, text: text.to_owned() }
    }

    fn trusting(key: &SigningKey) -> Trust {
        Trust::of(&[key.verifying_key()])
    }

    #[test]
    fn a_line_is_what_it_was_written_as() {
        let written = line("<b>IBAN</b> \"DE89\" é").to_line().unwrap();
        let (end, bytes) = written.split_last().unwrap();
        assert_eq!((*end, ScreenLine::from_line(bytes).unwrap().text.as_str()), (b'\n', "<b>IBAN</b> \"DE89\" é"));
        for wrong in ["", "a\nb", "\u{1b}[2J", &"x".repeat(513)] {
            assert!(line(wrong).to_line().is_err(), "{wrong:?}");
        }
        assert!(ScreenLine { until_ms: 0, ..line("x") }.to_line().is_err());
        assert!(ScreenLine::from_line(br#"{"text":"x"}"#).is_err());
    }

    #[test]
    fn a_statement_is_of_one_recording_and_one_key() {
        let (key, other) = (SigningKey::generate(&[1; 32]), SigningKey::generate(&[2; 32]));
        let reading = Reading {
            v: VERSION,
            session: "s".to_owned(),
            kind: ReadingKind::Text,
            of: Digest::of(b"seal"),
            made: "2026-01-31T23:59:59.000000Z".to_owned(),
            tool: "t".to_owned(),
            settings: "s".to_owned(),
            bytes: 0,
            sha256: Digest::of(b""),
            lines: 0,
            pictures: 1,
            regions: 1,
            failed: 0,
            pixels: 1,
            shown: 1,
            until_ms: None,
        };
        let bytes = reading.sign(&key).unwrap();
        let proved = |trust: &Trust, kind, sealed| Reading::proved(&bytes, trust, kind, sealed);
        assert_eq!(proved(&trusting(&key), ReadingKind::Text, Digest::of(b"seal")).unwrap(), reading);
        assert!(proved(&trusting(&other), ReadingKind::Text, Digest::of(b"seal")).is_err());
        assert!(proved(&trusting(&key), ReadingKind::Text, Digest::of(b"another")).is_err());
        assert!(proved(&trusting(&key), ReadingKind::Thumbnail, Digest::of(b"seal")).is_err());
        assert!(Reading { bytes: MAX_TEXT_BYTES + 1, ..reading }.sign(&key).is_err());
    }
}
