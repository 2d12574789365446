//! Whatever is sent, verifying answers, and only what was signed is accepted.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::super::{Claims, Issuer, mint};
use super::{AUDIENCE, ISSUER, NOW, claims, encode, header, own_key, signed, token, verify};

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{0,5}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        prop_assert!(verify(&text).is_err());
    }

    #[test]
    fn any_three_parts_are_answered(text in "[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,200}\\.[A-Za-z0-9_-]{0,90}") {
        prop_assert!(verify(&text).is_err());
    }

    #[test]
    fn any_header_is_answered(member in "alg|kid|typ|crit|jwk|jku|x5c|zip|[a-z]{1,4}", value in json_value()) {
        let mut changed = header();
        changed[&member] = value;
        let _either = verify(&signed(&changed, &claims(json!({}))));
        let unproved = [encode(&changed), encode(&claims(json!({}))), "AAAA".to_owned()].join(".");
        prop_assert!(verify(&unproved).is_err());
    }

    #[test]
    fn any_claim_is_answered(claim in "iss|aud|sub|groups|exp|nbf|iat|jti|desktop|session|until", value in json_value()) {
        if let Ok(read) = verify(&token(json!({claim: value}))) {
            prop_assert!(read.sub.len() <= 256 && read.groups.len() <= 64 && read.iss == ISSUER && read.aud == AUDIENCE);
        }
    }

    #[test]
    fn any_change_is_found(at: Index, character in any::<char>()) {
        let token = token(json!({}));
        let mut changed: Vec<char> = token.chars().collect();
        let place = at.index(changed.len());
        prop_assume!(changed[place] != character);
        changed[place] = character;
        prop_assert!(verify(&changed.into_iter().collect::<String>()).is_err());
    }

    #[test]
    fn what_is_minted_comes_back(
        sub in "\\PC{1,60}", groups in prop::collection::vec("\\PC{1,20}", 0..8), desktop in prop::option::of("[a-z]{1,20}"),
    ) {
        let claims = Claims {
            iss: ISSUER.into(), aud: AUDIENCE.into(), sub, groups, exp: NOW + 1, nbf: NOW, iat: NOW, jti: "j".into(),
            desktop, session: None, until: None,
        };
        prop_assert_eq!(verify(&mint(&own_key(), &claims).unwrap()).unwrap(), claims);
    }

    #[test]
    fn any_key_set_is_answered(member in "kty|kid|crv|x|y|n|e|alg|use|d|k", value in json_value(), whole in json_value()) {
        let mut jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "k"});
        jwk[&member] = value;
        let _either = Issuer::from_jwks(ISSUER, &json!({"keys": [jwk]}).to_string());
        let _either = Issuer::from_jwks(ISSUER, &whole.to_string());
    }
}
