//! The derivation, `derivation.json`: what was made of a sealed bundle's video, by what and when, signed.
//!
//! A derived bundle is the original's files byte for byte, but that its video is another's of the same names: one segment for
//! one segment, one header for one header. The original's seal, chain and listing stay whole and say what was there.
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::canonical::{self, CanonicalError};
use crate::digest::{Digest, FileHash};
use crate::jws::{self, Typ};
use crate::key::SigningKey;
use crate::path::PathInBundle;
use crate::{VERSION, is_stamp};

/// The longest `derivation.json`: video of 99,999 segments at some 125 bytes each, in base64url, with room to spare.
pub(crate) const MAX_DERIVATION_BYTES: u64 = 24 * 1024 * 1024;
/// The longest of its texts, in bytes.
const MAX_TEXT_BYTES: usize = 256;

/// The payload of `derivation.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derivation {
    /// Version of the format.
    pub v: u32,
    /// The session's id.
    pub session: String,
    /// SHA-256 of the bytes of the original's `seal.json`, and so of all that its hashes reach.
    pub of: Digest,
    /// When, by the wall clock: RFC 3339, UTC, six decimals.
    pub made: String,
    /// The codec of the video: `vp9`, `av1`.
    pub codec: String,
    /// What made it, with its version.
    pub tool: String,
    /// How it was set.
    pub settings: String,
    /// How many pictures there are, as many as there were.
    pub pictures: u64,
    /// From the first picture to the end of the last, in microseconds, as it was.
    pub duration_us: u64,
    /// The video that is there: init segments, then segments, each rising.
    pub files: Vec<FileHash>,
}

/// Why a derivation cannot be signed.
#[derive(Debug, Error)]
pub enum DerivationError {
    /// A number is out of range.
    #[error("the derivation cannot be written")]
    Json(#[source] CanonicalError),
    /// Not the form that verifiers take.
    #[error("the derivation is wrong: {0}")]
    Form(&'static str),
}

impl Derivation {
    /// The bytes of `derivation.json`.
    ///
    /// # Errors
    /// When no verifier would take it.
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, DerivationError> {
        self.fault().map_or(Ok(()), |fault| Err(DerivationError::Form(fault)))?;
        let payload = canonical::to_bytes(self).map_err(DerivationError::Json)?;
        Ok(jws::sign_flattened(Typ::Derivation, &payload, key))
    }

    /// What is wrong with its form.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        if self.v != VERSION {
            return Some("it has another version");
        }
        if !is_stamp(&self.made) {
            return Some("made is not RFC 3339 in UTC with six decimals");
        }
        if [&self.codec, &self.tool, &self.settings].iter().any(|text| text.len() > MAX_TEXT_BYTES) {
            return Some("a text is too long");
        }
        let paths: Vec<PathInBundle> = self.files.iter().map(|file| file.path).collect();
        let alike = |file: &FileHash| {
            file.plain.is_some() == file.path.is_encrypted()
                && self.files.first().is_some_and(|first| first.path.is_encrypted() == file.path.is_encrypted())
        };
        if !self.files.iter().all(alike) {
            return Some("it lists what is not encrypted as if it were, or the other way");
        }
        let rising = paths.iter().zip(paths.iter().skip(1)).all(|(one, next)| one < next);
        (!paths.iter().all(|path| path.is_video()) || !rising).then_some("its files are not video in their order")
    }
}
