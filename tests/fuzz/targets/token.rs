//! Tokens: any text is refused or is a token that a trusted key signed; a mutated one is refused.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portcullis_evidence::SigningKey;
use portcullis_proxy::token::{Claims, Issuer, TrustedKey, Verifier, mint};

struct Known {
    token: String,
    verifier: Verifier,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let key = SigningKey::generate(&[7; 32]);
    let issuer = Issuer::new("gate", vec![TrustedKey::own(&key.verifying_key())]).expect("one key");
    let claims = Claims {
        iss: "gate".into(),
        aud: "portcullis".into(),
        sub: "alice".into(),
        groups: vec!["testers".into()],
        exp: 2_000,
        nbf: 1_000,
        iat: 1_000,
        jti: "one".into(),
        desktop: Some("desk".into()),
        session: None,
        until: None,
    };
    Known { token: mint(&key, &claims).expect("claims"), verifier: Verifier::new("portcullis", vec![issuer]) }
});

fuzz_target!(|data: &[u8]| {
    let [place, length, rest @ ..] = data else { return };
    let known = &*KNOWN;
    // As it is; and in place of a part of a good one.
    let text = String::from_utf8_lossy(data);
    assert!(known.verifier.verify(&text, 1_500).is_err() || *text == known.token);
    let start = usize::from(*place) * known.token.len() / 256;
    let end = (start + usize::from(*length)).min(known.token.len());
    let mut spliced = known.token[..start].to_owned();
    spliced.push_str(&String::from_utf8_lossy(rest));
    spliced.push_str(&known.token[end..]);
    assert_eq!(known.verifier.verify(&spliced, 1_500).is_ok(), spliced == known.token, "{spliced}");
});
