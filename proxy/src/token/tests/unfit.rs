//! Texts that are no token, and signed tokens whose claims will not do.

use serde_json::{Value, json};

use super::super::MAX_TOKEN_BYTES;
use super::{AUDIENCE, ISSUER, NOW, claims, encode, header, refused, signed, token, verify};

#[test]
fn texts_that_are_no_token() {
    refused("", "missing", "there is no token: send Authorization: Bearer <JWT>");
    let parts = "the token is not a JWT: it has no three parts";
    for text in ["garbage", "a.b", "Bearer abc", " ", "\0"] {
        refused(text, "malformed", parts);
    }
    let not_json = "the token is not a JWT: its header is not a JSON object in base64url";
    for text in ["a.b.c", "..", "....", "bm90IGpzb24.e30.c2ln", "W10.e30.c2ln", "e30=.e30.c2ln", "é.é.é", "MQ.e30.e30"]
    {
        refused(text, "malformed", not_json);
    }
    let good = token(json!({}));
    refused(&format!("{good}.x"), "malformed", "the token is not a JWT: its claims are not a JSON object in base64url");
    refused(&format!(" {good}"), "malformed", not_json);
}

#[test]
fn claims_that_are_no_object() {
    for text in ["[]", "\"x\"", "1", "{", "{\"iss\": 1} x", "{\"exp\":1,\"exp\":2}"] {
        use base64::Engine as _;
        let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        let token = format!("{}.{payload}.c2ln", encode(&header()));
        refused(&token, "malformed", "the token is not a JWT: its claims are not a JSON object in base64url");
    }
}

#[test]
fn tokens_that_are_too_long() {
    let sentence = "the token is longer than 8192 bytes";
    refused(&"a".repeat(MAX_TOKEN_BYTES + 1), "too_long", sentence);
    refused(&token(json!({"note": "x".repeat(MAX_TOKEN_BYTES)})), "too_long", sentence);
}

#[test]
fn a_cut_token_is_refused_wherever_it_is_cut() {
    let token = token(json!({}));
    for length in 0..token.len() {
        assert!(verify(&token[..length]).is_err(), "cut to {length}");
    }
}

#[test]
fn every_required_claim_must_be_there() {
    for claim in ["iss", "aud", "sub", "exp", "nbf", "iat", "jti"] {
        refused(&token(json!({claim: null})), "missing_claim", &format!("the token has no claim {claim}"));
        let mut null = claims(json!({}));
        null[claim] = Value::Null;
        refused(&signed(&header(), &null), "missing_claim", &format!("the token has no claim {claim}"));
    }
}

#[test]
fn claims_have_their_shapes() {
    let check = |claim: &str, value: Value, reason: &str| {
        refused(&token(json!({claim: value})), "bad_claim", &format!("the token's claim {claim} {reason}"));
    };
    for claim in ["iss", "sub", "jti", "desktop", "session"] {
        check(claim, json!(5), "is not text");
    }
    for claim in ["exp", "nbf", "iat", "until"] {
        for value in [json!("1800000000"), json!(1.5), json!(-1), json!(1e300), json!(u64::MAX), json!([]), json!(true)]
        {
            check(claim, value, "is not a time in whole seconds since 1970");
        }
    }
    check("aud", json!(5), "is neither a name nor a list of names");
    check("groups", json!("users"), "is not a list");
    check("groups", json!(["users", 5]), "is not text");
    check("groups", json!(vec!["g"; 65]), "has more than 64 entries");
    check("groups", json!([""]), "is empty");
    check("groups", json!(["g".repeat(257)]), "is longer than 256 bytes");
    for claim in ["sub", "jti", "desktop", "session"] {
        check(claim, json!(""), "is empty");
        check(claim, json!("x".repeat(257)), "is longer than 256 bytes");
        check(claim, json!("a\r\nb\u{1b}"), "has control characters in it");
    }
}

#[test]
fn the_audience_must_be_this_gate() {
    let sentence = "the token is for another audience: its aud must name portcullis";
    let near = [format!("{AUDIENCE} "), AUDIENCE.to_uppercase(), String::new(), "*".into(), format!("{AUDIENCE},x")];
    for aud in near {
        refused(&token(json!({"aud": aud})), "wrong_audience", sentence);
    }
    refused(&token(json!({"aud": ["a", "b"]})), "wrong_audience", sentence);
    refused(&token(json!({"aud": []})), "wrong_audience", sentence);
}

#[test]
fn the_issuer_must_be_trusted_to_the_letter() {
    for iss in [format!("{ISSUER}/"), "https://evil.example".into(), String::new()] {
        let sentence = format!("the token's issuer \"{iss}\" is not trusted here");
        refused(&token(json!({"iss": iss})), "wrong_issuer", &sentence);
    }
    let sentence = format!("the token's issuer \"\\u{{1b}}[2J{}…\" is not trusted here", "x".repeat(60));
    refused(&token(json!({"iss": format!("\u{1b}[2J{}", "x".repeat(100))})), "wrong_issuer", &sentence);
}

#[test]
fn times_that_are_over_or_to_come() {
    refused(&token(json!({"exp": NOW - 30})), "expired", "the token expired 30 s ago");
    refused(
        &token(json!({"nbf": NOW + 31, "exp": NOW + 60})),
        "not_yet_valid",
        "the token is not valid for another 31 s: do the clocks agree?",
    );
}
