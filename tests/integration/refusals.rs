//! Who is refused at the door: each with its status, its words and its event in the journal.

use portcullis_tests::viewer::{dial, dial_as, refused};
use portcullis_tests::{Api, Gate, Opened};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::plan;

async fn open(api: &Api, desktop: &str, headers: &[(&str, &str)]) -> (StatusCode, Value) {
    let answer = api.send(Method::POST, "/api/sessions", headers, Some(json!({"desktop": desktop}))).await.unwrap();
    let status = answer.status();
    if !status.is_success() {
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    (status, answer.json().await.unwrap())
}

/// The reasons of all refusals in the journal.
fn refusals(gate: &Gate) -> Vec<String> {
    let journal = gate.journal().unwrap();
    journal
        .iter()
        .filter(|entry| entry["type"] == "refused")
        .map(|entry| entry["reason"].as_str().unwrap().to_owned())
        .collect()
}

/// A token with changed claims, signed with the gate's own key.
pub(crate) fn forged(gate: &Gate, change: impl Fn(&mut Value), header: impl Fn(&mut jsonwebtoken::Header)) -> String {
    let mut claims = claims(gate);
    change(&mut claims);
    let pem = std::fs::read(gate.data().join("keys/token.pem")).unwrap();
    let mut head = jsonwebtoken::decode_header(gate.token("alice", "testers", "desk").unwrap()).unwrap();
    header(&mut head);
    jsonwebtoken::encode(&head, &claims, &jsonwebtoken::EncodingKey::from_ed_pem(&pem).unwrap()).unwrap()
}

fn claims(gate: &Gate) -> Value {
    use base64::Engine;
    let token = gate.token("alice", "testers", "desk").unwrap();
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_must_be_there_and_good() {
    use base64::Engine;
    let gate = Gate::start(&plan()).await.unwrap();
    let encode = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let other = jsonwebtoken::EncodingKey::from_ed_pem(OTHER_KEY.as_bytes()).unwrap();
    let head = jsonwebtoken::decode_header(gate.token("alice", "testers", "desk").unwrap()).unwrap();
    let cases = [
        ("sign in", None),
        (
            "expired",
            Some(forged(&gate, |claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 3600), |_| {})),
        ),
        ("audience", Some(forged(&gate, |claims| claims["aud"] = json!("elsewhere"), |_| {}))),
        ("signature", Some(jsonwebtoken::encode(&head, &claims(&gate), &other).unwrap())),
        (
            "",
            Some(format!(
                "{}.{}.",
                encode(&json!({"alg": "none", "typ": "JWT", "kid": head.kid})),
                encode(&claims(&gate))
            )),
        ),
        ("", Some("garbage".to_owned())),
    ];
    for (words, token) in cases {
        let (status, problem) = open(&Api::new(&gate.url, token), "desk", &[]).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{words}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{words:?} is not in {detail:?}");
    }
    assert_eq!(refusals(&gate).len(), 6, "{:?}", refusals(&gate));
}

/// An Ed25519 key that no gate trusts.
const OTHER_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n";

#[tokio::test]
async fn a_desktop_must_be_permitted_and_covered() {
    let gate = Gate::start(&plan()).await.unwrap();
    let (status, problem) = open(&gate.api("alice", "testers", "closed").unwrap(), "closed", &[]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(problem["rule"].as_str().unwrap().contains("default"), "{problem}");
    let (status, problem) = open(&gate.api("mallory", "strangers", "desk").unwrap(), "desk", &[]).await;
    assert_eq!((status, problem["rule"].is_string()), (StatusCode::FORBIDDEN, true), "{problem}");
    let (status, problem) = open(&gate.api("alice", "testers", "closed").unwrap(), "desk", &[]).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("token does not cover"), "{problem}");
    let (status, _) = open(&gate.api("alice", "testers", "nowhere").unwrap(), "nowhere", &[]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let journal = gate.journal().unwrap();
    let denied = journal.iter().find(|entry| entry["what"] == "open closed").expect("an event");
    assert_eq!(denied["subject"], "alice");
    assert!(
        denied["rule"].as_str().unwrap().contains("default") && !denied["policy"].as_str().unwrap().is_empty(),
        "{denied}"
    );
    assert_eq!(refusals(&gate).len(), 4);
}

#[tokio::test]
async fn a_ticket_is_good_once_for_its_session_and_origin() {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let first = dial(&gate.url, &opened, None).await.expect("the first use");
    let (status, text) = refused(dial(&gate.url, &opened, None).await).unwrap();
    assert_eq!(status.as_u16(), 401, "{text}");
    drop(first);

    let fresh = api.ticket(&opened.id).await.unwrap();
    let (status, text) = refused(dial(&gate.url, &fresh, Some(&gate.url)).await).unwrap();
    assert_eq!(status.as_u16(), 401, "another origin than the one that asked: {text}");
    let (status, _) = refused(dial(&gate.url, &fresh, None).await).unwrap();
    assert_eq!(status.as_u16(), 401, "a ticket that was offered wrongly is burnt");

    let fresh = api.ticket(&opened.id).await.unwrap();
    let (status, _) = refused(dial(&gate.url, &fresh, Some("https://evil.example")).await).unwrap();
    assert_eq!(status.as_u16(), 403, "a foreign origin");
    let (status, _) = open(&api, "desk", &[("origin", "https://evil.example")]).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "a foreign origin at the API");

    let elsewhere = Opened {
        rfb: "/sessions/00000000-0000-7000-8000-000000000000/rfb".into(),
        ..api.ticket(&opened.id).await.unwrap()
    };
    assert_eq!(refused(dial(&gate.url, &elsewhere, None).await).unwrap().0.as_u16(), 401);
    for protocols in ["binary", "ticket.x", "base64, ticket.x", "binary, ticket.x, ticket.y"] {
        let (status, text) = refused(dial_as(&gate.url, &opened.rfb, protocols, None).await).unwrap();
        assert!(matches!(status.as_u16(), 400 | 401), "{protocols}: {status} {text}");
    }
    assert!(refusals(&gate).len() >= 8, "{:?}", refusals(&gate));
}

#[tokio::test]
async fn parallel_uses_of_one_ticket_have_exactly_one_winner() {
    let gate = Gate::start(&plan()).await.unwrap();
    let opened = gate.api("alice", "testers", "desk").unwrap().open("desk").await.unwrap();
    let tries = (0..16).map(|_| dial(&gate.url, &opened, None));
    let won = futures_util::future::join_all(tries).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn others_sessions_are_not_to_be_found() {
    let gate = Gate::start(&plan()).await.unwrap();
    let opened = gate.api("alice", "testers", "desk").unwrap().open("desk").await.unwrap();
    let bob = gate.api("bob", "testers", "desk").unwrap();
    let path = format!("/api/sessions/{}", opened.id);
    for (method, path) in
        [(Method::GET, path.clone()), (Method::DELETE, path.clone()), (Method::POST, format!("{path}/tickets"))]
    {
        let answer = bob.send(method, &path, &[], None).await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(bob.get("/api/sessions").await.unwrap()["sessions"], json!([]));
    assert_eq!(gate.api("alice", "testers", "desk").unwrap().get(&path).await.unwrap()["subject"], "alice");
}

#[tokio::test]
async fn a_foreign_host_is_misdirected() {
    let gate = Gate::start(&plan()).await.unwrap();
    for path in ["/api/desktops", "/", "/api/recordings"] {
        let answer =
            Api::new(&gate.url, None).send(Method::GET, path, &[("host", "evil.example")], None).await.unwrap();
        assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST, "{path}");
    }
}
