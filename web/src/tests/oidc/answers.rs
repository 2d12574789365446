//! What no provider should answer, and what somebody else might in its place.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use portcullis_policy::Subject;
use serde_json::{Value, json};

use super::script::{Mood, Script};
use super::{Gate, ORIGIN_HERE, ask, begin, come_back, cookie, failed, gate, gate_as, moves_to, sign_in};
use crate::oidc::tests::config;
use crate::{Act, ProviderConfig, Revoked, Way};

/// What the journal has of a sign-in that came to nothing.
fn refused(gate: &Gate) -> &'static str {
    let acts = gate.journal.take();
    match acts.as_slice() {
        [(None, Act::SignInRefused { by: Way::Provider(by), reason })] if by == "corp" => reason,
        acts => panic!("{acts:?}"),
    }
}

#[tokio::test]
async fn a_token_that_does_not_hold_signs_nobody_in() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    let now = crate::portal::now();
    let cases: [(&str, Value, Value, &str); 19] = [
        ("another nonce", json!({}), json!({"nonce": "x"}), "rejected"),
        ("no nonce", json!({}), json!({"nonce": null}), "rejected"),
        ("for another gate", json!({}), json!({"aud": "another"}), "rejected"),
        ("for others too", json!({}), json!({"aud": ["portcullis", "another"]}), "rejected"),
        ("made for another", json!({}), json!({"azp": "another"}), "rejected"),
        ("of another issuer", json!({}), json!({"iss": "https://other.example"}), "rejected"),
        ("expired", json!({}), json!({"exp": now - 61}), "rejected"),
        ("of the past", json!({}), json!({"iat": now - 3600}), "rejected"),
        ("of the future", json!({}), json!({"iat": now + 600}), "rejected"),
        ("not yet good", json!({}), json!({"nbf": now + 600}), "rejected"),
        ("signed by nobody", json!({"alg": "none"}), json!({}), "rejected"),
        ("signed by a secret", json!({"alg": "HS256"}), json!({}), "rejected"),
        ("signed by a key of another kind", json!({"alg": "RS256"}), json!({}), "rejected"),
        ("of an unknown algorithm", json!({"alg": "XY999"}), json!({}), "rejected"),
        ("with a head that must be understood", json!({"crit": ["x"]}), json!({}), "rejected"),
        ("for nobody", json!({}), json!({"sub": null}), "rejected"),
        ("for a name that is none", json!({}), json!({"sub": "a\nb"}), "nameless"),
        ("without groups", json!({}), json!({"groups": null}), "groupless"),
        ("with groups that give nothing", json!({}), json!({"groups": ["administrators"]}), "groupless"),
    ];
    for (what, head, claims, fault) in cases {
        script.tell(|told| (told.head, told.claims) = (head, claims));
        let answer = sign_in(&gate, &script, "/").await;
        assert_eq!(cookie(&answer), None, "{what}");
        failed(&answer, fault);
        assert!(!refused(&gate).is_empty(), "{what}");
    }
    script.tell(|told| (told.head, told.claims) = (json!({}), json!({"aud": ["portcullis"], "azp": "portcullis"})));
    assert!(cookie(&sign_in(&gate, &script, "/").await).is_some(), "and one that holds does");
}

