//! Holds by the API: by administrators alone, with a reason, on the record first, and the same that the keeper knows.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{CONTENT_TYPE, ORIGIN};
use portcullis_evidence::{Buried, Digest, PathInBundle, SigningKey, Tombstone, Trust, stamp};
use portcullis_vault::keeping::{Keeper, last_hold};
use time::OffsetDateTime;

use super::bundles::{Story, store};
use super::{Answer, Gate, ORIGIN_HERE, signed};
use crate::Act;

const RECORDING: &str = "/api/recordings/0198-alice";
const HOLD: &str = "/api/recordings/0198-alice/hold";

async fn gate() -> (Gate, String, String) {
    let gate = Gate::open().await;
    let place = Story::new("0198-alice", "alice").store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest(&place).await.unwrap();
    let dave = gate.cookie_of("dave", &["administrators"]).await;
    (gate, place, dave)
}

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::generate(&[7; 32]))
}

fn keep(gate: &Gate) -> Trust {
    let trust = || Trust::of(&[key().verifying_key()]);
    let (vault, key) = (gate.vault.clone(), key());
    gate.portal.keep(Arc::new(Keeper { vault, trust: trust(), key, keep: None, replace_after: None }));
    trust()
}

async fn send(gate: &Gate, method: &str, cookie: &str, body: &str) -> Answer {
    let request = signed(Request::builder().method(method).uri(HOLD), Some(cookie));
    let request = request.header(ORIGIN, ORIGIN_HERE).header(CONTENT_TYPE, "application/json");
    gate.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

fn held(held: bool, reason: &str) -> (Option<String>, Act) {
    (Some("dave".to_owned()), Act::Held { recording: "0198-alice".into(), held, reason: reason.into() })
}

#[tokio::test]
async fn an_administrator_holds_and_releases() {
    let (gate, _, dave) = gate().await;
    let trust = keep(&gate);
    assert_eq!(gate.get(RECORDING, Some(&dave)).await.json()["hold"], serde_json::Value::Null);
    let done = send(&gate, "POST", &dave, r#"{"reason":"case 7"}"#).await;
    assert_eq!(done.status, 200, "{:?}", done.body);
    assert_eq!(done.json()["hold"]["reason"], "case 7");
    assert_eq!(done.json()["hold"]["by"], "dave (idp)");
    assert_eq!(gate.get(RECORDING, Some(&dave)).await.json()["hold"], done.json()["hold"]);
    let (hold, _) = last_hold(gate.vault.as_ref(), &trust, "0198-alice").await.unwrap().unwrap();
    assert!(hold.held && hold.reason == "case 7" && hold.at == done.json()["hold"]["at"].as_str().unwrap());
    send(&gate, "POST", &dave, r#"{"reason":"again"}"#).await.is_problem(409);
    let done = send(&gate, "DELETE", &dave, r#"{"reason":"closed"}"#).await;
    assert_eq!((done.status.as_u16(), &done.json()["hold"]), (200, &serde_json::Value::Null));
    send(&gate, "DELETE", &dave, r#"{"reason":"again"}"#).await.is_problem(409);
    assert_eq!(gate.journal.take(), [held(true, "case 7"), held(false, "closed")]);
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_behind() {
    let (gate, place, dave) = gate().await;
    let none = send(&gate, "POST", &dave, r#"{"reason":"case 7"}"#).await;
    none.is_problem(503);
    let trust = keep(&gate);
    for (name, groups, status) in [("carol", "auditors", 403), ("alice", "users", 403), ("bob", "users", 404)] {
        // Alice's name counts only together with who issued it, which is the same here.
        let cookie = gate.cookie_of(name, &[groups]).await;
        for method in ["POST", "DELETE"] {
            send(&gate, method, &cookie, r#"{"reason":"case 7"}"#).await.is_problem(status);
        }
    }
    let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(1025));
    for body in [r#"{"reason":" "}"#, &long] {
        send(&gate, "POST", &dave, body).await.is_problem(400);
    }
    for body in ["{}", r#"{"reason":"a","until":"b"}"#] {
        send(&gate, "POST", &dave, body).await.is_problem(422);
    }
    gate.journal.full.store(true, Ordering::SeqCst);
    send(&gate, "POST", &dave, r#"{"reason":"case 7"}"#).await.is_problem(503);
    gate.journal.full.store(false, Ordering::SeqCst);
    assert!(last_hold(gate.vault.as_ref(), &trust, "0198-alice").await.unwrap().is_none());
    assert!(gate.journal.take().is_empty());
    // What has expired cannot be held any more.
    let sealed = std::fs::read(PathInBundle::Seal.under(&gate.dir().join("vault").join(&place))).unwrap();
    let now = stamp(OffsetDateTime::now_utc());
    let (session, reason) = ("0198-alice".to_owned(), "kept for a day".to_owned());
    let (seal, by) = (Digest::of(&sealed), "portcullis".to_owned());
    let tombstone = Tombstone { v: 1, session, seal, due: now.clone(), at: now, by, reason };
    let file = gate.dir().join("tombstone");
    std::fs::write(&file, tombstone.sign(&key()).unwrap()).unwrap();
    store(gate.vault.as_ref(), &place, PathInBundle::Expired, &file).await;
    let refused = send(&gate, "POST", &dave, r#"{"reason":"case 7"}"#).await;
    refused.is_problem(409);
    assert!(refused.json()["detail"].as_str().unwrap().contains("expired"), "{:?}", refused.body);
}

#[tokio::test]
async fn a_hold_that_cannot_be_proved_counts() {
    let (gate, _, dave) = gate().await;
    keep(&gate);
    let folder = gate.dir().join("vault/holds/0198-alice");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("00001.jws"), "forged").unwrap();
    assert!(
        gate.get(RECORDING, Some(&dave)).await.json()["hold"]["reason"].as_str().unwrap().contains("counts as held")
    );
}
