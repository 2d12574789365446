//! Secrets that are handed out once and kept only as their SHA-256.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng;
use rand::rngs::{SysError, SysRng};
use sha2::{Digest, Sha256};

/// Bytes of randomness in a secret.
const SECRET_BYTES: usize = 32;

/// Characters of a secret: 32 bytes in base64url without padding.
const SECRET_CHARS: usize = 43;

/// SHA-256 of a secret's text: what is stored, and what it is looked up by, so that neither a reader of
/// the database nor the time that a lookup takes gives a secret away.
pub(crate) type Hash = [u8; 32];

/// A new secret: 32 bytes of the system's randomness as 43 characters of base64url.
pub(crate) fn fresh() -> Result<String, SysError> {
    let mut bytes = [0; SECRET_BYTES];
    SysRng.try_fill_bytes(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The hash of `text` when it has the shape of a secret; anything else is no secret of ours.
pub(crate) fn hash_of(text: &str) -> Option<Hash> {
    let shaped = text.len() == SECRET_CHARS
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    shaped.then(|| Sha256::digest(text.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_secret_has_a_hash_of_its_own() {
        let (one, other) = (fresh().unwrap(), fresh().unwrap());
        assert_ne!(one, other);
        assert_ne!(hash_of(&one).unwrap(), hash_of(&other).unwrap());
        assert_eq!(hash_of(&one), hash_of(&one));
    }

    #[test]
    fn what_has_not_the_shape_of_a_secret_has_no_hash() {
        let secret = fresh().unwrap();
        for text in ["", "x", &secret[1..], &format!("{secret}A"), &secret.replacen(|_: char| true, "+", 1)] {
            assert_eq!(hash_of(text), None, "{text:?}");
        }
    }
}
