//! A legal hold: signed words, beside the bundles, that a recording is kept whatever its time, or no longer for that reason.
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digest::Digest;
use crate::jws::{self, Typ};
use crate::key::SigningKey;
use crate::seal::MAX_REASON_BYTES;
use crate::trust::Trust;
use crate::{VERSION, canonical, is_stamp};

/// The longest `holds/<id>/NNNNN.jws`.
pub const MAX_HOLD_BYTES: u64 = 16 * 1024;
/// The most holds and releases of one recording: what five digits count.
pub const MAX_HOLDS: u32 = 99_999;

/// The payload of `holds/<id>/NNNNN.jws`. What counts of a recording is the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Version of the format.
    pub v: u32,
    /// The session's id.
    pub session: String,
    /// 1, 2, 3… as in the file's name.
    pub n: u32,
    /// Whether the recording is held from now on, or released.
    pub held: bool,
    /// Why, in words for a person; at most 1,024 bytes.
    pub reason: String,
    /// Who said so.
    pub by: String,
    /// When, by the wall clock.
    pub at: String,
    /// SHA-256 of the bytes of the file before it; empty in the first.
    pub prev: String,
}

/// Why the words about a hold are none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a hold: {0}")]
pub struct HoldError(String);

impl Hold {
    /// The bytes of its file: a JWS in compact serialisation.
    ///
    /// # Errors
    /// When a member is out of its range.
    pub fn sign(&self, key: &SigningKey) -> Result<Vec<u8>, HoldError> {
        if let Some(fault) = self.malformed() {
            return Err(HoldError(fault.to_owned()));
        }
        let payload = canonical::to_bytes(self).map_err(|error| HoldError(error.to_string()))?;
        let bytes = jws::sign_compact(Typ::Hold, &payload, key);
        match u64::try_from(bytes.len()) {
            Ok(length) if length <= MAX_HOLD_BYTES => Ok(bytes),
            _ => Err(HoldError(format!("it would be longer than {MAX_HOLD_BYTES} bytes"))),
        }
    }

    /// What the bytes of its file say, signed with a key that is trusted, as hold `n` of a session behind the file `prev`.
    ///
    /// INVARIANT: a release of a key that is revoked releases nothing: it is told as a hold, and another one may follow it.
    ///
    /// # Errors
    /// When they are forged, or of another place.
    pub fn proved(bytes: &[u8], trust: &Trust, session: &str, n: u32, prev: Option<&[u8]>) -> Result<Self, HoldError> {
        let fail = |error: &dyn ToString| HoldError(error.to_string());
        let unproved = jws::compact(Typ::Hold, bytes).map_err(|error| fail(&error))?;
        unproved.prove(trust.keys()).map_err(|error| fail(&error))?;
        let mut hold: Self = canonical::from_bytes(&unproved.payload).map_err(|error| fail(&error))?;
        if hold.session != session || hold.n != n || hold.prev != Self::link(prev) {
            return Err(HoldError("it is one of another place".to_owned()));
        }
        if let Some(fault) = hold.malformed() {
            return Err(HoldError(fault.to_owned()));
        }
        if !hold.held && trust.is_revoked(&unproved.kid) {
            hold.held = true;
            hold.reason =
                format!("its release ({}) was signed with the key {}, which is revoked", hold.reason, unproved.kid);
        }
        Ok(hold)
    }

    /// What `prev` is behind this file.
    #[must_use]
    pub fn link(prev: Option<&[u8]>) -> String {
        prev.map_or_else(String::new, |bytes| Digest::of(bytes).to_string())
    }

    fn malformed(&self) -> Option<&'static str> {
        if self.v != VERSION {
            Some("it has another version")
        } else if self.n == 0 || self.n > MAX_HOLDS {
            Some("there are too many")
        } else if self.reason.len() > MAX_REASON_BYTES {
            Some("its reason is too long")
        } else if !is_stamp(&self.at) {
            Some("at is not RFC 3339 in UTC with six decimals")
        } else {
            None
        }
    }
}
