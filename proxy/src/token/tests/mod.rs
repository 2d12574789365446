//! Tokens that are accepted, and every way in which one is refused (THREATS W3).

mod accepted;
mod forged;
mod issuers;
mod key_files;
mod properties;
mod revoked;
mod unfit;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_evidence::SigningKey;
use serde_json::{Value, json};

use super::{Claims, Issuer, TokenError, TrustedKey, Verifier};

const AUDIENCE: &str = "portcullis";
const ISSUER: &str = "https://gate.example";
/// The time of all tests, seconds since the Unix epoch.
const NOW: i64 = 1_800_000_000;

/// The gate's own key; the same one each time.
fn own_key() -> SigningKey {
    SigningKey::generate(&[7; 32])
}

/// A verifier that trusts [`own_key`] as [`ISSUER`].
fn verifier() -> Verifier {
    let issuer = Issuer::new(ISSUER, vec![TrustedKey::own(&own_key().verifying_key())]).unwrap();
    Verifier::new(AUDIENCE, vec![issuer])
}

/// Claims as a token carries them, all in order; `changes` replace members, or take them out where they are null.
fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "groups": ["users"], "jti": "t-1", "desktop": "terminal",
        "iat": NOW - 10, "nbf": NOW - 10, "exp": NOW + 60,
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "JWT", "kid": own_key().kid()})
}

fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

/// A token of this header and these claims, signed by the own key whatever the header says.
fn signed(header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let key = jsonwebtoken::EncodingKey::from_ed_pem(own_key().to_pem().unwrap().as_bytes()).unwrap();
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

/// A token with these changes to otherwise good claims, properly signed.
fn token(changes: Value) -> String {
    signed(&header(), &claims(changes))
}

fn verify(token: &str) -> Result<Claims, TokenError> {
    verifier().verify(token, NOW)
}

/// The token is refused with this code and this sentence.
fn refused(token: &str, code: &str, sentence: &str) {
    let error = verify(token).expect_err(sentence);
    assert_eq!((error.code(), error.to_string().as_str()), (code, sentence), "for {token}");
}
