//! What is found by filters and by words, the same on both databases, and by whom.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use portcullis_policy::Glob;
use serde_json::{Value, json};

use super::bundles::Story;
use super::{Gate, On, on_both};
use crate::{Act, AuditorScope, PortalConfig};

on_both!(
    a_list_is_filtered,
    words_find_moments,
    what_is_malformed_is_no_fault,
    hits_are_paged_without_gap_or_repetition,
    an_auditor_of_some_finds_those_alone,
    a_search_is_on_the_record_once,
    what_expires_is_found_no_more,
    two_gates_at_once_take_everything_in_once,
    what_was_taken_in_half_is_gone_on_with,
);

fn config(config: &mut PortalConfig) {
    config.roles.scoped.push(AuditorScope {
        group: "leads".into(),
        groups: vec!["contractors".into()],
        desktops: vec![Glob::new("dev-*")],
    });
}

/// Four recordings: alice's in a browser, bob's on dev-1 as a contractor, carl's on dev-2, one that is running.
async fn gate(on: On) -> Gate {
    let database = on.database().await;
    let gate = Gate::open_as(|changed| {
        config(changed);
        changed.database = database.unwrap_or(changed.database.clone());
    })
    .await;
    for story in [
        Story::new("0198-a", "alice"),
        Story::new("0198-b", "bob").of(&["users", "contractors"]).on("dev-1").after(3600),
        Story { segments: 1, ..Story::new("0198-c", "carl").on("dev-2").after(7200).interrupted() },
        Story { segments: 0, ..Story::new("0198-d", "dora").of(&["contractors"]).after(10_800).running() },
    ] {
        gate.portal.ingest(&story.store(gate.dir(), gate.vault.as_ref()).await).await.unwrap();
    }
    gate
}

async fn ids(gate: &Gate, cookie: &str, query: &str) -> String {
    let answer = gate.get(&format!("/api/recordings?{query}"), Some(cookie)).await;
    assert_eq!(answer.status, 200, "{query}: {:?}", answer.body);
    let all = answer.json()["recordings"].as_array().unwrap().clone();
    all.iter().map(|one| one["id"].as_str().unwrap().trim_start_matches("0198-").to_owned()).collect()
}

async fn hits(gate: &Gate, cookie: &str, query: &str) -> Vec<Value> {
    let answer = gate.get(&format!("/api/search?{query}"), Some(cookie)).await;
    assert_eq!(answer.status, 200, "{query}: {:?}", answer.body);
    answer.json()["hits"].as_array().unwrap().clone()
}

async fn a_list_is_filtered(on: On) {
    let gate = gate(on).await;
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    for (query, expected) in [
        ("subject=bob", "b"),
        ("subject=Bob", ""),
        ("issuer=idp", "dcba"),
        ("issuer=idp&subject=alice", "a"),
        ("group=contractors", "db"),
        ("group=contractors&subject=dora", "d"),
        ("desktop=dev-1", "b"),
        ("desktop=dev-*", ""),
        ("state=closed", "ba"),
        ("state=interrupted", "c"),
        ("state=recording", "d"),
        ("verdict=denied", "cba"),
        ("verdict=permitted", "d"),
        ("min_ms=20000", "ba"),
        ("max_ms=10000", "dc"),
        ("min_ms=20000&max_ms=19999", ""),
        ("from=2026-05-28T21:26:40Z", "dcb"),
        ("until=2026-05-28T21:26:40Z", "a"),
        ("from=2026-05-28T22:26:40%2B01:00&until=2026-05-28T22:26:40.001Z", "cb"),
        ("policy=sha256:0123456789ab", "dcba"),
        ("policy=users.yaml", "dcba"),
        ("policy=users.yaml:4%20allow", "cba"),
        ("policy=users.yaml:9%20allow", ""),
        ("group=contractors&policy=users.yaml:4%20allow", "b"),
        ("q=payment", "cba"),
        ("q=payment&group=contractors", "b"),
        ("q=%22payment%20card%22%20dev&verdict=denied", "cb"),
        ("q=alice", "a"),
        ("kind=refused&max_ms=10000", "c"),
        ("q=", "dcba"),
        ("limit=2", "dc"),
        ("limit=2&q=payment", "cb"),
    ] {
        assert_eq!(ids(&gate, &carol, query).await, expected, "{query}");
    }
    for query in [
        "from=yesterday",
        "until=2026-05-28",
        "verdict=deny",
        "state=open",
        "min_ms=-1",
        &format!("q={}", "x".repeat(257)),
        &format!("subject={}", "x".repeat(257)),
        "subject=%00",
        "q=%22*%22",
        "sort=subject",
    ] {
        gate.get(&format!("/api/recordings?{query}"), Some(&carol)).await.is_problem(400);
    }
    let first = gate.get("/api/recordings?q=payment&limit=2", Some(&carol)).await.json();
    let next = first["next"].as_str().unwrap();
    assert_eq!(ids(&gate, &carol, &format!("q=payment&limit=2&before={next}")).await, "a");
}

