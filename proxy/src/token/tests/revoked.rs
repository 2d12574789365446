//! Revocation by token, subject and session; bounded.

use serde_json::json;

use super::super::{MAX_REVOCATIONS, Revocations, RevocationsFull, Target, TokenError};
use super::{ISSUER, NOW, token, verifier};

fn subject(name: &str) -> Target {
    Target::Subject { issuer: ISSUER.into(), name: name.into() }
}

#[test]
fn a_token_is_revoked_by_its_name_its_subject_or_its_session() {
    let targets = [
        Target::Token { issuer: ISSUER.into(), jti: "t-1".into() },
        subject("alice"),
        Target::Session { id: "s-1".into() },
    ];
    for target in targets {
        let verifier = verifier();
        let token = token(json!({"session": "s-1"}));
        assert!(verifier.verify(&token, NOW).is_ok());
        verifier.revocations().revoke(target.clone(), NOW + 10, NOW).unwrap();
        assert_eq!(verifier.verify(&token, NOW), Err(TokenError::Revoked), "{target:?}");
        assert_eq!(verifier.verify(&token, NOW + 9), Err(TokenError::Revoked), "{target:?}");
        assert!(verifier.verify(&token, NOW + 10).is_ok(), "{target:?} is over");
    }
}

#[test]
fn nobody_else_is_revoked_with_it() {
    let verifier = verifier();
    let revocations = verifier.revocations();
    let issuer = "https://id.example".to_owned();
    for target in [
        Target::Token { issuer: issuer.clone(), jti: "t-1".into() },
        Target::Subject { issuer, name: "alice".into() },
        subject("t-1"),
        subject("Alice"),
        Target::Session { id: "t-1".into() },
    ] {
        revocations.revoke(target, NOW + 10, NOW).unwrap();
    }
    assert!(verifier.verify(&token(json!({})), NOW).is_ok());
}

#[test]
fn a_shorter_revocation_does_not_shorten_a_longer_one() {
    let revocations = Revocations::default();
    revocations.revoke(subject("alice"), NOW + 100, NOW).unwrap();
    revocations.revoke(subject("alice"), NOW + 10, NOW).unwrap();
    assert!(revocations.is_revoked(&subject("alice"), NOW + 99));
    assert!(!revocations.is_revoked(&subject("alice"), NOW + 100));
}

#[test]
fn a_full_store_refuses_rather_than_forgets() {
    let revocations = Revocations::default();
    for number in 0..MAX_REVOCATIONS {
        let until = NOW + if number == 0 { 10 } else { 100 };
        revocations.revoke(subject(&number.to_string()), until, NOW).unwrap();
    }
    assert_eq!(revocations.revoke(subject("one more"), NOW + 100, NOW), Err(RevocationsFull));
    assert!(revocations.is_revoked(&subject("0"), NOW), "nothing was dropped for it");
    revocations.revoke(subject("1"), NOW + 200, NOW).unwrap();
    // What is over makes room.
    revocations.revoke(subject("one more"), NOW + 100, NOW + 10).unwrap();
    assert!(revocations.is_revoked(&subject("one more"), NOW + 11));
}
