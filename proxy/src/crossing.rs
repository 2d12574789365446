//! What events say of a text that crosses or is stopped: its length, its hash, the verdict; never the text.

use portcullis_evidence::Effect as Verdicted;
use portcullis_policy::{Effect, Verdict};
use sha2::{Digest, Sha256};

/// Why a text over the wire's own limit does not cross, whatever policy says.
pub(crate) const TOO_LONG: &str = "the text is over the gate's limit for one clipboard message";

/// The verdict as events write it.
pub(crate) fn verdicted(verdict: &Verdict) -> Verdicted {
    match verdict.effect {
        Effect::Permit => Verdicted::Permit,
        Effect::Deny => Verdicted::Deny,
    }
}

/// A text's length in bytes of UTF-8.
pub(crate) fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// The SHA-256 of a text, in hexadecimal: what events say of contents that they must not hold.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
