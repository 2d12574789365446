//! Ed25519 keys: one signs the chain and the seal, its public half proves them.
use std::fmt;

use ed25519_dalek::Signer as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _, KeypairBytes,
};
use thiserror::Error;

use crate::digest::Digest;

/// The longest PEM text that is looked at.
const MAX_PEM_BYTES: usize = 8 * 1024;

/// The private key of a gate (Ed25519, RFC 8032). Its `Debug` shows the `kid` alone; it is wiped from memory when dropped.
#[derive(Clone)]
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
    kid: String,
}

/// The public key that proves a gate's bundles.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    key: ed25519_dalek::VerifyingKey,
    kid: String,
}

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Not PKCS #8 PEM of an Ed25519 private key.
    #[error("not an Ed25519 private key: expected PKCS #8 PEM (BEGIN PRIVATE KEY)")]
    NotPrivate,
    /// Not SubjectPublicKeyInfo PEM of an Ed25519 public key.
    #[error("not an Ed25519 public key: expected PEM (BEGIN PUBLIC KEY)")]
    NotPublic,
    /// A public key of small order, for which anybody can make signatures.
    #[error("a weak Ed25519 public key: anybody could sign for it")]
    Weak,
    /// The key could not be written as PEM.
    #[error("the key cannot be written as PEM")]
    Encoding,
}

impl SigningKey {
    /// The key whose secret is `seed`: 32 bytes from a cryptographic random source (this package has none of its own).
    #[must_use]
    pub fn generate(seed: &[u8; 32]) -> Self {
        Self::of(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Reads PKCS #8 PEM (RFC 8410 §7), as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// [`KeyError::NotPrivate`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        if pem.len() > MAX_PEM_BYTES {
            return Err(KeyError::NotPrivate);
        }
        ed25519_dalek::SigningKey::from_pkcs8_pem(pem).map(Self::of).map_err(|_| KeyError::NotPrivate)
    }

    /// The key as PKCS #8 PEM, version 1 (without the public half), which every reader knows. To be stored with mode 0600.
    ///
    /// # Errors
    /// [`KeyError::Encoding`].
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let bytes = KeypairBytes { secret_key: self.key.to_bytes(), public_key: None };
        let pem = bytes.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::Encoding)?;
        Ok(pem.as_str().to_owned())
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey { key: self.key.verifying_key(), kid: self.kid.clone() }
    }

    /// The key's name: [`VerifyingKey::kid`].
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    fn of(key: ed25519_dalek::SigningKey) -> Self {
        let kid = kid(&key.verifying_key());
        Self { key, kid }
    }
}

impl VerifyingKey {
    /// Reads SubjectPublicKeyInfo PEM (RFC 8410 §4), as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// [`KeyError::NotPublic`], [`KeyError::Weak`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        if pem.len() > MAX_PEM_BYTES {
            return Err(KeyError::NotPublic);
        }
        let key = ed25519_dalek::VerifyingKey::from_public_key_pem(pem).map_err(|_| KeyError::NotPublic)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self { kid: kid(&key), key })
    }

    /// The key of these 32 bytes (RFC 8032 §5.1.5), as a JWK's `x` holds them.
    ///
    /// # Errors
    /// [`KeyError::NotPublic`], [`KeyError::Weak`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotPublic)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self { kid: kid(&key), key })
    }

    /// The key as SubjectPublicKeyInfo PEM.
    ///
    /// # Errors
    /// [`KeyError::Encoding`].
    pub fn to_pem(&self) -> Result<String, KeyError> {
        self.key.to_public_key_pem(LineEnding::LF).map_err(|_| KeyError::Encoding)
    }

    /// The key's name: the first 8 bytes of the SHA-256 of its 32 bytes, as 16 lower-case hexadecimal digits.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The 32 bytes of the key (RFC 8032 §5.1.5), for a JWK's `x`.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// Strict verification: canonical S, no small-order points (RFC 8032 §5.1.7 and more).
    pub(crate) fn proves(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.key.verify_strict(message, &signature).is_ok()
    }
}

fn kid(key: &ed25519_dalek::VerifyingKey) -> String {
    Digest::of(key.as_bytes()).to_string().chars().take(16).collect()
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}
