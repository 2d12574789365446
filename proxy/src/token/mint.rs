//! Signing tokens with the gate's own key: for trying out, and for control planes without a signer of their own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header};
use portcullis_evidence::SigningKey;
use thiserror::Error;

use super::claims::Claims;
use super::error::TokenError;

/// Why no token was made.
#[derive(Debug, Error)]
pub enum MintError {
    /// A claim that every verifier would refuse.
    #[error("no verifier would accept this token")]
    Claims(#[from] TokenError),
    /// The key cannot sign.
    #[error("the token key cannot sign")]
    Key,
}

/// A token of these claims, signed with EdDSA; its `kid` is the key's.
///
/// # Errors
/// [`MintError::Claims`] for claims over the sizes of [`Claims`].
pub fn mint(key: &SigningKey, claims: &Claims) -> Result<String, MintError> {
    claims.check()?;
    let mut header = Header::new(jsonwebtoken::Algorithm::EdDSA);
    header.kid = Some(key.kid().to_owned());
    let pem = key.to_pem().map_err(|_| MintError::Key)?;
    let key = EncodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| MintError::Key)?;
    jsonwebtoken::encode(&header, claims, &key).map_err(|_| MintError::Key)
}

/// A `jti`: 128 random bits as 22 characters of base64url.
#[must_use]
pub fn random_id() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}
