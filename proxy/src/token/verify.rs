//! From a text to claims that are believed: one key, its one algorithm, its signature, then the claims.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::claims::{Claims, RawClaims};
use super::error::{TokenError, shown};
use super::key::{Algorithm, Issuer};
use super::revocation::Revocations;

/// Bytes of a token that are read.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// How far the issuer's clock may be off, in seconds.
pub const LEEWAY_SECONDS: i64 = 30;
/// Bytes of a `kid`.
pub(super) const MAX_KID_BYTES: usize = 128;

/// Verifies tokens for one audience against the keys of trusted issuers. Cheap to share behind an `Arc`; holds no clock.
#[derive(Debug)]
pub struct Verifier {
    audience: String,
    issuers: HashMap<String, Issuer>,
    revocations: Arc<Revocations>,
}

/// The members of a header that are looked at (RFC 7515 §4.1). Keys and addresses in it (`jwk`, `jku`, `x5u`, …) are not among them.
#[derive(Deserialize)]
struct Header {
    alg: Option<String>,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
}

impl Verifier {
    /// A verifier for tokens that name `audience`, from these issuers. Of two with one name all keys count; of two keys with one
    /// name in them the first does, so that a later file cannot replace the gate's own key.
    #[must_use]
    pub fn new(audience: impl Into<String>, issuers: Vec<Issuer>) -> Self {
        let mut by_name: HashMap<String, Issuer> = HashMap::new();
        for issuer in issuers {
            match by_name.entry(issuer.name().to_owned()) {
                Entry::Occupied(mut known) => known.get_mut().join(issuer),
                Entry::Vacant(new) => {
                    new.insert(issuer);
                }
            }
        }
        Self { audience: audience.into(), issuers: by_name, revocations: Arc::default() }
    }

    /// What was revoked; [`Verifier::verify`] asks it for every token.
    #[must_use]
    pub fn revocations(&self) -> &Arc<Revocations> {
        &self.revocations
    }

    /// The claims of a token at the time `now`, seconds since the Unix epoch.
    ///
    /// INVARIANT: no claim is believed before the signature is proved by a key of the issuer that the token names.
    ///
    /// # Errors
    /// The first cause found, in the order of [`TokenError`]'s checks: form, algorithm, key, signature, claims, time, revocation.
    pub fn verify(&self, token: &str, now: i64) -> Result<Claims, TokenError> {
        if token.is_empty() {
            return Err(TokenError::Missing);
        }
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong { limit: MAX_TOKEN_BYTES });
        }
        let (message, signature) = token.rsplit_once('.').ok_or(malformed("it has no three parts"))?;
        let (header, payload) = message.split_once('.').ok_or(malformed("it has no three parts"))?;
        let header: Header = part(header, "its header is not a JSON object in base64url")?;
        let algorithm = algorithm(&header)?;
        let raw: RawClaims = part(payload, "its claims are not a JSON object in base64url")?;
        self.prove(&header, algorithm, raw.issuer()?, message, signature)?;
        let claims = raw.read(&self.audience)?;
        check_times(&claims, now)?;
        if self.revocations.covers(&claims, now) {
            return Err(TokenError::Revoked);
        }
        Ok(claims)
    }

    /// [`Verifier::verify`] for a token that is to open a session: it must also name a desktop.
    ///
    /// # Errors
    /// As [`Verifier::verify`], and [`TokenError::MissingClaim`] for `desktop`.
    pub fn verify_bearer(&self, token: &str, now: i64) -> Result<Claims, TokenError> {
        let claims = self.verify(token, now)?;
        claims.require_desktop()?;
        Ok(claims)
    }

    fn prove(
        &self,
        header: &Header,
        algorithm: Algorithm,
        issuer: &str,
        message: &str,
        signature: &str,
    ) -> Result<(), TokenError> {
        let kid = header.kid.as_deref().filter(|kid| !kid.is_empty()).ok_or(TokenError::MissingKeyId)?;
        let issuer = self.issuers.get(issuer).ok_or_else(|| TokenError::WrongIssuer { found: shown(issuer) })?;
        let key = issuer.key(kid).ok_or_else(|| TokenError::UnknownKey { kid: shown(kid) })?;
        if key.algorithm() != algorithm {
            return Err(TokenError::WrongAlgorithm { found: algorithm.name(), expected: key.algorithm().name() });
        }
        if !key.proves(message, signature) {
            return Err(TokenError::BadSignature);
        }
        Ok(())
    }
}

fn algorithm(header: &Header) -> Result<Algorithm, TokenError> {
    if header.crit.is_some() {
        return Err(TokenError::Critical);
    }
    if let Some(typ) = &header.typ
        && !["JWT", "at+jwt", "application/at+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known))
    {
        return Err(TokenError::WrongType { found: shown(typ) });
    }
    let named = header.alg.as_deref().ok_or(malformed("its header has no alg"))?;
    if named.eq_ignore_ascii_case("none") {
        return Err(TokenError::Unsigned);
    }
    Algorithm::from_name(named).ok_or_else(|| TokenError::UnsupportedAlgorithm { found: shown(named) })
}

fn check_times(claims: &Claims, now: i64) -> Result<(), TokenError> {
    if now >= claims.exp.saturating_add(LEEWAY_SECONDS) {
        return Err(TokenError::Expired { seconds: now.saturating_sub(claims.exp) });
    }
    if now.saturating_add(LEEWAY_SECONDS) < claims.nbf {
        return Err(TokenError::NotYetValid { seconds: claims.nbf.saturating_sub(now) });
    }
    Ok(())
}

fn malformed(reason: &'static str) -> TokenError {
    TokenError::Malformed { reason }
}

fn part<T: DeserializeOwned>(encoded: &str, reason: &'static str) -> Result<T, TokenError> {
    let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| malformed(reason))?;
    serde_json::from_slice(&json).map_err(|_| malformed(reason))
}
