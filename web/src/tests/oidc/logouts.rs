//! Signing out here and at the provider, and the provider's word that somebody signed out there.

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{CONTENT_TYPE, ORIGIN};
use serde_json::{Value, json};

use super::script::Script;
use super::{Answer, Gate, ORIGIN_HERE, cookie, gate, sign_in, signed};
use crate::{Act, Way};

async fn hear(gate: &Gate, token: &str) -> Answer {
    let request = signed(Request::post("/api/sign-in/corp/logout"), None)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    gate.send(request.body(Body::from(format!("logout_token={token}"))).unwrap()).await
}

fn logout(script: &Script, jti: &str, change: &Value) -> String {
    let mut claims =
        json!({"jti": jti, "events": {"http://schemas.openid.net/event/backchannel-logout": {}}, "sid": "s-1"});
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    script.token(&claims)
}

#[tokio::test]
async fn who_signs_out_is_told_where_the_provider_ends_it() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    let cookie = cookie(&sign_in(&gate, &script, "/").await).unwrap();
    let out =
        signed(Request::post("/api/sign-out"), Some(&cookie)).header(ORIGIN, ORIGIN_HERE).body(Body::empty()).unwrap();
    let answer = gate.send(out).await;
    assert_eq!(answer.status, 200);
    let back = "http%3A%2F%2Flocalhost%3A8080%2Fsigned-out";
    let go = format!("{}/end?keep=1&client_id=portcullis&post_logout_redirect_uri={back}", script.issuer);
    assert_eq!(answer.json()["go"], go);
    gate.get("/api/me", Some(&cookie)).await.is_problem(401);
}

#[tokio::test]
async fn a_provider_ends_the_sign_in_that_it_names() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    let first = cookie(&sign_in(&gate, &script, "/").await).unwrap();
    script.tell(|told| told.claims = json!({"sid": "s-2"}));
    let second = cookie(&sign_in(&gate, &script, "/").await).unwrap();
    script.tell(|told| told.claims = json!({"sub": "u-2", "sid": "s-3"}));
    let another = cookie(&sign_in(&gate, &script, "/").await).unwrap();
    gate.journal.take();

    let token = logout(&script, "j-1", &json!({}));
    assert_eq!(hear(&gate, &token).await.status, 200);
    gate.get("/api/me", Some(&first)).await.is_problem(401);
    assert_eq!(gate.get("/api/me", Some(&second)).await.status, 200);
    let by = Some(Way::Provider("corp".into()));
    assert_eq!(gate.journal.take(), [(Some("u-1".into()), Act::SignedOut { by })]);
    hear(&gate, &token).await.is_problem(400);

    assert_eq!(hear(&gate, &logout(&script, "j-2", &json!({"sid": null}))).await.status, 200);
    gate.get("/api/me", Some(&second)).await.is_problem(401);
    assert_eq!(gate.get("/api/me", Some(&another)).await.status, 200, "somebody else");
}

#[tokio::test]
async fn what_is_no_logout_token_ends_nothing() {
    let script = Script::start().await;
    let gate = gate(&script).await;
    let cookie = cookie(&sign_in(&gate, &script, "/").await).unwrap();
    let id_token = script.token(&json!({"nonce": "n", "sid": "s-1", "jti": "j"}));
    let cases = [
        String::new(),
        "x".to_owned(),
        "a.b.c.d".to_owned(),
        id_token,
        logout(&script, "j-1", &json!({"aud": "another"})),
        logout(&script, "j-2", &json!({"iss": "https://other.example"})),
        logout(&script, "j-3", &json!({"nonce": "n"})),
        logout(&script, "j-4", &json!({"iat": crate::portal::now() - 600})),
    ];
    for token in cases {
        hear(&gate, &token).await.is_problem(400);
    }
    for head in [
        json!({"alg": "none"}),
        json!({"alg": "HS256"}),
        json!({"alg": "RS256"}),
        json!({"typ": "at+jwt"}),
        json!({"crit": ["x"]}),
    ] {
        script.tell(|told| told.head = head.clone());
        hear(&gate, &logout(&script, "j-5", &json!({}))).await.is_problem(400);
    }
    script.tell(|told| told.head = json!({"kid": "forged"}));
    let fetched = script.hits("/jwks");
    for n in 0..20 {
        assert!(
            [400, 429].contains(&hear(&gate, &logout(&script, &format!("f-{n}"), &json!({}))).await.status.as_u16())
        );
    }
    assert!(script.hits("/jwks") <= fetched + 3, "{} fetches", script.hits("/jwks") - fetched);
    let json = signed(Request::post("/api/sign-in/corp/logout"), None).header(CONTENT_TYPE, "application/json");
    gate.send(json.body(Body::from("{}")).unwrap()).await.is_problem(400);
    assert_eq!(gate.get("/api/me", Some(&cookie)).await.status, 200);
    // The form that the standard has, and a kind that says what it is.
    script.tell(|told| told.head = json!({"typ": "logout+jwt"}));
    assert_eq!(hear(&gate, &logout(&script, "j-6", &json!({}))).await.status, 200);
    gate.get("/api/me", Some(&cookie)).await.is_problem(401);
}