#[tokio::test]
async fn what_the_token_endpoint_may_say_instead() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    for (status, text) in [
        (400, r#"{"error":"invalid_grant","error_description":"<script>alert(1)</script>"}"#),
        (200, "{}"),
        (200, r#"{"access_token":"a","token_type":"Bearer"}"#),
        (200, r#"{"access_token":"a","token_type":"Bearer","id_token":"x.y.z"}"#),
        (302, ""),
    ] {
        script.tell(|told| told.token = Some((status, text.to_owned())));
        let answer = sign_in(&gate, &script, "/").await;
        failed(&answer, "rejected");
        assert!(!String::from_utf8_lossy(&answer.body).contains("script"));
    }
    script.tell(|told| told.token = Some((200, format!("{{\"x\":\"{}\"}}", "y".repeat(600_000)))));
    failed(&sign_in(&gate, &script, "/").await, "away");
}

#[tokio::test]
async fn a_state_is_good_once_and_in_its_browser() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    let back = async |state: &str, cookie: Option<&str>| {
        come_back(&gate, "corp", &format!("code=good&state={state}"), cookie).await
    };

    let begun = begin(&gate, "/").await;
    let other = begin(&gate, "/").await;
    script.expect(&begun.sent("nonce"), &begun.sent("code_challenge"));
    let state = begun.sent("state");
    let tampered = state.replacen(|_: char| true, if state.starts_with('A') { "B" } else { "A" }, 1);
    for wrong in [tampered.as_str(), "", "x", &format!("{state}A")] {
        failed(&back(wrong, Some(&begun.cookie)).await, "stale");
    }
    assert_ne!(begun.cookie, other.cookie);
    failed(&back(&other.sent("state"), Some(&begun.cookie)).await, "stale");
    failed(&back(&other.sent("state"), Some(&other.cookie)).await, "stale");
    assert!(cookie(&back(&state, Some(&begun.cookie)).await).is_some());
    failed(&back(&state, Some(&begun.cookie)).await, "stale");

    let begun = begin(&gate, "/").await;
    failed(&back(&begun.sent("state"), None).await, "stale");
    let begun = begin(&gate, "/").await;
    let both = format!("{}; {}", begun.cookie, other.cookie);
    failed(&back(&begun.sent("state"), Some(&both)).await, "stale");
    let begun = begin(&gate, "/").await;
    let twice = format!("{0}&state={0}", begun.sent("state"));
    failed(&back(&twice, Some(&begun.cookie)).await, "stale");
}

#[tokio::test]
async fn who_answers_is_who_was_asked() {
    let (script, evil) = (Script::start().await, Script::start().await);
    let (corp, other) = (config(&script.issuer), ProviderConfig { id: "other".into(), ..config(&evil.issuer) });
    let gate = Gate::open_as(|config| config.providers = vec![corp, other]).await;
    let begun = begin(&gate, "/recordings").await;
    let answer =
        come_back(&gate, "other", &format!("code=good&state={}", begun.sent("state")), Some(&begun.cookie)).await;
    assert_eq!(moves_to(&answer), "/sign-in?failed=mixed_up&by=other");
    assert_eq!(evil.hits("/token"), 0, "the code went nowhere");

    let back = async |iss: &str| {
        let begun = begin(&gate, "/recordings").await;
        script.expect(&begun.sent("nonce"), &begun.sent("code_challenge"));
        let query = format!("code=good&state={}{iss}", begun.sent("state"));
        come_back(&gate, "corp", &query, Some(&begun.cookie)).await
    };
    let answer = back(&format!("&iss={}", evil.issuer)).await;
    assert_eq!(moves_to(&answer), "/sign-in?failed=mixed_up&by=corp&to=%2Frecordings");
    assert!(cookie(&back(&format!("&iss={}", script.issuer)).await).is_some());
    let strict = Script::start().await;
    strict.tell(|told| told.metadata = json!({"authorization_response_iss_parameter_supported": true}));
    let gate = super::gate(&strict).await;
    failed(&sign_in(&gate, &strict, "/").await, "mixed_up");
}

#[tokio::test]
async fn an_error_is_told_in_words_of_ours() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    for (error, fault) in [("access_denied", "cancelled"), ("server_error", "provider"), ("<script>", "provider")] {
        let begun = begin(&gate, "/").await;
        let query = format!("error={error}&error_description=<b>evil</b>&state={}", begun.sent("state"));
        let query = query.replace('<', "%3C").replace('>', "%3E");
        let answer = come_back(&gate, "corp", &query, Some(&begun.cookie)).await;
        failed(&answer, fault);
        assert!(!String::from_utf8_lossy(&answer.body).contains("evil"));
    }
    failed(&come_back(&gate, "corp", "error=access_denied", None).await, "stale");
    assert_eq!(script.hits("/token"), 0);
}

