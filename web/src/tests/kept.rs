//! What people make in the portal: saved filters and notes, on both databases, through a rebuild of the index.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::bundles::Story;
use super::{Gate, On, on_both};
use crate::Act;

on_both!(
    filters_are_ones_own,
    a_filter_is_one_of_the_list,
    notes_are_seen_by_who_may_see_the_recording,
    a_note_goes_by_its_writer_or_an_administrator,
    notes_are_bounded,
    a_rebuild_touches_nothing_that_people_made,
);

async fn gate(on: On) -> Gate {
    let gate = Gate::on(on).await;
    let place = Story::new("0198-a", "alice").store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest(&place).await.unwrap();
    gate
}

const NOTES: &str = "/api/recordings/0198-a/notes";

async fn notes(gate: &Gate, cookie: &str) -> Vec<Value> {
    gate.get(NOTES, Some(cookie)).await.json()["notes"].as_array().unwrap().clone()
}

async fn filters_are_ones_own(on: On) {
    let gate = gate(on).await;
    let (alice, bob) = (gate.cookie_of("alice", &["users"]).await, gate.cookie_of("bob", &["users"]).await);
    let path = "/api/filters/M%C3%BCller%2F%20denied";
    let saved = gate.change("PUT", path, &alice, &json!({"query": "subject=M%C3%BCller&verdict=denied"})).await;
    assert_eq!(saved.status, 204, "{:?}", saved.body);
    gate.change("PUT", "/api/filters/a", &alice, &json!({"query": "q=x"})).await;
    gate.change("PUT", "/api/filters/a", &alice, &json!({"query": "q=y"})).await;
    let list = gate.get("/api/filters", Some(&alice)).await.json();
    let mueller = json!({"name": "Müller/ denied", "query": "subject=M%C3%BCller&verdict=denied"});
    assert_eq!(list, json!({"filters": [mueller, {"name": "a", "query": "q=y"}]}));
    assert_eq!(gate.get(path, Some(&alice)).await.json(), mueller);
    assert_eq!(gate.get("/api/filters", Some(&bob)).await.json(), json!({"filters": []}));
    gate.get(path, Some(&bob)).await.is_problem(404);
    gate.change("DELETE", path, &bob, &Value::Null).await.is_problem(404);
    assert_eq!(gate.change("DELETE", path, &alice, &Value::Null).await.status, 204);
    gate.change("DELETE", path, &alice, &Value::Null).await.is_problem(404);
}

async fn a_filter_is_one_of_the_list(on: On) {
    let gate = gate(on).await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    for query in ["", "sort=x", "limit=3", "q=x&before=MQ", "verdict=maybe", "from=x", "q=a b", &"q=x&".repeat(501)] {
        gate.change("PUT", "/api/filters/a", &alice, &json!({"query": query})).await.is_problem(400);
    }
    for name in ["%20", &"x".repeat(65), "a%0ab"] {
        gate.change("PUT", &format!("/api/filters/{name}"), &alice, &json!({"query": "q=x"})).await.is_problem(400);
    }
    for n in 0..50 {
        let kept = gate.change("PUT", &format!("/api/filters/{n}"), &alice, &json!({"query": "q=x"})).await;
        assert_eq!(kept.status, 204);
    }
    gate.change("PUT", "/api/filters/one-more", &alice, &json!({"query": "q=x"})).await.is_problem(409);
    assert_eq!(gate.change("PUT", "/api/filters/7", &alice, &json!({"query": "q=z"})).await.status, 204);
}