async fn words_find_moments(on: On) {
    let gate = gate(on).await;
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    let found = hits(&gate, &carol, "q=payment-CARD&subject=bob").await;
    assert_eq!(found.len(), 2, "one in each segment");
    assert_eq!(
        found[0],
        json!({
            "recording": "0198-b", "subject": "bob", "desktop": "dev-1", "started": "2026-05-28T21:26:40.000000Z",
            "at": 19_999, "kind": "paste", "verdict": "deny", "rule": "users.yaml:4 allow",
            "policy": "sha256:0123456789ab",
            "snippet": { "text": "payment-card · for a test", "marks": [{"from": 0, "to": 7}, {"from": 8, "to": 12}] },
            "screen": null,
        })
    );
    for (query, expected) in [
        ("q=payment", 5),
        ("q=paym*", 5),
        ("q=paym", 0),
        ("q=%22card%20payment%22", 0),
        ("q=card%20payment", 5),
        ("q=%22a%20tes*%22%20denied%20bob", 4),
        ("q=refused%20dev", 3),
        ("q=test&verdict=permitted&desktop=dev-1", 2),
        ("q=test&kind=gap", 5),
        ("kind=copy", 5),
        ("verdict=denied&subject=carl", 2),
        ("q=test&from=2026-05-28T22:26:40Z", 4),
        ("q=test&until=2026-05-28T20:26:40.001Z&kind=gap", 2),
        ("q=test&policy=users.yaml&group=contractors&kind=gap", 2),
        ("q=zzz", 0),
        // Nothing that crossed and no key that was pressed is text: not even a hash of it, nor a count.
        ("q=keys", 0),
        ("q=0000000000000000000000000000000000000000000000000000000000000000", 0),
    ] {
        assert_eq!(hits(&gate, &carol, query).await.len(), expected, "{query}");
    }
    for query in ["", "subject=bob", "q=x&before=x", "q=x&limit=0", "q=-"] {
        gate.get(&format!("/api/search?{query}"), Some(&carol)).await.is_problem(400);
    }
}

/// Nothing that is typed is a fault of the database's, or means more than words.
async fn what_is_malformed_is_no_fault(on: On) {
    let gate = gate(on).await;
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    for question in [
        "\"payment",
        "payment\"",
        "pay* AND",
        "a OR b",
        "NEAR(payment card)",
        "text:payment",
        "'; DROP TABLE events --",
        "pay:*",
        "!payment",
        "(payment",
        "payment & | <-> !",
        "\\payment\\",
        "{payment}",
        "-payment",
        "^payment",
        "🦀payment🦀",
        "ﷺ",
        "İ",
        "x\u{301}",
        "$9 ?9",
    ] {
        let query: String = question.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = gate.get(&format!("/api/search?q={query}"), Some(&carol)).await;
        assert_eq!(answer.status, 200, "{question}: {:?}", answer.body);
        let expected = match question {
            "\"payment" | "payment\"" | "!payment" | "(payment" | "payment & | <-> !" | "\\payment\\" | "{payment}"
            | "-payment" | "^payment" | "🦀payment🦀" | "pay:*" => 5,
            _ => 0,
        };
        assert_eq!(answer.json()["hits"].as_array().unwrap().len(), expected, "{question}");
    }
}

