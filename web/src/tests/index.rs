//! What the index says of a bundle, how it is paged, kept up and rebuilt.

use axum::http::StatusCode;
use portcullis_evidence::State;
use serde_json::json;

use super::bundles::Story;
use super::{Gate, On, on_both};
use crate::bundle::BundleError;
use crate::ingest::IngestError;

on_both!(
    a_closed_recording_is_as_its_bundle_says,
    a_running_recording_is_shown_as_such_until_it_is_sealed,
    looking_at_a_running_recording_brings_it_up_to_date,
    pages_are_newest_first_without_gap_or_repetition,
    the_index_is_rebuilt_from_the_vault_alone,
    catching_up_reads_what_is_new_or_was_running_and_no_more,
    what_the_vault_shows_no_more_stays_and_says_so,
    a_bundle_is_found_by_its_id_and_a_stray_one_refused,
);

/// The list's ids from the first page to the last.
async fn walk(gate: &Gate, cookie: &str, limit: u32) -> Vec<String> {
    let (mut ids, mut before) = (Vec::new(), String::new());
    loop {
        let answer = gate.get(&format!("/api/recordings?limit={limit}{before}"), Some(cookie)).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        let page = answer.json();
        let recordings = page["recordings"].as_array().unwrap();
        assert!(recordings.len() <= limit as usize);
        ids.extend(recordings.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => return ids,
        }
    }
}

async fn a_closed_recording_is_as_its_bundle_says(on: On) {
    let gate = Gate::on(on).await;
    let place = Story::new("0198-a", "alice").store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest(&place).await.unwrap();
    gate.portal.ingest(&place).await.unwrap();
    let alice = gate.cookie_of("alice", &["users"]).await;
    let mut recording = gate.get("/api/recordings/0198-a", Some(&alice)).await.json();
    let bytes = recording["bytes"].take().as_u64().unwrap();
    assert!((600_000..620_000).contains(&bytes), "{bytes}");
    assert_eq!(
        recording,
        json!({
            "id": "0198-a", "subject": "alice", "hold": null,
            "groups": ["users"], "desktop": "browser", "started": "2026-05-28T20:26:40.000000Z",
            "ended": "2026-05-28T20:27:00.000000Z", "duration_ms": 20_000, "state": "closed",
            "reason": "the person closed it <img onerror=alert(1)>", "bytes": null, "events": 12, "denied": 4, "gaps": 2,
            "encrypted": false, "recipients": [],
            "policy": { "revision": "sha256:0123456789ab", "rule": "users.yaml:3 allow.open" },
            "readings": {
                "thumbnail": { "state": "wanted", "reason": "", "lines": 0, "failed": 0, "until": null },
                "text": { "state": "none", "reason": "not_asked", "lines": 0, "failed": 0, "until": null },
            },
        })
    );
    assert_eq!(walk(&gate, &alice, 50).await, ["0198-a"]);
}

async fn a_running_recording_is_shown_as_such_until_it_is_sealed(on: On) {
    let gate = Gate::on(on).await;
    let story = Story::new("0198-a", "alice").running();
    let place = story.store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest(&place).await.unwrap();
    let alice = gate.cookie_of("alice", &["users"]).await;
    let live = gate.get("/api/recordings/0198-a", Some(&alice)).await.json();
    assert_eq!((&live["state"], &live["ended"], &live["reason"]), (&json!("recording"), &json!(null), &json!("")));
    assert_eq!((&live["duration_ms"], &live["events"]), (&json!(19_999), &json!(12)));

    let sealed = Story { end: Some(State::Interrupted), ..story };
    let stale = gate.portal.recording("0198-a").await.unwrap().unwrap();
    sealed.store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest("0198-a").await.unwrap();
    let state = async || gate.get("/api/recordings/0198-a", Some(&alice)).await.json()["state"].clone();
    assert_eq!(state().await, "interrupted");
    gate.portal.index().write(&stale).await.unwrap();
    assert_eq!(state().await, "interrupted", "what was read before the seal does not come back");
}

async fn looking_at_a_running_recording_brings_it_up_to_date(on: On) {
    let gate = Gate::on(on).await;
    let story = Story { segments: 1, ..Story::new("0198-a", "alice").running() };
    let place = story.store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest(&place).await.unwrap();
    let mut row = gate.portal.recording("0198-a").await.unwrap().unwrap();
    row.read_at -= 60;
    gate.portal.index().write(&row).await.unwrap();
    Story::new("0198-a", "alice").store(gate.dir(), gate.vault.as_ref()).await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    let list = gate.get("/api/recordings", Some(&alice)).await.json();
    assert_eq!(list["recordings"][0]["state"], "closed");
    assert_eq!(list["recordings"][0]["events"], 12);
}

