//! Trusted keys: each has one name, one algorithm and one issuer.

use std::collections::HashMap;
use std::fmt;

use jsonwebtoken::DecodingKey;
use portcullis_evidence::VerifyingKey;

use super::jwks::{self, JwksError};

/// The signature algorithms that are accepted (RFC 7518 §3.1, RFC 8037 §3.1); symmetric ones and `none` have no value here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, keys of 2048 bits and more.
    Rs256,
}

impl Algorithm {
    const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    /// The header's `alg` for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm with exactly this `alg`; the case counts (RFC 7515 §4.1.1).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    pub(super) fn of_library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}

/// A public key that is trusted to sign tokens, with its name and its one algorithm.
#[derive(Clone)]
pub struct TrustedKey {
    kid: String,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl TrustedKey {
    /// The public half of the gate's own token key, by the name that [`super::mint`] writes into headers.
    #[must_use]
    pub fn own(key: &VerifyingKey) -> Self {
        Self::new(key.kid().to_owned(), Algorithm::EdDsa, DecodingKey::from_ed_der(&key.to_bytes()))
    }

    pub(super) fn new(kid: String, algorithm: Algorithm, key: DecodingKey) -> Self {
        Self { kid, algorithm, key }
    }

    /// The key's name, which a token's header gives as `kid`.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm that it is used with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether this signature (base64url) proves the message.
    pub(super) fn proves(&self, message: &str, signature: &str) -> bool {
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.key, self.algorithm.of_library())
            .unwrap_or(false)
    }
}

impl fmt::Debug for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedKey").field("kid", &self.kid).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Somebody whose tokens are trusted, with their keys; a key of one issuer proves no token of another.
#[derive(Debug, Clone)]
pub struct Issuer {
    name: String,
    keys: HashMap<String, TrustedKey>,
}

impl Issuer {
    /// An issuer with these keys; `name` is what its tokens say as `iss`, to the letter.
    ///
    /// # Errors
    /// [`JwksError::Repeated`] when two keys have one name, [`JwksError::NoKeys`] when there are none.
    pub fn new(name: impl Into<String>, keys: Vec<TrustedKey>) -> Result<Self, JwksError> {
        let mut by_kid = HashMap::new();
        for key in keys {
            if let Some(first) = by_kid.insert(key.kid.clone(), key) {
                return Err(JwksError::Repeated { kid: first.kid });
            }
        }
        if by_kid.is_empty() {
            return Err(JwksError::NoKeys);
        }
        Ok(Self { name: name.into(), keys: by_kid })
    }

    /// An issuer with the keys of a JWK Set (RFC 7517 §5), such as an identity provider publishes.
    ///
    /// Keys for encryption and of other algorithms are left out; symmetric and private keys are refused.
    ///
    /// # Errors
    /// What is wrong with the set.
    pub fn from_jwks(name: impl Into<String>, json: &str) -> Result<Self, JwksError> {
        Self::new(name, jwks::parse(json)?)
    }

    /// What its tokens say as `iss`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes in the keys of another issuer of the same name, but for those whose names are taken.
    pub(super) fn join(&mut self, other: Self) {
        for (kid, key) in other.keys {
            self.keys.entry(kid).or_insert(key);
        }
    }

    /// The key of this name. INVARIANT: `kid` is looked up in a map and used for nothing else, never for a path or a query.
    pub(super) fn key(&self, kid: &str) -> Option<&TrustedKey> {
        self.keys.get(kid)
    }
}