async fn hits_are_paged_without_gap_or_repetition(on: On) {
    let gate = gate(on).await;
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    let place = |hit: &Value| format!("{} {} {}", hit["recording"], hit["at"], hit["kind"]);
    let all: Vec<_> = hits(&gate, &carol, "q=test").await.iter().map(place).collect();
    assert_eq!(all.len(), 20, "paste, copy, refused and gap of each segment");
    for limit in [1, 3, 7, 20] {
        let (mut walked, mut before) = (Vec::new(), String::new());
        loop {
            let answer = gate.get(&format!("/api/search?q=test&limit={limit}{before}"), Some(&carol)).await.json();
            walked.extend(answer["hits"].as_array().unwrap().iter().map(place));
            let Some(next) = answer["next"].as_str() else { break };
            before = format!("&before={next}");
        }
        assert_eq!(walked, all, "limit {limit}");
    }
}

async fn an_auditor_of_some_finds_those_alone(on: On) {
    let gate = gate(on).await;
    for (name, groups, listed, found) in [
        ("lena", vec!["leads"], "b", 2),
        ("alice", vec!["leads", "users"], "ba", 4),
        ("bob", vec!["users"], "b", 2),
        ("carol", vec!["auditors", "leads"], "dcba", 5),
        ("nobody", vec!["contractors"], "", 0),
    ] {
        let cookie = gate.cookie_of(name, &groups).await;
        assert_eq!(ids(&gate, &cookie, "").await, listed, "{name}");
        assert_eq!(hits(&gate, &cookie, "q=payment").await.len(), found, "{name}");
        assert_eq!(ids(&gate, &cookie, "q=payment").await, listed.replace('d', ""), "{name}");
        for id in ["a", "b", "c", "d"] {
            let expected = if listed.contains(id) { 200 } else { 404 };
            let one = gate.get(&format!("/api/recordings/0198-{id}"), Some(&cookie)).await;
            assert_eq!(one.status.as_u16(), expected, "{name} {id}");
        }
    }
    let lena = gate.cookie_of("lena", &["leads"]).await;
    assert_eq!(gate.get("/api/me", Some(&lena)).await.json()["roles"], json!(["auditor"]));
    assert_eq!(gate.get("/api/recordings/0198-b/export", Some(&lena)).await.status, 200);
    let alice = gate.cookie_of("alice", &["leads", "users"]).await;
    gate.get("/api/recordings/0198-a/export", Some(&alice)).await.is_problem(403);
}

async fn a_search_is_on_the_record_once(on: On) {
    let gate = gate(on).await;
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    gate.journal.take();
    for path in ["/api/recordings?limit=1", "/api/recordings", "/api/search?q=-", "/api/recordings?sort=x"] {
        gate.get(path, Some(&carol)).await;
    }
    assert!(gate.journal.take().is_empty(), "nothing was sought");
    for path in [
        "/api/recordings?subject=bob&limit=1",
        "/api/recordings?subject=bob",
        "/api/search?q=Pay*%20x",
        "/api/search?q=Pay*%20x&limit=3",
    ] {
        gate.get(path, Some(&carol)).await;
    }
    let searched = |query: &[(&str, &str)]| {
        let query = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        (Some("carol".to_owned()), Act::Searched { query })
    };
    assert_eq!(gate.journal.take(), [searched(&[("subject", "bob")]), searched(&[("q", "Pay* x")])]);
    gate.journal.full.store(true, Ordering::SeqCst);
    gate.get("/api/recordings?subject=bob", Some(&carol)).await;
    gate.get("/api/recordings?subject=dora", Some(&carol)).await.is_problem(503);
    gate.get("/api/search?q=new", Some(&carol)).await.is_problem(503);
}