#[tokio::test]
async fn a_provider_that_gives_no_good_answer_is_away_until_it_does() {
    for mood in [Mood::Redirecting, Mood::Oversized, Mood::OfAnother, Mood::InClear, Mood::Html, Mood::Broken] {
        let script = Script::start().await;
        script.tell(|told| told.mood = mood);
        let gate = gate(&script).await;
        assert_eq!(gate.get("/api/sign-in/ways", None).await.json()["providers"][0]["reachable"], false, "{mood:?}");
        let answer = ask(&gate, "corp", &json!({}), Some(ORIGIN_HERE)).await;
        answer.is_problem(503);
        assert_eq!(answer.header("set-cookie"), "");
        assert_eq!(script.hits("/.well-known/openid-configuration"), 1, "{mood:?}: it is not asked at once again");
        assert_eq!((script.hits("/elsewhere"), script.hits("/token")), (0, 0), "{mood:?}");
        if mood == Mood::Broken {
            script.tell(|told| told.mood = Mood::Good);
            let end = Instant::now() + Duration::from_secs(30);
            while gate.get("/api/sign-in/ways", None).await.json()["providers"][0]["reachable"] == false {
                assert!(Instant::now() < end, "it stays away");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert!(cookie(&sign_in(&gate, &script, "/").await).is_some());
        }
    }
}

#[tokio::test]
async fn keys_that_changed_are_fetched_and_not_as_often_as_anybody_likes() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    assert!(cookie(&sign_in(&gate, &script, "/").await).is_some());
    assert_eq!(script.hits("/jwks"), 1);
    script.tell(|told| (told.key, told.kid) = (SigningKey::from_bytes(&[8; 32]), "two".into()));
    assert!(cookie(&sign_in(&gate, &script, "/").await).is_some(), "signed by a new key");
    assert_eq!(script.hits("/jwks"), 2);
    // The same name, another key.
    script.tell(|told| told.key = SigningKey::from_bytes(&[9; 32]));
    assert!(cookie(&sign_in(&gate, &script, "/").await).is_some());
    assert_eq!(script.hits("/jwks"), 3);
    script.tell(|told| (told.published, told.kid) = (false, "unknown".into()));
    for _ in 0..20 {
        failed(&sign_in(&gate, &script, "/").await, "rejected");
    }
    assert!(script.hits("/jwks") <= 5, "{} fetches", script.hits("/jwks"));
}

#[tokio::test]
async fn an_old_sign_in_at_the_provider_is_not_enough_where_one_says_so() {
    let script = Script::start().await;
    let gate = gate_as(&script, |config| config.max_age = Some(300)).await;
    assert_eq!(begin(&gate, "/").await.sent("max_age"), "300");
    let now = crate::portal::now();
    for (at, good) in [(json!(now - 200), true), (json!(now - 400), false), (json!(null), false)] {
        script.tell(|told| told.claims = json!({"auth_time": at}));
        let answer = sign_in(&gate, &script, "/").await;
        if good { assert!(cookie(&answer).is_some()) } else { failed(&answer, "old") }
    }
}

#[tokio::test]
async fn who_is_revoked_or_cannot_be_recorded_is_not_signed_in() {
    struct Out;
    impl Revoked for Out {
        fn covers(&self, subject: &Subject) -> bool {
            subject.name == "u-2" && subject.issuer.starts_with("http://127.0.0.1:")
        }
    }
    let script = Script::start().await;
    let gate = gate(&script).await;
    gate.portal.heed(Arc::new(Out));
    script.tell(|told| told.claims = json!({"sub": "u-2"}));
    failed(&sign_in(&gate, &script, "/").await, "revoked");
    script.tell(|told| told.claims = json!({"sub": "u-1"}));
    gate.journal.full.store(true, std::sync::atomic::Ordering::SeqCst);
    failed(&sign_in(&gate, &script, "/").await, "failed");
}