async fn notes_are_seen_by_who_may_see_the_recording(on: On) {
    let gate = gate(on).await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    let bob = gate.cookie_of("bob", &["users"]).await;
    gate.journal.take();
    let text = "look: \"<b>\" ' é";
    let made = gate.change("POST", NOTES, &carol, &json!({"at": 1500, "text": format!(" {text}\n")})).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let note = made.json();
    assert_eq!((&note["at"], &note["text"], &note["by"]), (&json!(1500), &json!(text), &json!("carol")));
    gate.change("POST", NOTES, &alice, &json!({"at": 20})).await;
    let all = notes(&gate, &alice).await;
    assert_eq!((all.len(), &all[1], &all[0]["text"], &all[0]["by"]), (2, &note, &json!(""), &json!("alice")));
    gate.get(NOTES, Some(&bob)).await.is_problem(404);
    gate.change("POST", NOTES, &bob, &json!({"at": 1})).await.is_problem(404);
    let sha256 = |text: &str| Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let added = |who: &str, text: &str| {
        let act = Act::NoteAdded { recording: "0198-a".into(), bytes: text.len() as u64, sha256: sha256(text) };
        (Some(who.to_owned()), act)
    };
    assert_eq!(gate.journal.take(), [added("carol", text), added("alice", "")]);
    gate.journal.full.store(true, Ordering::SeqCst);
    gate.change("POST", NOTES, &alice, &json!({"at": 1})).await.is_problem(503);
    assert_eq!(notes(&gate, &alice).await.len(), 2, "what is not on the record is not done");
}

async fn a_note_goes_by_its_writer_or_an_administrator(on: On) {
    let gate = gate(on).await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    let dave = gate.cookie_of("dave", &["administrators"]).await;
    let mut paths = Vec::new();
    for at in 0..2 {
        let note = gate.change("POST", NOTES, &alice, &json!({"at": at, "text": "mine"})).await.json();
        paths.push(format!("{NOTES}/{}", note["id"].as_str().unwrap()));
    }
    gate.journal.take();
    gate.change("DELETE", &paths[0], &carol, &Value::Null).await.is_problem(403);
    gate.change("DELETE", &format!("{NOTES}/none"), &alice, &Value::Null).await.is_problem(404);
    assert_eq!(gate.change("DELETE", &paths[0], &alice, &Value::Null).await.status, 204);
    gate.change("DELETE", &paths[0], &alice, &Value::Null).await.is_problem(404);
    assert_eq!(gate.change("DELETE", &paths[1], &dave, &Value::Null).await.status, 204);
    assert!(notes(&gate, &alice).await.is_empty());
    let acts = gate.journal.take();
    assert_eq!(acts.iter().map(|(who, _)| who.as_deref().unwrap()).collect::<Vec<_>>(), ["alice", "dave"]);
    assert!(acts.iter().all(|(_, act)| matches!(act, Act::NoteRemoved { bytes: 4, .. })), "{acts:?}");
}

async fn notes_are_bounded(on: On) {
    let gate = gate(on).await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    let text = |n: usize| json!({"at": 1, "text": "\u{1}".repeat(n)});
    assert_eq!(gate.change("POST", NOTES, &alice, &text(2000)).await.status, 201, "the longest, as JSON writes it");
    gate.change("POST", NOTES, &alice, &text(2001)).await.is_problem(400);
    gate.change("POST", NOTES, &alice, &json!({"at": 1_u64 << 53})).await.is_problem(400);
    for broken in [json!({"text": "x"}), json!({"at": -1}), json!({"at": 1, "by": "bob"}), json!([])] {
        let answer = gate.change("POST", NOTES, &alice, &broken).await;
        assert!(answer.status.is_client_error(), "{broken}");
    }
    for _ in 1..200 {
        assert_eq!(gate.change("POST", NOTES, &alice, &json!({"at": 1})).await.status, 201);
    }
    gate.change("POST", NOTES, &alice, &json!({"at": 1})).await.is_problem(409);
}

async fn a_rebuild_touches_nothing_that_people_made(on: On) {
    let gate = gate(on).await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    gate.change("PUT", "/api/filters/a", &alice, &json!({"query": "q=x"})).await;
    gate.change("POST", NOTES, &alice, &json!({"at": 7, "text": "stays"})).await;
    gate.portal.rebuild_index().await.unwrap();
    assert_eq!(notes(&gate, &alice).await[0]["text"], "stays");
    assert_eq!(gate.get("/api/filters/a", Some(&alice)).await.json()["query"], "q=x");
    let found = gate.get("/api/search?q=payment", Some(&alice)).await.json();
    assert_eq!(found["hits"].as_array().unwrap().len(), 2, "and what the bundles say is there again");
}
