//! Other issuers: their JWK Sets, their algorithms, and that a key of one proves nothing for another.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use portcullis_evidence::SigningKey;
use serde_json::{Value, json};

use super::super::{Issuer, JwksError, TrustedKey, Verifier};
use super::{AUDIENCE, ISSUER, NOW, claims, encode, own_key};

const OTHER: &str = "https://id.example";

/// A key of another issuer: how it signs, and its JWK.
struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
    jwk: Value,
}

fn ed25519(kid: &str) -> Signer {
    let key = SigningKey::generate(&[3; 32]);
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().to_bytes());
    Signer {
        algorithm: Algorithm::EdDSA,
        key: EncodingKey::from_ed_pem(key.to_pem().unwrap().as_bytes()).unwrap(),
        jwk: json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid}),
    }
}

fn p256(kid: &str) -> Signer {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    Signer {
        algorithm: Algorithm::ES256,
        key: EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref()),
        jwk: json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "use": "sig", "alg": "ES256"}),
    }
}

fn rsa(kid: &str) -> Signer {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = pair.public_key();
    let number = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let n = number(public.modulus().big_endian_without_leading_zero());
    let e = number(public.exponent().big_endian_without_leading_zero());
    Signer {
        algorithm: Algorithm::RS256,
        key: EncodingKey::from_rsa_pem(pem(pair.as_der().unwrap().as_ref()).as_bytes()).unwrap(),
        jwk: json!({"kty": "RSA", "n": n, "e": e, "kid": kid, "use": "sig", "alg": "RS256"}),
    }
}

/// PKCS #8 as PEM.
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

impl Signer {
    /// A token for this header and these claims, signed the way of this key whatever the header says.
    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    fn kid(&self) -> &str {
        self.jwk["kid"].as_str().unwrap()
    }
}

fn set(keys: &[&Value]) -> String {
    json!({"keys": keys}).to_string()
}

fn refusal(json: &str) -> String {
    Issuer::from_jwks(OTHER, json).expect_err(json).to_string()
}

#[test]
fn each_accepted_algorithm_verifies_and_no_key_passes_for_another() {
    let signers = [ed25519("ed"), p256("ec"), rsa("rsa")];
    let jwks: Vec<&Value> = signers.iter().map(|signer| &signer.jwk).collect();
    let verifier = Verifier::new(AUDIENCE, vec![Issuer::from_jwks(OTHER, &set(&jwks)).unwrap()]);
    let claims = claims(json!({"iss": OTHER}));
    for signer in &signers {
        for named in &signers {
            for alg in [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256] {
                let header = json!({"alg": alg, "kid": named.kid()});
                let result = verifier.verify(&signer.sign(&header, &claims), NOW).map_err(|error| error.code());
                let expected = match () {
                    () if alg != named.algorithm => Err("wrong_algorithm"),
                    () if signer.kid() != named.kid() => Err("bad_signature"),
                    () => Ok("alice".to_owned()),
                };
                assert_eq!(
                    result.map(|claims| claims.sub),
                    expected,
                    "{} as {} with {alg:?}",
                    signer.kid(),
                    named.kid()
                );
            }
        }
    }
}

#[test]
fn a_key_proves_tokens_of_its_own_issuer_alone() {
    // Both issuers call their key by the same name.
    let other = ed25519(own_key().kid());
    let own = Issuer::new(ISSUER, vec![TrustedKey::own(&own_key().verifying_key())]).unwrap();
    let verifier = Verifier::new(AUDIENCE, vec![own, Issuer::from_jwks(OTHER, &set(&[&other.jwk])).unwrap()]);
    let header = json!({"alg": "EdDSA", "kid": own_key().kid()});
    let code = |iss| verifier.verify(&other.sign(&header, &claims(json!({"iss": iss}))), NOW).map_err(|e| e.code());
    assert!(code(OTHER).is_ok());
    assert_eq!(code(ISSUER).unwrap_err(), "bad_signature");
}

