//! Text that was on the screen and small pictures: found, served and gone, the same on both databases.

use portcullis_evidence::{Digest, PathInBundle, Reading, ReadingKind, ScreenLine, SigningKey, TextTerms, stamp};
use portcullis_vault::{Key, Place};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::bundles::Story;
use super::{Gate, On, on_both};
use crate::{Act, Part, Unread};

on_both!(
    what_stood_on_the_screen_is_found_among_events,
    nobody_finds_what_they_may_not_see,
    a_rebuild_brings_text_and_picture_back,
    what_is_forged_is_not_taken_in,
    a_failure_is_kept_and_tried_again_a_few_times,
    a_recording_says_why_nothing_was_read,
    what_expires_takes_text_and_picture_with_it,
);

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 not much of a picture \xff\xd9";

fn line(text: &str, from_ms: u64, y: u16) -> ScreenLine {
    ScreenLine { from_ms, until_ms: from_ms + 4000, x: 40, y, w: 300, h: 14, confidence: 93, text: text.to_owned() }
}

fn asking(story: Story) -> Story {
    Story { text: Some(TextTerms::Read), ..story }
}

/// Puts a reading where a gate that has read the recording puts it.
async fn store(gate: &Gate, prefix: &str, kind: ReadingKind, bytes: &[u8], key: &SigningKey) {
    let place = Place::of(&Key::new(prefix).unwrap()).unwrap();
    let seal = gate.vault.read(&Key::of(prefix, PathInBundle::Seal).unwrap(), None).await.unwrap();
    let reading = Reading {
        v: 1,
        session: place.id().to_owned(),
        kind,
        of: Digest::of(&seal),
        made: stamp(OffsetDateTime::UNIX_EPOCH),
        tool: "a test".to_owned(),
        settings: String::new(),
        bytes: bytes.len() as u64,
        sha256: Digest::of(bytes),
        lines: bytes.split(|byte| *byte == b'\n').count() as u64 - 1,
        pictures: 9,
        regions: 3,
        failed: 1,
        pixels: 100,
        shown: 1000,
        until_ms: None,
    };
    put(gate, &place, &kind.file(&reading.sha256), bytes).await;
    put(gate, &place, &kind.statement(), &reading.sign(key).unwrap()).await;
}

/// Gives a recording a small picture.
pub(super) async fn picture(gate: &Gate, prefix: &str) {
    store(gate, prefix, ReadingKind::Thumbnail, JPEG, &key()).await;
}

async fn put(gate: &Gate, place: &Place, name: &str, bytes: &[u8]) {
    let file = gate.dir().join("to-be-stored");
    std::fs::write(&file, bytes).unwrap();
    let key = Key::new(format!("{}/{name}", place.readings().unwrap())).unwrap();
    gate.vault.put(&key, &file).await.unwrap();
}

fn written(lines: &[ScreenLine]) -> Vec<u8> {
    lines.iter().flat_map(|line| line.to_line().unwrap()).collect()
}

fn key() -> SigningKey {
    SigningKey::generate(&[7; 32])
}

/// All that is to be read, in its order.
async fn unread(gate: &Gate) -> Vec<Unread> {
    let mut all = Vec::new();
    while let Some(unread) = gate.portal.next_unread().await.unwrap() {
        if !gate.portal.take_reading(&unread).await.unwrap() {
            break;
        }
        all.push(unread);
    }
    all
}

/// alice's and bob's recordings, sealed, and read.
async fn gate(on: On) -> Gate {
    let gate = Gate::on(on).await;
    let screens = [
        ("0198-a", "alice", "Quarterly payroll transfer <script>alert(1)</script>"),
        ("0198-b", "bob", "The payroll of bob"),
    ];
    for (id, name, text) in screens {
        let prefix = asking(Story::new(id, name)).store(gate.dir(), gate.vault.as_ref()).await;
        gate.portal.ingest(&prefix).await.unwrap();
        let lines = [line(text, 2000, 60), line("user@host: ls payment", 9000, 90)];
        store(&gate, &prefix, ReadingKind::Text, &written(&lines), &key()).await;
        store(&gate, &prefix, ReadingKind::Thumbnail, JPEG, &key()).await;
    }
    let read = unread(&gate).await;
    let kinds: Vec<_> = read.iter().map(|unread| (unread.kind, unread.place.id())).collect();
    use ReadingKind::{Text, Thumbnail};
    assert_eq!(kinds, [(Thumbnail, "0198-b"), (Thumbnail, "0198-a"), (Text, "0198-b"), (Text, "0198-a")]);
    gate
}

async fn hits(gate: &Gate, cookie: &str, query: &str) -> Vec<Value> {
    let answer = gate.get(&format!("/api/search?{query}"), Some(cookie)).await;
    assert_eq!(answer.status, 200, "{query}: {:?}", answer.body);
    answer.json()["hits"].as_array().unwrap().clone()
}

