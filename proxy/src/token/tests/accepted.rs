//! Good tokens, and the edges within which they are good.

use serde_json::json;

use super::super::{Claims, LEEWAY_SECONDS, TokenError, mint, random_id};
use super::{AUDIENCE, ISSUER, NOW, claims, header, own_key, signed, token, verifier, verify};

fn good() -> Claims {
    Claims {
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        sub: "alice".into(),
        groups: vec!["users".into(), "staff".into()],
        exp: NOW + 60,
        nbf: NOW,
        iat: NOW,
        jti: random_id(),
        desktop: Some("terminal".into()),
        session: None,
        until: Some(NOW + 3600),
    }
}

#[test]
fn what_is_minted_is_verified() {
    let claims = good();
    let token = mint(&own_key(), &claims).unwrap();
    assert_eq!(verify(&token).unwrap(), claims);
    assert_eq!(verifier().verify_bearer(&token, NOW).unwrap(), claims);
}

#[test]
fn nothing_is_minted_that_would_be_refused() {
    let long = Claims { sub: "x".repeat(257), ..good() };
    assert_eq!(mint(&own_key(), &long).unwrap_err().to_string(), "no verifier would accept this token",);
}

#[test]
fn times_have_thirty_seconds_of_leeway_and_not_one_more() {
    let verifier = verifier();
    let at = |now| verifier.verify(&token(json!({"nbf": NOW, "exp": NOW + 60})), now).err();
    let end = NOW + 60 + LEEWAY_SECONDS;
    assert_eq!(at(end - 1), None);
    assert_eq!(at(end), Some(TokenError::Expired { seconds: 30 }));
    assert_eq!(at(NOW - LEEWAY_SECONDS), None);
    assert_eq!(at(NOW - LEEWAY_SECONDS - 1), Some(TokenError::NotYetValid { seconds: 31 }));
}

#[test]
fn times_at_the_ends_of_the_number_range_do_not_wrap() {
    let forever = token(json!({"exp": i64::MAX}));
    assert!(verifier().verify(&forever, i64::MAX - 31).is_ok());
    let never = token(json!({"nbf": i64::MAX, "exp": i64::MAX}));
    assert_eq!(verify(&never).unwrap_err().code(), "not_yet_valid");
    assert_eq!(verifier().verify(&token(json!({"exp": 0})), i64::MAX).unwrap_err().code(), "expired");
    assert_eq!(verifier().verify(&token(json!({})), i64::MIN).unwrap_err().code(), "not_yet_valid");
}

#[test]
fn an_audience_may_be_one_of_several() {
    let several = verify(&token(json!({"aud": ["other", AUDIENCE]}))).unwrap();
    assert_eq!(several.aud, AUDIENCE);
}

#[test]
fn groups_and_desktop_may_be_left_out_but_a_bearer_names_its_desktop() {
    let bare = token(json!({"groups": null, "desktop": null}));
    let claims = verify(&bare).unwrap();
    assert_eq!((claims.groups, claims.desktop), (Vec::new(), None));
    assert_eq!(verifier().verify_bearer(&bare, NOW), Err(TokenError::MissingClaim("desktop")));
}

#[test]
fn unknown_claims_and_harmless_types_are_no_fault() {
    assert!(verify(&token(json!({"email": "alice@example.org", "acr": 1, "groups": []}))).is_ok());
    for typ in [json!("JWT"), json!("jwt"), json!("at+jwt"), json!("application/at+jwt"), json!(null)] {
        let mut header = header();
        header["typ"] = typ.clone();
        assert!(verify(&signed(&header, &claims(json!({})))).is_ok(), "{typ}");
    }
}

#[test]
fn sizes_are_accepted_up_to_their_limits() {
    let group = "g".repeat(256);
    let full = verify(&token(json!({"sub": "ü".repeat(128), "groups": vec![group.as_str(); 16]}))).unwrap();
    assert_eq!((full.sub.len(), full.groups.len()), (256, 16));
    assert_eq!(verify(&token(json!({"groups": vec!["g"; 64]}))).unwrap().groups.len(), 64);
}

#[test]
fn ids_are_random_and_fit_a_header() {
    let (one, other) = (random_id(), random_id());
    assert_eq!(one.len(), 22);
    assert_ne!(one, other);
}
