//! The tombstone, `expired.json`: what a gate signs when the time of a recording is over and its events and video go.
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::Digest;
use crate::jws::{self, Typ, Unproved};
use crate::key::SigningKey;
use crate::seal::{MAX_REASON_BYTES, Seal};
use crate::trust::Trust;
use crate::{VERSION, canonical, is_stamp, stamp};

/// The longest `expired.json`.
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

/// Why a tombstone is none, or not one of this recording.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expired.json: {0}")]
pub struct TombstoneError(String);

impl Tombstone {
    /// The bytes of `expired.json`: a flattened JWS in canonical JSON, and a line feed.
    ///
    /// # Errors
    /// When a member is out of its range.
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, TombstoneError> {
        if let Some(fault) = self.malformed() {
            return Err(TombstoneError(fault.to_owned()));
        }
        let payload = canonical::to_bytes(self).map_err(|error| TombstoneError(error.to_string()))?;
        let bytes = jws::sign_flattened(Typ::Tombstone, &payload, key);
        match u64::try_from(bytes.len()) {
            Ok(length) if length <= MAX_TOMBSTONE_BYTES => Ok(bytes),
            _ => Err(TombstoneError(format!("it would be longer than {MAX_TOMBSTONE_BYTES} bytes"))),
        }
    }

    /// What the bytes of an `expired.json` say, signed with a key that is trusted, of the recording with this seal.
    ///
    /// # Errors
    /// When it is forged, of another recording, or before its time.
    pub fn proved(bytes: &[u8], trust: &Trust, seal: &Seal, sealed: &[u8]) -> Result<Self, TombstoneError> {
        let fail = |error: &dyn ToString| TombstoneError(error.to_string());
        let unproved: Unproved = jws::flattened(Typ::Tombstone, bytes).map_err(|error| fail(&error))?;
        unproved.prove(trust.keys()).map_err(|error| fail(&error))?;
        // What it says of its time is said by whoever has the key, and it makes things go.
        if trust.validity(&unproved.kid).is_some_and(|validity| validity.revoked.is_some()) {
            return Err(TombstoneError(format!("the key {} is revoked", unproved.kid)));
        }
        let tombstone: Self = canonical::from_bytes(&unproved.payload).map_err(|error| fail(&error))?;
        let fault = tombstone.malformed().or_else(|| tombstone.of_another(seal, Digest::of(sealed)));
        match fault.or_else(|| tombstone.early(seal)) {
            None => Ok(tombstone),
            Some(fault) => Err(TombstoneError(fault.to_owned())),
        }
    }

    /// What is wrong with its form.
    pub(crate) fn malformed(&self) -> Option<&'static str> {
        if self.v != VERSION {
            Some("it has another version")
        } else if self.reason.len() > MAX_REASON_BYTES {
            Some("its reason is too long")
        } else if !is_stamp(&self.due) || !is_stamp(&self.at) {
            Some("due or at is not RFC 3339 in UTC with six decimals")
        } else {
            None
        }
    }

    /// What tells that it is of another recording than the one with this seal.
    pub(crate) fn of_another(&self, seal: &Seal, sealed: Digest) -> Option<&'static str> {
        (self.session != seal.session || self.seal != sealed).then_some("it is the tombstone of another recording")
    }

    /// What tells that the recording did not have to go yet.
    pub(crate) fn early(&self, seal: &Seal) -> Option<&'static str> {
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
}