async fn what_stood_on_the_screen_is_found_among_events(on: On) {
    let gate = gate(on).await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    let found = hits(&gate, &alice, "q=payroll%20alert").await;
    let text = "Quarterly payroll transfer <script>alert(1)</script>";
    assert_eq!(
        found,
        [json!({
            "recording": "0198-a", "subject": "alice", "desktop": "browser", "started": "2026-05-28T20:26:40.000000Z",
            "at": 2000, "kind": "screen", "verdict": null, "rule": "", "policy": "sha256:0123456789ab",
            "snippet": { "text": text, "marks": [{ "from": 10, "to": 17 }, { "from": 35, "to": 40 }] },
            "screen": { "until": 6000, "confidence": 93, "x": 40, "y": 60, "width": 300, "height": 14 },
        })]
    );
    // Events and what stood on the screen in one list, and each by itself.
    let kinds = async |query: &str| -> Vec<String> {
        let found = hits(&gate, &alice, query).await;
        found.iter().map(|hit| hit["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds("q=payment").await, ["screen", "paste", "paste"]);
    assert_eq!(kinds("q=payment&kind=screen").await, ["screen"]);
    assert_eq!(kinds("q=payment&kind=paste").await, ["paste", "paste"]);
    assert_eq!(kinds("q=payment&verdict=denied").await, ["paste", "paste"]);
    assert_eq!(kinds("q=%22payroll%20transfer%22").await, ["screen"]);
    assert_eq!(kinds("q=quarter*&recording=0198-a").await, ["screen"]);
    // Page by page, none twice.
    let first = gate.get("/api/search?q=payment&limit=1", Some(&alice)).await.json();
    let next = first["next"].as_str().unwrap();
    assert_eq!(kinds(&format!("q=payment&limit=1&before={next}")).await, ["paste"]);
    // Lists of recordings find by it, too.
    let list = gate.get("/api/recordings?q=quarterly", Some(&alice)).await.json();
    assert_eq!(list["recordings"][0]["id"], "0198-a");
    assert_eq!(
        list["recordings"][0]["readings"]["text"],
        json!({
            "state": "made", "reason": "", "lines": 2, "failed": 1, "until": null
        })
    );
    assert!(
        gate.journal.take().iter().any(|(_, act)| matches!(act, Act::Searched { query } if query["q"] == "payment"))
    );
}

async fn nobody_finds_what_they_may_not_see(on: On) {
    let gate = gate(on).await;
    let (alice, carol) = (gate.cookie_of("alice", &["users"]).await, gate.cookie_of("carol", &["auditors"]).await);
    let whose = async |cookie: &str, query: &str| -> Vec<String> {
        let found = hits(&gate, cookie, query).await;
        found.iter().map(|hit| hit["subject"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(whose(&carol, "q=payroll").await, ["bob", "alice"]);
    assert_eq!(whose(&alice, "q=payroll").await, ["alice"]);
    assert!(whose(&alice, "q=payroll&recording=0198-b").await.is_empty());
    assert!(whose(&alice, "q=payroll&recording=0198-none").await.is_empty());
    let picture = |id: &str| format!("/api/recordings/{id}/thumbnail");
    gate.get(&picture("0198-b"), Some(&alice)).await.is_problem(404);
    gate.get(&picture("0198-a"), None).await.is_problem(401);
    gate.journal.take();
    let answer = gate.get(&picture("0198-a"), Some(&alice)).await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, JPEG));
    assert_eq!(answer.header("content-type"), "image/jpeg");
    assert_eq!(answer.header("cache-control"), "private, max-age=31536000, immutable");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let tag = answer.header("etag").to_owned();
    let again = gate.get_with(&picture("0198-a"), &alice, &[("if-none-match", &tag)]).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    let viewed = Act::Viewed { recording: "0198-a".into(), subject: "alice".into(), part: Part::Thumbnail };
    assert_eq!(gate.journal.take(), [(Some("alice".to_owned()), viewed)]);
}

async fn a_rebuild_brings_text_and_picture_back(on: On) {
    let gate = gate(on).await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    let before = hits(&gate, &alice, "q=payment").await;
    assert_eq!(gate.portal.rebuild_index().await.unwrap().recordings, 2);
    assert!(gate.portal.next_unread().await.unwrap().is_none(), "nothing is read a second time");
    assert_eq!(hits(&gate, &alice, "q=payment").await, before);
    assert_eq!(gate.get("/api/recordings/0198-a/thumbnail", Some(&alice)).await.body, JPEG);
    gate.portal.ingest("0198-a").await.unwrap();
    assert_eq!(hits(&gate, &alice, "q=payment").await, before, "once more does no harm");
}

async fn what_is_forged_is_not_taken_in(on: On) {
    let gate = Gate::on(on).await;
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    let lines = written(&[line("planted words", 1, 1)]);
    let prefix = |id: &str, gate: &Gate| {
        let (story, dir, vault) = (asking(Story::new(id, "alice")), gate.dir().to_owned(), gate.vault.clone());
        async move { story.store(&dir, vault.as_ref()).await }
    };
    // By a key of somebody else.
    let forged = prefix("0198-a", &gate).await;
    store(&gate, &forged, ReadingKind::Text, &lines, &SigningKey::generate(&[9; 32])).await;
    // Of another file than the one that lies there.
    let edited = prefix("0198-b", &gate).await;
    store(&gate, &edited, ReadingKind::Text, &lines, &key()).await;
    let place = Place::of(&Key::new(edited.as_str()).unwrap()).unwrap();
    let file = gate.dir().join("vault").join(format!(
        "{}/{}",
        place.readings().unwrap(),
        ReadingKind::Text.file(&Digest::of(&lines))
    ));
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, written(&[line("other words", 1, 1)])).unwrap();
    for place in [&forged, &edited] {
        gate.portal.ingest(place).await.unwrap();
    }
    assert!(hits(&gate, &carol, "q=words").await.is_empty());
    let unread = gate.portal.next_unread().await.unwrap().unwrap();
    assert_eq!((unread.kind, unread.place.id()), (ReadingKind::Thumbnail, "0198-b"));
}

async fn a_failure_is_kept_and_tried_again_a_few_times(on: On) {
    let gate = Gate::on(on).await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    let prefix = Story::new("0198-a", "alice").store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest(&prefix).await.unwrap();
    let unread = gate.portal.next_unread().await.unwrap().unwrap();
    for again in [true, true, false] {
        assert_eq!(gate.portal.reading_failed(&unread, "tesseract\u{1b} is not on this machine").await.unwrap(), again);
    }
    assert!(gate.portal.next_unread().await.unwrap().is_none(), "not at once, and in the end not at all");
    let standing = gate.get("/api/recordings/0198-a", Some(&alice)).await.json()["readings"]["thumbnail"].clone();
    assert_eq!(
        (&standing["state"], &standing["reason"]),
        (&json!("failed"), &json!("tesseract is not on this machine"))
    );
    gate.get("/api/recordings/0198-a/thumbnail", Some(&alice)).await.is_problem(404);
    gate.portal.try_readings_again().await.unwrap();
    assert!(gate.portal.next_unread().await.unwrap().is_some(), "a gate that starts anew tries again");
    store(&gate, &prefix, ReadingKind::Thumbnail, JPEG, &key()).await;
    assert!(gate.portal.take_reading(&unread).await.unwrap());
    assert!(gate.portal.next_unread().await.unwrap().is_none());
}

async fn a_recording_says_why_nothing_was_read(on: On) {
    let gate = Gate::on(on).await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    for story in
        [Story::new("0198-a", "alice"), asking(Story::new("0198-b", "alice")), Story::new("0198-c", "alice").running()]
    {
        gate.portal.ingest(&story.store(gate.dir(), gate.vault.as_ref()).await).await.unwrap();
    }
    let standing = async |id: &str, what: &str| {
        let told = gate.get(&format!("/api/recordings/{id}"), Some(&alice)).await.json();
        let told = &told["readings"][what];
        format!("{} {}", told["state"].as_str().unwrap(), told["reason"].as_str().unwrap())
    };
    assert_eq!(standing("0198-a", "text").await, "none not_asked");
    assert_eq!(standing("0198-a", "thumbnail").await, "wanted ");
    assert_eq!(standing("0198-b", "text").await, "wanted ");
    assert_eq!(standing("0198-c", "text").await, "none running");
    // No policy asked: text that somebody puts there is not taken in.
    let prefix = gate.portal.recording("0198-a").await.unwrap().unwrap().prefix;
    store(&gate, &prefix, ReadingKind::Text, &written(&[line("unasked", 1, 1)]), &key()).await;
    gate.portal.rebuild_index().await.unwrap();
    assert!(hits(&gate, &alice, "q=unasked").await.is_empty());
}

async fn what_expires_takes_text_and_picture_with_it(on: On) {
    let gate = gate(on).await;
    let alice = gate.cookie_of("alice", &["users"]).await;
    gate.portal.mark_expired("0198-a").await.unwrap();
    assert!(hits(&gate, &alice, "q=payroll").await.is_empty());
    gate.get("/api/recordings/0198-a/thumbnail", Some(&alice)).await.is_problem(404);
    let told = gate.get("/api/recordings/0198-a", Some(&alice)).await.json();
    assert_eq!(told["readings"]["text"]["reason"], "expired");
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    assert_eq!(hits(&gate, &carol, "q=payroll").await.len(), 1, "bob's stays");
}
