//! JSON Web Signatures (RFC 7515) in one spelling each: compact for links, flattened JSON for the seal.
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::key::{SigningKey, VerifyingKey};

/// `alg` of every signature (RFC 8037 §3.1).
const ALGORITHM: &str = "EdDSA";

/// What is signed. `typ` is under the signature, so a link can never pass for a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typ {
    /// A link of the chain.
    Link,
    /// The seal.
    Seal,
    /// A list of keys.
    Keys,
    /// The tombstone of a recording whose time is over.
    Tombstone,
    /// The tombstone of video that was replaced.
    Replacement,
    /// A legal hold, or its end.
    Hold,
    /// What was made of a bundle.
    Derivation,
    /// What was read off the pictures of a bundle.
    Reading,
}

/// A signature in its form, taken apart. INVARIANT: the payload is not believed before [`Unproved::prove`] said yes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unproved {
    /// The payload's bytes.
    pub payload: Vec<u8>,
    /// Name of the key that it claims.
    pub kid: String,
    message: String,
    signature: [u8; 64],
}

/// Why a signature was not accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwsError {
    /// Not the one form that this version writes.
    #[error("{0}")]
    Malformed(&'static str),
    /// No key of this name was given.
    #[error("no key named {0} was given")]
    UnknownKey(String),
    /// The key of this name did not make this signature.
    #[error("the signature does not fit")]
    BadSignature,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Flattened {
    payload: String,
    protected: String,
    signature: String,
}

impl Typ {
    fn name(self) -> &'static str {
        match self {
            Self::Link => "portcullis-link+jws",
            Self::Seal => "portcullis-seal+jws",
            Self::Keys => "portcullis-keys+jws",
            Self::Tombstone => "portcullis-tombstone+jws",
            Self::Replacement => "portcullis-replacement+jws",
            Self::Hold => "portcullis-hold+jws",
            Self::Derivation => "portcullis-derivation+jws",
            Self::Reading => "portcullis-reading+jws",
        }
    }
}

/// `header.payload.signature` (RFC 7515 §7.1), without a line feed.
pub(crate) fn sign_compact(typ: Typ, payload: &[u8], key: &SigningKey) -> Vec<u8> {
    let (protected, payload, signature) = sign(typ, payload, key);
    format!("{protected}.{payload}.{signature}").into_bytes()
}

/// `{"payload":…,"protected":…,"signature":…}` (RFC 7515 §7.2.2) and a line feed.
pub(crate) fn sign_flattened(typ: Typ, payload: &[u8], key: &SigningKey) -> Vec<u8> {
    let (protected, payload, signature) = sign(typ, payload, key);
    // Base64url needs no escapes, so this is canonical JSON.
    format!("{{\"payload\":\"{payload}\",\"protected\":\"{protected}\",\"signature\":\"{signature}\"}}\n").into_bytes()
}

/// Takes apart what [`sign_compact`] wrote, without looking at the signature; the caller has capped the length.
pub(crate) fn compact(typ: Typ, bytes: &[u8]) -> Result<Unproved, JwsError> {
    let text = std::str::from_utf8(bytes).map_err(|_| JwsError::Malformed("not text"))?;
    let mut parts = text.split('.');
    let (Some(protected), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(JwsError::Malformed("not three parts with two dots between"));
    };
    take_apart(typ, protected, payload, signature)
}

/// Takes apart what [`sign_flattened`] wrote, without looking at the signature; the caller has capped the length.
pub(crate) fn flattened(typ: Typ, bytes: &[u8]) -> Result<Unproved, JwsError> {
    let line = bytes.strip_suffix(b"\n").ok_or(JwsError::Malformed("no line feed at the end"))?;
    let whole: Flattened =
        canonical::from_bytes(line).map_err(|_| JwsError::Malformed("not a flattened JWS in canonical JSON"))?;
    take_apart(typ, &whole.protected, &whole.payload, &whole.signature)
}

impl Unproved {
    /// Checks the signature with the keys of its name.
    pub(crate) fn prove(&self, keys: &[VerifyingKey]) -> Result<(), JwsError> {
        let mut named = keys.iter().filter(|key| key.kid() == self.kid).peekable();
        if named.peek().is_none() {
            return Err(JwsError::UnknownKey(self.kid.clone()));
        }
        if named.any(|key| key.proves(self.message.as_bytes(), &self.signature)) {
            Ok(())
        } else {
            Err(JwsError::BadSignature)
        }
    }
}

fn sign(typ: Typ, payload: &[u8], key: &SigningKey) -> (String, String, String) {
    // A kid is hexadecimal and needs no escapes: the members are in canonical order.
    let header = format!("{{\"alg\":\"{ALGORITHM}\",\"kid\":\"{}\",\"typ\":\"{}\"}}", key.kid(), typ.name());
    let (protected, payload) = (BASE64URL.encode(header), BASE64URL.encode(payload));
    let signature = key.sign(format!("{protected}.{payload}").as_bytes());
    (protected, payload, BASE64URL.encode(signature))
}

