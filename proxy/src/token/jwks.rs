//! JWK Sets (RFC 7517): from an issuer's file to trusted keys, each with the one algorithm that its type implies.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

use super::error::shown;
use super::key::{Algorithm, TrustedKey};
use super::verify::MAX_KID_BYTES;

/// Bytes of a JWK Set that are read.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;
/// Keys of one issuer.
const MAX_KEYS: usize = 64;
/// Bytes of an Ed25519 key and of a P-256 coordinate.
const COORDINATE: usize = 32;
/// Bytes of an RSA modulus: 2048 to 8192 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;

/// Why a JWK Set cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JwksError {
    /// Longer than [`MAX_JWKS_BYTES`].
    #[error("the key set is longer than {MAX_JWKS_BYTES} bytes")]
    TooLong,
    /// Not JSON, or not `{"keys": [...]}`.
    #[error("this is not a JWK Set: expected {{\"keys\": [...]}} (line {line}, column {column})")]
    NotASet {
        /// Line of the fault.
        line: usize,
        /// Column of the fault.
        column: usize,
    },
    /// More keys than an issuer may have.
    #[error("the key set has {found} keys, more than the {MAX_KEYS} that an issuer may have")]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// A key without a name.
    #[error("key {index} of the set has no kid of 1 to {MAX_KID_BYTES} bytes: give it one")]
    Unnamed {
        /// Its place in the set, from 0.
        index: usize,
    },
    /// Two keys of one name.
    #[error("two keys are called {}: give each a kid of its own", shown(kid))]
    Repeated {
        /// The name.
        kid: String,
    },
    /// A private or symmetric key, which has no place in a set of public keys.
    #[error(
        "the key {} is {what}: put the public half alone into the set, and make a new key if others could read this one",
        shown(kid)
    )]
    Secret {
        /// Its name.
        kid: String,
        /// What it is.
        what: &'static str,
    },
    /// A signing key whose numbers are not what its type asks.
    #[error("the key {} is damaged: {reason}", shown(kid))]
    Damaged {
        /// Its name.
        kid: String,
        /// Which number, and what is wrong.
        reason: &'static str,
    },
    /// No key that could prove a token.
    #[error("there is no key for EdDSA (Ed25519), ES256 (P-256) or RS256 in the set")]
    NoKeys,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

/// The members of a JWK that are looked at (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    /// The private part of every kind of key pair.
    d: Option<IgnoredAny>,
    /// A symmetric key.
    k: Option<IgnoredAny>,
}

/// The trusted keys of a set: those for signatures by an accepted algorithm.
pub(super) fn parse(json: &str) -> Result<Vec<TrustedKey>, JwksError> {
    if json.len() > MAX_JWKS_BYTES {
        return Err(JwksError::TooLong);
    }
    let set: Set = serde_json::from_str(json)
        .map_err(|error| JwksError::NotASet { line: error.line(), column: error.column() })?;
    if set.keys.len() > MAX_KEYS {
        return Err(JwksError::TooMany { found: set.keys.len() });
    }
    let keys = set.keys.into_iter().enumerate().filter_map(|(index, jwk)| trusted(index, jwk).transpose());
    keys.collect()
}

fn trusted(index: usize, jwk: Jwk) -> Result<Option<TrustedKey>, JwksError> {
    let named = jwk.kid.as_deref().filter(|kid| (1..=MAX_KID_BYTES).contains(&kid.len()));
    let kid = named.ok_or(JwksError::Unnamed { index })?.to_owned();
    if jwk.k.is_some() || jwk.kty == "oct" {
        return Err(JwksError::Secret { kid, what: "a symmetric key" });
    }
    if jwk.d.is_some() {
        return Err(JwksError::Secret { kid, what: "a private key" });
    }
    let algorithm = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => Algorithm::EdDsa,
        ("EC", Some("P-256")) => Algorithm::Es256,
        ("RSA", _) => Algorithm::Rs256,
        _ => return Ok(None),
    };
    let signs = jwk.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
    let fits = jwk.alg.as_deref().is_none_or(|named| named == algorithm.name() || is_ed25519(named, algorithm));
    if !signs || !fits {
        return Ok(None);
    }
    let key = public_key(&jwk, algorithm).map_err(|reason| JwksError::Damaged { kid: kid.clone(), reason })?;
    Ok(Some(TrustedKey::new(kid, algorithm, key)))
}

/// RFC 9864 calls EdDSA over Ed25519 `Ed25519`; tokens of such a key still say `EdDSA` here.
fn is_ed25519(named: &str, algorithm: Algorithm) -> bool {
    algorithm == Algorithm::EdDsa && named == "Ed25519"
}

fn public_key(jwk: &Jwk, algorithm: Algorithm) -> Result<DecodingKey, &'static str> {
    let coordinate = |part: &Option<String>| number(part).filter(|bytes| bytes.len() == COORDINATE);
    match algorithm {
        Algorithm::EdDsa => {
            let x = coordinate(&jwk.x).ok_or("x must be 32 bytes in base64url")?;
            Ok(DecodingKey::from_ed_der(&x))
        }
        Algorithm::Es256 => {
            let x = coordinate(&jwk.x).ok_or("x must be 32 bytes in base64url")?;
            let y = coordinate(&jwk.y).ok_or("y must be 32 bytes in base64url")?;
            // SEC 1 §2.3.3: an uncompressed point.
            Ok(DecodingKey::from_ec_der(&[&[0x04], x.as_slice(), y.as_slice()].concat()))
        }
        Algorithm::Rs256 => {
            let n = number(&jwk.n).filter(|n| MODULUS.contains(&n.len()));
            let n = n.ok_or("n must be 2048 to 8192 bits in base64url")?;
            let e = number(&jwk.e).filter(|e| (1..=8).contains(&e.len())).ok_or("e must be a number in base64url")?;
            Ok(DecodingKey::from_rsa_raw_components(&n, &e))
        }
    }
}

fn number(part: &Option<String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part.as_deref()?).ok()
}
