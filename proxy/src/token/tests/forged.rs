//! Tokens that nobody trusted has signed: no algorithm, another algorithm, another key, another message.

use jsonwebtoken::EncodingKey;
use portcullis_evidence::SigningKey;
use serde_json::{Value, json};

use super::super::mint;
use super::{claims, encode, header, own_key, refused, signed, token, verify};

fn with_header(changes: Value) -> String {
    let mut header = header();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => header.as_object_mut().unwrap().remove(name),
            value => header.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    signed(&header, &claims(json!({})))
}

#[test]
fn unsigned_tokens() {
    for alg in ["none", "None", "NONE", "nOnE"] {
        let message =
            format!("{}.{}", encode(&json!({"alg": alg, "kid": own_key().kid()})), encode(&claims(json!({}))));
        let sentence = "the token is not signed: its header says alg none";
        refused(&format!("{message}."), "unsigned", sentence);
        refused(&with_header(json!({"alg": alg})), "unsigned", sentence);
    }
    let stripped = token(json!({})).rsplit_once('.').unwrap().0.to_owned();
    refused(&format!("{stripped}."), "bad_signature", "the token's signature is wrong");
}

#[test]
fn the_public_key_is_no_secret_to_sign_with() {
    let public = own_key().verifying_key();
    for secret in [public.to_pem().unwrap().into_bytes(), public.to_bytes().to_vec(), public.kid().into()] {
        for (name, algorithm) in [
            ("HS256", jsonwebtoken::Algorithm::HS256),
            ("HS384", jsonwebtoken::Algorithm::HS384),
            ("HS512", jsonwebtoken::Algorithm::HS512),
        ] {
            let mut header = jsonwebtoken::Header::new(algorithm);
            header.kid = Some(public.kid().to_owned());
            let forged = jsonwebtoken::encode(&header, &claims(json!({})), &EncodingKey::from_secret(&secret)).unwrap();
            let sentence = format!("the token's algorithm \"{name}\" is not accepted: sign with EdDSA, ES256 or RS256");
            refused(&forged, "unsupported_algorithm", &sentence);
        }
    }
}

#[test]
fn a_header_cannot_choose_the_algorithm_of_a_key() {
    for found in ["ES256", "RS256"] {
        let sentence = format!("the token's algorithm {found} is not that of its key: this key signs EdDSA");
        refused(&with_header(json!({"alg": found})), "wrong_algorithm", &sentence);
    }
    for found in ["eddsa", "Ed25519", "ES384", "PS256", "RS512", ""] {
        let sentence = format!("the token's algorithm \"{found}\" is not accepted: sign with EdDSA, ES256 or RS256");
        refused(&with_header(json!({"alg": found})), "unsupported_algorithm", &sentence);
    }
    refused(&with_header(json!({"alg": null})), "malformed", "the token is not a JWT: its header has no alg");
}

#[test]
fn a_kid_is_a_name_and_nothing_else() {
    for kid in ["../../keys/token.pem", "/etc/passwd", "' OR 1=1 --", "0000000000000000", "http://evil.example/k"] {
        let sentence = format!("the token's key {:?} is none of its issuer's trusted keys", kid);
        refused(&with_header(json!({"kid": kid})), "unknown_key", &sentence);
    }
    let sentence = "the token's header has no kid: it must name the key that signed it";
    refused(&with_header(json!({"kid": null})), "missing_key_id", sentence);
    refused(&with_header(json!({"kid": ""})), "missing_key_id", sentence);
    refused(
        &with_header(json!({"kid": 5})),
        "malformed",
        "the token is not a JWT: its header is not a JSON object in base64url",
    );
}

#[test]
fn a_key_in_the_header_is_not_trusted() {
    let evil = SigningKey::generate(&[9; 32]);
    let mut header = header();
    header["kid"] = json!(evil.kid());
    header["jwk"] = json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": evil.kid()});
    header["jku"] = json!("https://evil.example/jwks.json");
    let sentence = format!("the token's key \"{}\" is none of its issuer's trusted keys", evil.kid());
    refused(&signed(&header, &claims(json!({}))), "unknown_key", &sentence);
}

#[test]
fn extensions_and_other_kinds_of_jwt_are_refused() {
    let sentence = "the token's header demands extensions (crit) that this gate does not know";
    refused(&with_header(json!({"crit": ["b64"], "b64": false})), "critical", sentence);
    for typ in ["dpop+jwt", "logout+jwt", "secevent+jwt"] {
        let sentence = format!("the token is a \"{typ}\", not a plain JWT or an access token");
        refused(&with_header(json!({"typ": typ})), "wrong_type", &sentence);
    }
}

#[test]
fn another_key_of_the_same_kind_proves_nothing() {
    let evil = SigningKey::generate(&[9; 32]);
    let good = verify(&token(json!({}))).unwrap();
    let foreign = mint(&evil, &good).unwrap();
    let sentence = format!("the token's key \"{}\" is none of its issuer's trusted keys", evil.kid());
    refused(&foreign, "unknown_key", &sentence);
    // The same, under the name of the trusted key.
    let (_, rest) = foreign.split_once('.').unwrap();
    refused(&format!("{}.{rest}", encode(&header())), "bad_signature", "the token's signature is wrong");
}

#[test]
fn every_changed_character_is_found() {
    let token = token(json!({}));
    let body = token.find('.').unwrap() + 1;
    for at in (body..token.len()).filter(|at| token.as_bytes()[*at] != b'.') {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(verify(&changed).is_err(), "the character at {at} does not count");
    }
}
