//! Lists of keys: which keys a gate signs with, from when until when, and which of them were revoked.
use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::canonical::{self, CanonicalError};
use crate::jws::{self, JwsError, Typ};
use crate::key::{KeyError, SigningKey, VerifyingKey};
use crate::{VERSION, is_stamp};

/// The longest list, as a file.
pub const MAX_KEY_LIST_BYTES: usize = 512 * 1024;
/// The most keys of one list.
pub const MAX_KEYS: usize = 1000;

/// The keys of one gate, or of several. A JWK Set (RFC 7517) with members of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyList {
    /// Version of the format.
    pub v: u32,
    /// When this list was made, by the wall clock of whoever made it.
    pub issued: String,
    /// At most [`MAX_KEYS`], each once.
    pub keys: Vec<ListedKey>,
}

/// A key of a list: a JWK of an Ed25519 key (RFC 8037 §2) and its validity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedKey {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// The 32 bytes of the public key in base64url.
    pub x: String,
    /// The key's name, [`VerifyingKey::kid`].
    pub kid: String,
    /// When it came into use: no session that names it began before.
    pub from: String,
    /// When it went out of use: nothing of a later time bears it. Empty while it is in use.
    pub until: String,
    /// From when on others may have had it. Empty when it was not revoked.
    pub revoked: String,
    /// Why it was revoked, in words for a person; empty when it was not.
    pub reason: String,
}

/// Why bytes are not a list of keys that can be used.
#[derive(Debug, Error)]
pub enum KeyListError {
    /// Longer than [`MAX_KEY_LIST_BYTES`].
    #[error("a list of keys takes at most {MAX_KEY_LIST_BYTES} bytes")]
    TooLong,
    /// Not canonical JSON, or not the members of a list.
    #[error("not a list of keys in canonical JSON")]
    Json(#[source] CanonicalError),
    /// Another version, or a member out of its range.
    #[error("{0}")]
    Malformed(&'static str),
    /// A key that is none.
    #[error("the key {0} is not what it is called")]
    Key(String, #[source] KeyError),
    /// The list is signed, and no root was given to check that with.
    #[error("the list is signed: the root's public key is needed to check it")]
    Signed,
    /// The list is not signed by the root.
    #[error("the list is not signed by the root: {0}")]
    Unsigned(String),
}

impl ListedKey {
    /// A key that is in use from `from` on, as [`crate::stamp`] writes it.
    #[must_use]
    pub fn of(key: &VerifyingKey, from: &str) -> Self {
        Self {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: BASE64URL.encode(key.to_bytes()),
            kid: key.kid().to_owned(),
            from: from.to_owned(),
            until: String::new(),
            revoked: String::new(),
            reason: String::new(),
        }
    }

    /// The key itself.
    ///
    /// # Errors
    /// [`KeyListError::Key`], [`KeyListError::Malformed`].
    pub fn key(&self) -> Result<VerifyingKey, KeyListError> {
        let named = |error| KeyListError::Key(self.kid.clone(), error);
        let bytes = BASE64URL.decode(&self.x).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let key = VerifyingKey::from_bytes(&bytes.ok_or(named(KeyError::NotPublic))?).map_err(named)?;
        if key.kid() != self.kid {
            return Err(named(KeyError::NotPublic));
        }
        Ok(key)
    }
}

impl KeyList {
    /// The list as a file that is to be pinned: canonical JSON and a line feed.
    ///
    /// # Errors
    /// When a member is out of its range.
    pub fn to_bytes(&self) -> Result<Vec<u8>, KeyListError> {
        self.check()?;
        let mut bytes = canonical::to_bytes(self).map_err(KeyListError::Json)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The list as a file that `root` vouches for: a flattened JWS.
    ///
    /// # Errors
    /// When a member is out of its range.
    pub fn sign(&self, root: &SigningKey) -> Result<Vec<u8>, KeyListError> {
        let bytes = self.to_bytes()?;
        Ok(jws::sign_flattened(Typ::Keys, bytes.strip_suffix(b"\n").unwrap_or(&bytes), root))
    }

    /// The list whose file this is: with `roots` one that they signed, without them one that is believed for where it comes from.
    ///
    /// # Errors
    /// What is wrong with it; nothing of it is believed then.
    pub fn from_bytes(bytes: &[u8], roots: &[VerifyingKey]) -> Result<Self, KeyListError> {
        if bytes.len() > MAX_KEY_LIST_BYTES {
            return Err(KeyListError::TooLong);
        }
        let signed = jws::flattened(Typ::Keys, bytes);
        let list: Self = match signed {
            Ok(_) if roots.is_empty() => return Err(KeyListError::Signed),
            Ok(unproved) => {
                unproved.prove(roots).map_err(|error| KeyListError::Unsigned(error.to_string()))?;
                canonical::from_bytes(&unproved.payload).map_err(KeyListError::Json)?
            }
            Err(JwsError::Malformed(reason)) if !roots.is_empty() => {
                return Err(KeyListError::Unsigned(reason.to_owned()));
            }
            Err(_) => {
                let json = bytes.strip_suffix(b"\n").ok_or(KeyListError::Malformed("no line feed at the end"))?;
                canonical::from_bytes(json).map_err(KeyListError::Json)?
            }
        };
        list.check()?;
        Ok(list)
    }

    fn check(&self) -> Result<(), KeyListError> {
        if self.v != VERSION {
            return Err(KeyListError::Malformed("the list has another version"));
        }
        if self.keys.len() > MAX_KEYS {
            return Err(KeyListError::Malformed("the list has too many keys"));
        }
        let mut names = HashSet::new();
        let time = |text: &str| text.is_empty() || is_stamp(text);
        for listed in &self.keys {
            if listed.kty != "OKP" || listed.crv != "Ed25519" {
                return Err(KeyListError::Malformed("a key is of another kind than OKP, Ed25519"));
            }
            if !is_stamp(&listed.from) || !time(&listed.until) || !time(&listed.revoked) {
                return Err(KeyListError::Malformed("a key's time is not RFC 3339 in UTC with six decimals"));
            }
            listed.key()?;
            if !names.insert(&listed.kid) {
                return Err(KeyListError::Malformed("a key is listed twice"));
            }
        }
        if !is_stamp(&self.issued) {
            return Err(KeyListError::Malformed("issued is not RFC 3339 in UTC with six decimals"));
        }
        Ok(())
    }
}