async fn pages_are_newest_first_without_gap_or_repetition(on: On) {
    let gate = Gate::on(on).await;
    let mut expected = Vec::new();
    for n in 0..7 {
        // Two at a time start in the same microsecond.
        let story = Story { segments: 0, ..Story::new(&format!("0198-{n}"), "alice") }.after(i64::from(n / 2) * 86_400);
        gate.portal.ingest(&story.store(gate.dir(), gate.vault.as_ref()).await).await.unwrap();
        expected.insert(0, story.id);
    }
    let alice = gate.cookie_of("alice", &["users"]).await;
    let auditor = gate.cookie_of("carol", &["auditors"]).await;
    for limit in [1, 2, 3, 6, 7, 8, 200] {
        assert_eq!(walk(&gate, &alice, limit).await, expected, "limit {limit}");
        assert_eq!(walk(&gate, &auditor, limit).await, expected, "limit {limit}");
    }
    for query in ["limit=0", "limit=201", "limit=-1", "limit=x", "before=x", "before=", "before=%2527", "more=1"] {
        gate.get(&format!("/api/recordings?{query}"), Some(&alice)).await.is_problem(400);
    }
}

async fn the_index_is_rebuilt_from_the_vault_alone(on: On) {
    let gate = Gate::on(on).await;
    let vault = gate.vault.as_ref();
    let a = Story::new("0198-a", "alice").store(gate.dir(), vault).await;
    Story::new("0198-b", "bob").interrupted().after(86_400 * 40).store(gate.dir(), vault).await;
    Story::new("0198-c", "alice").running().after(60).store(gate.dir(), vault).await;
    let broken = Story::new("0198-d", "alice").after(90).store(gate.dir(), vault).await;
    std::fs::write(gate.dir().join("vault").join(&broken).join("session.json"), "{}").unwrap();
    let bad_seal = Story::new("0198-e", "alice").after(120).store(gate.dir(), vault).await;
    std::fs::write(gate.dir().join("vault").join(&bad_seal).join("seal.json"), "{}").unwrap();
    std::fs::write(gate.dir().join("vault").join(&a).join("zzzzzz"), "a stray file that sorts last").unwrap();
    std::fs::write(gate.dir().join("vault/sessions/2026/stray"), "no bundle").unwrap();
    gate.portal.ingest(&a).await.unwrap();
    let row = gate.portal.recording("0198-a").await.unwrap().unwrap();
    let gone = crate::index::Row { id: "0198-gone".into(), prefix: "sessions/2026/01/01/0198-gone".into(), ..row };
    gate.portal.index().begin(&gone).await.unwrap();

    let auditor = gate.cookie_of("carol", &["auditors"]).await;
    for first in [true, false] {
        let rebuilt = gate.portal.rebuild_index().await.unwrap();
        assert_eq!((rebuilt.recordings, rebuilt.missing.len()), (4, usize::from(first)));
        assert_eq!(rebuilt.failed.len(), 1);
        assert!(matches!(&rebuilt.failed[0], (place, BundleError::Manifest(_)) if *place == broken));
        assert_eq!(walk(&gate, &auditor, 50).await, ["0198-b", "0198-e", "0198-c", "0198-a"]);
    }
    let states = gate.get("/api/recordings", Some(&auditor)).await.json();
    let states: Vec<_> = states["recordings"].as_array().unwrap().iter().map(|one| one["state"].clone()).collect();
    assert_eq!(states, ["interrupted", "interrupted", "recording", "closed"]);
}

