//! Tombstones: what a gate signs when files of a recording go, for its time is over (`expired.json`) or its video was encoded anew (`replaced.json`).
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::Digest;
use crate::jws::{self, Typ};
use crate::keep::KeepLock;
use crate::key::SigningKey;
use crate::path::PathInBundle;
use crate::seal::{MAX_REASON_BYTES, Seal};
use crate::trust::Trust;
use crate::{VERSION, canonical, is_stamp, stamp};

/// The longest `expired.json` or `replaced.json`.
pub const MAX_TOMBSTONE_BYTES: u64 = 16 * 1024;

/// The payload of `expired.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstone {
    /// Version of the format.
    pub v: u32,
    /// The session's id.
    pub session: String,
    /// SHA-256 of the bytes of `seal.json`.
    pub seal: Digest,
    /// Since when the recording need not have been kept any more.
    pub due: String,
    /// When it expired; not before `due`.
    pub at: String,
    /// Who let it expire: `portcullis` for the gate itself.
    pub by: String,
    /// By what rule, in words for a person; at most 1,024 bytes.
    pub reason: String,
}

/// The payload of `replaced.json`: the video was encoded anew, and what was recorded went. Events and playlist stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// Version of the format.
    pub v: u32,
    /// The session's id.
    pub session: String,
    /// SHA-256 of the bytes of `seal.json`.
    pub seal: Digest,
    /// SHA-256 of the bytes of the `derivation.json` of what stands in its place.
    pub derivation: Digest,
    /// When; not before the session's end, nor while policy locked the recording.
    pub at: String,
    /// Who did it: `portcullis` for the gate itself.
    pub by: String,
    /// By what rule, in words for a person; at most 1,024 bytes.
    pub reason: String,
}

/// Why a tombstone is none, or not one of this recording.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{path}: {reason}")]
pub struct TombstoneError {
    path: PathInBundle,
    reason: String,
}

/// What is signed when files of a sealed recording go.
pub trait Buried: Serialize + DeserializeOwned {
    /// The file that it is the payload of.
    const PATH: PathInBundle;

    /// What is wrong with its form.
    #[doc(hidden)]
    fn malformed(&self) -> Option<&'static str>;

    /// What tells that it is of another recording than the one with this seal.
    #[doc(hidden)]
    fn of_another(&self, seal: &Seal, sealed: Digest) -> Option<&'static str>;

    /// What tells that nothing had to go yet.
    #[doc(hidden)]
    fn early(&self, seal: &Seal) -> Option<&'static str>;

    /// When the files went.
    fn at(&self) -> &str;

    /// The bytes of its file: a flattened JWS in canonical JSON, and a line feed.
    ///
    /// # Errors
    /// When a member is out of its range.
    fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, TombstoneError> {
        let wrong = |reason: String| TombstoneError { path: Self::PATH, reason };
        self.malformed().map_or(Ok(()), |fault| Err(wrong(fault.to_owned())))?;
        let payload = canonical::to_bytes(self).map_err(|error| wrong(error.to_string()))?;
        let bytes = jws::sign_flattened(typ::<Self>(), &payload, key);
        match u64::try_from(bytes.len()) {
            Ok(length) if length <= MAX_TOMBSTONE_BYTES => Ok(bytes),
            _ => Err(wrong(format!("it would be longer than {MAX_TOMBSTONE_BYTES} bytes"))),
        }
    }

    /// What the bytes of its file say, signed with a key that is trusted, of the recording with this seal.
    ///
    /// # Errors
    /// When it is forged, of another recording, or before its time.
    fn proved(bytes: &[u8], trust: &Trust, seal: &Seal, sealed: &[u8]) -> Result<Self, TombstoneError> {
        let wrong = |reason: String| TombstoneError { path: Self::PATH, reason };
        let unproved = jws::flattened(typ::<Self>(), bytes).map_err(|error| wrong(error.to_string()))?;
        unproved.prove(trust.keys()).map_err(|error| wrong(error.to_string()))?;
        // What it says of its time is said by whoever has the key, and it makes things go.
        if trust.is_revoked(&unproved.kid) {
            return Err(wrong(format!("the key {} is revoked", unproved.kid)));
        }
        let said: Self = canonical::from_bytes(&unproved.payload).map_err(|error| wrong(error.to_string()))?;
        let fault = said.malformed().or_else(|| said.of_another(seal, Digest::of(sealed)));
        fault.or_else(|| said.early(seal)).map_or(Ok(()), |fault| Err(wrong(fault.to_owned())))?;
        Ok(said)
    }
}

/// What its JWS calls itself.
pub(crate) fn typ<T: Buried>() -> Typ {
    if T::PATH == PathInBundle::Replaced { Typ::Replacement } else { Typ::Tombstone }
}

impl Buried for Tombstone {
    const PATH: PathInBundle = PathInBundle::Expired;

    fn malformed(&self) -> Option<&'static str> {
        malformed(self.v, &self.reason, &[&self.due, &self.at])
    }

    fn of_another(&self, seal: &Seal, sealed: Digest) -> Option<&'static str> {
        (self.session != seal.session || self.seal != sealed).then_some(ANOTHER)
    }

    fn early(&self, seal: &Seal) -> Option<&'static str> {
        let (due, at) = (stamp::parse(&self.due), stamp::parse(&self.at));
        let kept = seal.keep.as_ref().map_or(&seal.ended, |keep| &keep.until);
        if due < stamp::parse(kept) {
            Some("the seal says that the recording is kept for longer")
        } else if at < due {
            Some("the recording expired before it was due")
        } else {
            None
        }
    }

    fn at(&self) -> &str {
        &self.at
    }
}

impl Buried for Replacement {
    const PATH: PathInBundle = PathInBundle::Replaced;

    fn malformed(&self) -> Option<&'static str> {
        malformed(self.v, &self.reason, &[&self.at])
    }

    fn of_another(&self, seal: &Seal, sealed: Digest) -> Option<&'static str> {
        (self.session != seal.session || self.seal != sealed).then_some(ANOTHER)
    }

    fn early(&self, seal: &Seal) -> Option<&'static str> {
        let locked = seal.keep.as_ref().filter(|keep| keep.lock != KeepLock::None).map(|keep| &keep.until);
        let early = stamp::parse(&self.at) < stamp::parse(locked.unwrap_or(&seal.ended));
        early.then_some("the seal says that the recording was locked, or its session had not ended")
    }

    fn at(&self) -> &str {
        &self.at
    }
}

const ANOTHER: &str = "it is the tombstone of another recording";

fn malformed(v: u32, reason: &str, times: &[&str]) -> Option<&'static str> {
    if v != VERSION {
        Some("it has another version")
    } else if reason.len() > MAX_REASON_BYTES {
        Some("its reason is too long")
    } else if !times.iter().all(|time| is_stamp(time)) {
        Some("a time in it is not RFC 3339 in UTC with six decimals")
    } else {
        None
    }
}