#[test]
fn a_second_file_for_an_issuer_adds_keys_and_replaces_none() {
    let (rotated, usurper) = (p256("2026"), ed25519(own_key().kid()));
    let own = Issuer::new(ISSUER, vec![TrustedKey::own(&own_key().verifying_key())]).unwrap();
    let second = Issuer::from_jwks(ISSUER, &set(&[&rotated.jwk, &usurper.jwk])).unwrap();
    let verifier = Verifier::new(AUDIENCE, vec![own, second]);
    let code = |token: &str| verifier.verify(token, NOW).map_err(|error| error.code());
    assert!(code(&super::token(json!({}))).is_ok(), "the first file's key still counts");
    assert!(code(&rotated.sign(&json!({"alg": "ES256", "kid": "2026"}), &claims(json!({})))).is_ok());
    let usurped = usurper.sign(&json!({"alg": "EdDSA", "kid": own_key().kid()}), &claims(json!({})));
    assert_eq!(code(&usurped), Err("bad_signature"));
}

#[test]
fn keys_for_other_purposes_are_left_out() {
    let signer = p256("ec");
    let mut encryption = signer.jwk.clone();
    encryption["use"] = json!("enc");
    encryption["kid"] = json!("enc");
    let others = [
        encryption,
        json!({"kty": "RSA", "alg": "RS512", "n": "AQAB", "e": "AQAB", "kid": "rs512"}),
        json!({"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "kid": "p384"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "AA", "kid": "x25519"}),
        json!({"kty": "AKP", "alg": "ML-DSA-65", "pub": "AA", "kid": "pq"}),
    ];
    let mut keys: Vec<&Value> = others.iter().collect();
    assert_eq!(refusal(&set(&keys)), JwksError::NoKeys.to_string());
    keys.push(&signer.jwk);
    let issuer = Issuer::from_jwks(OTHER, &set(&keys)).unwrap();
    assert!(issuer.key("ec").is_some());
    assert!(others.iter().all(|other| issuer.key(other["kid"].as_str().unwrap()).is_none()));
}

#[test]
fn secrets_have_no_place_in_a_set() {
    let symmetric = json!({"kty": "oct", "k": "c2VjcmV0", "kid": "hs", "alg": "HS256"});
    assert!(refusal(&set(&[&symmetric])).starts_with("the key \"hs\" is a symmetric key: put the public half alone"));
    let mut private = ed25519("ed").jwk;
    private["d"] = json!("c2VjcmV0");
    let sentence = refusal(&set(&[&private]));
    assert!(sentence.starts_with("the key \"ed\" is a private key: put the public half alone"));
    assert!(!sentence.contains("c2VjcmV0"));
}

#[test]
fn sets_that_are_none_are_explained() {
    assert_eq!(refusal("{\n \"keys\": 5}"), "this is not a JWK Set: expected {\"keys\": [...]} (line 2, column 10)");
    assert_eq!(refusal("{\"keys\": []}"), "there is no key for EdDSA (Ed25519), ES256 (P-256) or RS256 in the set");
    let (mut unnamed, twice) = (ed25519("x").jwk, ed25519("x").jwk);
    unnamed["kid"] = json!("");
    assert_eq!(refusal(&set(&[&twice, &unnamed])), "key 1 of the set has no kid of 1 to 128 bytes: give it one");
    assert_eq!(refusal(&set(&[&twice, &twice])), "two keys are called \"x\": give each a kid of its own");
    let many: Vec<Value> = (0..65).map(|number| ed25519(&number.to_string()).jwk).collect();
    assert_eq!(
        refusal(&set(&many.iter().collect::<Vec<_>>())),
        "the key set has 65 keys, more than the 64 that an issuer may have",
    );
    assert_eq!(refusal(&" ".repeat(256 * 1024 + 1)), "the key set is longer than 262144 bytes");
}

#[test]
fn damaged_keys_are_refused_by_name() {
    let damaged = |mut jwk: Value, member: &str, value: &str| {
        jwk[member] = json!(value);
        refusal(&set(&[&jwk]))
    };
    let short = URL_SAFE_NO_PAD.encode([1; 31]);
    assert_eq!(damaged(ed25519("ed").jwk, "x", &short), "the key \"ed\" is damaged: x must be 32 bytes in base64url");
    assert_eq!(damaged(p256("ec").jwk, "y", "!"), "the key \"ec\" is damaged: y must be 32 bytes in base64url");
    let small = URL_SAFE_NO_PAD.encode([0xff; 128]);
    let rsa = json!({"kty": "RSA", "e": "AQAB", "kid": "rsa"});
    assert_eq!(damaged(rsa, "n", &small), "the key \"rsa\" is damaged: n must be 2048 to 8192 bits in base64url");
}