async fn what_expires_is_found_no_more(on: On) {
    let gate = gate(on).await;
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    gate.portal.mark_expired("0198-b").await.unwrap();
    assert_eq!(hits(&gate, &carol, "q=payment").await.len(), 3);
    assert_eq!(ids(&gate, &carol, "state=expired&group=contractors").await, "b");
    let row = gate.get("/api/recordings/0198-b", Some(&carol)).await.json();
    assert_eq!((&row["state"], &row["events"], &row["denied"]), (&json!("expired"), &json!(12), &json!(4)));
}

/// Two gates over one PostgreSQL, or two portals over one file: an event is in once, whoever put it in.
async fn two_gates_at_once_take_everything_in_once(on: On) {
    let database = on.database().await;
    let one = Gate::open_as(|changed| changed.database = database.clone().unwrap_or(changed.database.clone())).await;
    let same = database.unwrap_or(crate::Database::Sqlite(one.dir().join("portcullis.db")));
    let other = Gate::over(tempfile::tempdir().unwrap(), one.vault.clone(), |changed| changed.database = same).await;
    let mut places = Vec::new();
    for n in 0..6 {
        let story = Story { segments: 3, ..Story::new(&format!("0198-{n}"), "alice") };
        places.push(story.store(one.dir(), one.vault.as_ref()).await);
    }
    let places = Arc::new(places);
    let take = |portal: crate::Portal, turned: bool| {
        let places = places.clone();
        tokio::spawn(async move {
            let mut mine: Vec<_> = places.iter().cloned().collect();
            if turned {
                mine.reverse();
            }
            for place in &mine {
                portal.ingest(place).await.unwrap();
            }
        })
    };
    let all = [(&one, false), (&other, false), (&one, true), (&other, true)];
    for taking in all.map(|(gate, turned)| take(gate.portal.clone(), turned)) {
        taking.await.unwrap();
    }
    let carol = one.cookie_of("carol", &["auditors"]).await;
    assert_eq!(ids(&one, &carol, "").await.len(), 6);
    assert_eq!(hits(&one, &carol, "q=payment&limit=200").await.len(), 18);
    let list = one.get("/api/recordings", Some(&carol)).await.json();
    for recording in list["recordings"].as_array().unwrap() {
        assert_eq!(
            (&recording["events"], &recording["denied"], &recording["gaps"]),
            (&json!(18), &json!(6), &json!(3))
        );
        assert_eq!(recording["state"], "closed");
    }
}

/// A gate that was killed in the midst of it, and a bundle whose files came in another order than they were made in.
async fn what_was_taken_in_half_is_gone_on_with(on: On) {
    let gate = Gate::on(on).await;
    let story = Story { segments: 4, ..Story::new("0198-a", "alice") };
    let place = story.store(gate.dir(), gate.vault.as_ref()).await;
    let folder = gate.dir().join("vault").join(&place);
    let away = |name: &str| std::fs::rename(folder.join(name), gate.dir().join(name.replace('/', "_"))).unwrap();
    let back = |name: &str| std::fs::rename(gate.dir().join(name.replace('/', "_")), folder.join(name)).unwrap();
    for name in ["seal.json", "events/00002.jsonl", "events/00004.jsonl"] {
        away(name);
    }
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    for (name, expected) in [("", 2), ("events/00004.jsonl", 3), ("events/00002.jsonl", 4), ("seal.json", 4)] {
        if !name.is_empty() {
            back(name);
        }
        gate.portal.ingest(&place).await.unwrap();
        assert_eq!(hits(&gate, &carol, "q=payment").await.len(), expected, "{name}");
    }
    let row = gate.portal.recording("0198-a").await.unwrap().unwrap();
    assert_eq!((row.lines, row.denied, row.segment, row.files, row.state.as_str()), (24, 8, 5, 4, "closed"));
}