fn take_apart(typ: Typ, protected: &str, payload: &str, signature: &str) -> Result<Unproved, JwsError> {
    let header = decode(protected, "the header is not base64url")?;
    let header: Header = canonical::from_bytes(&header)
        .map_err(|_| JwsError::Malformed("the header has other members than alg, kid, typ"))?;
    if header.alg != ALGORITHM {
        return Err(JwsError::Malformed("the header's alg is not EdDSA"));
    }
    if header.typ != typ.name() {
        return Err(JwsError::Malformed("the header's typ names something else"));
    }
    let signature = decode(signature, "the signature is not base64url")?;
    Ok(Unproved {
        payload: decode(payload, "the payload is not base64url")?,
        kid: header.kid,
        message: format!("{protected}.{}", payload),
        signature: signature.try_into().map_err(|_| JwsError::Malformed("the signature does not have 64 bytes"))?,
    })
}

/// Base64url without padding and with zero trailing bits (RFC 4648 §3.5): one spelling per value.
fn decode(text: &str, fault: &'static str) -> Result<Vec<u8>, JwsError> {
    BASE64URL.decode(text).map_err(|_| JwsError::Malformed(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::generate(&[7; 32])
    }

    fn open(typ: Typ, bytes: &[u8], keys: &[VerifyingKey]) -> Result<Vec<u8>, JwsError> {
        let unproved = compact(typ, bytes)?;
        unproved.prove(keys)?;
        Ok(unproved.payload)
    }

    #[test]
    fn what_is_signed_opens() {
        let keys = [key().verifying_key()];
        assert_eq!(open(Typ::Link, &sign_compact(Typ::Link, b"{}", &key()), &keys), Ok(b"{}".to_vec()));
        let seal = flattened(Typ::Seal, &sign_flattened(Typ::Seal, b"{}", &key())).unwrap();
        assert_eq!(seal.payload, b"{}");
        assert_eq!(seal.prove(&keys), Ok(()));
    }

    #[test]
    fn a_link_is_no_seal() {
        let keys = [key().verifying_key()];
        let link = sign_compact(Typ::Link, b"{}", &key());
        assert_eq!(open(Typ::Seal, &link, &keys), Err(JwsError::Malformed("the header's typ names something else")));
    }

    #[test]
    fn another_key_is_unknown_and_a_borrowed_name_is_a_bad_signature() {
        let other = SigningKey::generate(&[8; 32]);
        let link = sign_compact(Typ::Link, b"{}", &other);
        let unknown = Err(JwsError::UnknownKey(other.kid().to_owned()));
        assert_eq!(open(Typ::Link, &link, &[key().verifying_key()]), unknown);
        let header = BASE64URL
            .encode(format!("{{\"alg\":\"EdDSA\",\"kid\":\"{}\",\"typ\":\"portcullis-link+jws\"}}", key().kid()));
        let message = format!("{header}.{}", BASE64URL.encode("{}"));
        let forged = format!("{message}.{}", BASE64URL.encode(other.sign(message.as_bytes())));
        assert_eq!(open(Typ::Link, forged.as_bytes(), &[key().verifying_key()]), Err(JwsError::BadSignature));
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let keys = [key().verifying_key()];
        let good = String::from_utf8(sign_compact(Typ::Link, b"{\"a\":1}", &key())).unwrap();
        // 64 bytes are 86 characters: the last one has four bits that must be zero. One up sets the lowest of them.
        let last = good.chars().last().unwrap();
        let next = char::from(u8::try_from(last).unwrap() + 1);
        let trailing = format!("{}{next}", &good[..good.len() - 1]);
        for bad in [format!("{good}\n"), format!("{good}=="), format!("{good}."), format!(" {good}"), trailing] {
            assert!(matches!(open(Typ::Link, bad.as_bytes(), &keys), Err(JwsError::Malformed(_))), "{bad}");
        }
        let none = BASE64URL
            .encode(format!("{{\"alg\":\"none\",\"kid\":\"{}\",\"typ\":\"portcullis-link+jws\"}}", key().kid()));
        let bare = format!("{none}.{}.", BASE64URL.encode("{}"));
        assert_eq!(open(Typ::Link, bare.as_bytes(), &keys), Err(JwsError::Malformed("the header's alg is not EdDSA")));
    }

    #[test]
    fn every_flipped_bit_of_a_link_is_noticed() {
        let keys = [key().verifying_key()];
        let good = sign_compact(Typ::Link, b"{\"a\":1}", &key());
        for i in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[i] ^= 1 << bit;
                assert!(open(Typ::Link, &bad, &keys).is_err(), "byte {i}, bit {bit}");
            }
        }
    }
}