async fn catching_up_reads_what_is_new_or_was_running_and_no_more(on: On) {
    let gate = Gate::on(on).await;
    let vault = gate.vault.as_ref();
    let running = Story::new("0198-b", "alice").running();
    gate.portal.ingest(&Story::new("0198-a", "alice").store(gate.dir(), vault).await).await.unwrap();
    gate.portal.ingest(&running.store(gate.dir(), vault).await).await.unwrap();
    let mut known = gate.portal.recording("0198-a").await.unwrap().unwrap();
    known.events = 99;
    gate.portal.index().write(&known).await.unwrap();
    running.interrupted().store(gate.dir(), vault).await;
    Story::new("0198-c", "alice").store(gate.dir(), vault).await;

    let events = async || {
        let auditor = gate.cookie_of("carol", &["auditors"]).await;
        let list = gate.get("/api/recordings", Some(&auditor)).await.json();
        let all = list["recordings"].as_array().unwrap().clone();
        all.into_iter()
            .map(|one| format!("{} {} {}", one["id"], one["state"], one["events"]))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let caught_up = gate.portal.catch_up_index().await.unwrap();
    assert_eq!((caught_up.recordings, caught_up.missing.len(), caught_up.failed.len()), (3, 0, 0));
    let rest = "\"0198-c\" \"closed\" 12, \"0198-b\" \"interrupted\" 12, \"0198-a\" \"closed\"";
    assert_eq!(events().await, format!("{rest} 99"));
    gate.portal.rebuild_index().await.unwrap();
    assert_eq!(events().await, format!("{rest} 12"));
}

async fn what_the_vault_shows_no_more_stays_and_says_so(on: On) {
    let gate = Gate::on(on).await;
    let (vault, away) = (gate.dir().join("vault"), gate.dir().join("away"));
    let closed = Story::new("0198-a", "alice").store(gate.dir(), gate.vault.as_ref()).await;
    let story = Story::new("0198-b", "alice").running();
    let running = story.store(gate.dir(), gate.vault.as_ref()).await;
    Story::new("0198-c", "alice").store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.catch_up_index().await.unwrap();
    let alice = gate.cookie_of("alice", &["users"]).await;
    let states = async || {
        let list = gate.get("/api/recordings", Some(&alice)).await.json();
        let all = list["recordings"].as_array().unwrap().clone();
        all.iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(states().await, "closed recording closed");
    for (place, name) in [(&closed, "a"), (&running, "b")] {
        std::fs::create_dir_all(&away).unwrap();
        std::fs::rename(vault.join(place), away.join(name)).unwrap();
    }
    for newly in [vec!["0198-a", "0198-b"], vec![]] {
        let caught_up = gate.portal.catch_up_index().await.unwrap();
        assert_eq!((caught_up.recordings, caught_up.missing), (1, vec!["0198-a".to_owned(), "0198-b".to_owned()]));
        assert_eq!(caught_up.newly_missing, newly);
        assert_eq!(states().await, "closed missing missing");
    }
    let missing = gate.get("/api/recordings?state=missing", Some(&alice)).await.json();
    assert_eq!(missing["recordings"].as_array().unwrap().len(), 2, "{missing}");
    let found = gate.get("/api/search?q=payment", Some(&alice)).await.json();
    assert_eq!(found["hits"].as_array().unwrap().len(), 6, "what was in them is found: {found}");
    // What comes back is as it was, and what was sealed meanwhile is read.
    for (place, name) in [(&closed, "a"), (&running, "b")] {
        std::fs::rename(away.join(name), vault.join(place)).unwrap();
    }
    story.interrupted().store(gate.dir(), gate.vault.as_ref()).await;
    let caught_up = gate.portal.catch_up_index().await.unwrap();
    assert_eq!((caught_up.recordings, caught_up.missing.len()), (3, 0));
    assert_eq!(states().await, "closed interrupted closed");
    // Only who asks for a new index has it forget.
    std::fs::rename(vault.join(&closed), away.join("a")).unwrap();
    assert_eq!(gate.portal.rebuild_index().await.unwrap().missing, ["0198-a"]);
    assert_eq!(states().await, "closed interrupted");
}

async fn a_bundle_is_found_by_its_id_and_a_stray_one_refused(on: On) {
    let gate = Gate::on(on).await;
    let place = Story::new("0198-a", "alice").store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest("0198-a").await.unwrap();
    let by_day = "019e7051-4800-7cc3-98c4-dc0c0c07398f";
    Story::new(by_day, "alice").store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest(by_day).await.unwrap();
    let missing = gate.portal.ingest("0198-b").await;
    assert!(matches!(missing, Err(IngestError::Bundle(BundleError::Missing))), "{missing:?}");
    for place in ["sessions/../../etc", "/etc/passwd", "sessions//x"] {
        let refused = gate.portal.ingest(place).await;
        assert!(matches!(refused, Err(IngestError::Bundle(BundleError::Place(_)))), "{refused:?}");
    }
    // A bundle that was moved says that it is another one's: nobody gets to see it under that name.
    let vault = gate.dir().join("vault");
    let elsewhere = "sessions/2026/05/28/0198-bob";
    std::fs::rename(vault.join(&place), vault.join(elsewhere)).unwrap();
    let stray = gate.portal.ingest(elsewhere).await;
    assert!(matches!(stray, Err(IngestError::Bundle(BundleError::Stray(_)))), "{stray:?}");
}
