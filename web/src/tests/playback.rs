//! Playlist, video and events: what is served, in what part, and put on the record first.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::Request;
use portcullis_evidence::{Event, PathInBundle};
use portcullis_vault::Key;

use super::bundles::{Story, store};
use super::{Gate, signed};
use crate::{Act, Part};

const VIDEO: &str = "/api/recordings/0198-alice/video/00001.m4s";
const EVENTS: &str = "/api/recordings/0198-alice/events";
const INDEX: &str = "/api/recordings/0198-alice/index.m3u8";

async fn gate() -> (Gate, String) {
    gate_with(Story::new("0198-alice", "alice")).await
}

async fn gate_with(story: Story) -> (Gate, String) {
    let gate = Gate::open().await;
    let place = story.store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest(&place).await.unwrap();
    let alice = gate.cookie_of("alice", &["users"]).await;
    (gate, alice)
}

#[tokio::test]
async fn the_playlist_and_all_that_it_names_are_served() {
    let (gate, alice) = gate().await;
    let playlist = gate.get(INDEX, Some(&alice)).await;
    assert_eq!(playlist.status, 200);
    assert_eq!(playlist.header("content-type"), "application/vnd.apple.mpegurl");
    assert_eq!(playlist.header("cache-control"), "no-store");
    let text = String::from_utf8(playlist.body.to_vec()).unwrap();
    assert!(text.ends_with("#EXT-X-ENDLIST\n"), "{text}");
    let names: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(names, ["video/00001.m4s", "video/00002.m4s"]);
    for n in 1..=2 {
        let answer = gate.get(&format!("/api/recordings/0198-alice/video/0000{n}.m4s"), Some(&alice)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, Story::video(n));
        assert_eq!(answer.header("content-length"), "300000");
        assert_eq!(answer.header("content-type"), "video/mp4");
        assert_eq!(answer.header("accept-ranges"), "bytes");
        assert_eq!(answer.header("cache-control"), "private, max-age=31536000, immutable");
        assert_eq!(answer.header("vary"), "Cookie");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let init = gate.get("/api/recordings/0198-alice/video/init-0001.mp4", Some(&alice)).await;
    assert_eq!(init.body, "ftyp and moov");
}

#[tokio::test]
async fn ranges() {
    let (gate, alice) = gate().await;
    let whole = Story::video(1);
    for (range, status, contents, expected) in [
        ("bytes=0-0", 206, "bytes 0-0/300000", &whole[..1]),
        ("bytes=100-299999", 206, "bytes 100-299999/300000", &whole[100..]),
        ("bytes=262100-262200", 206, "bytes 262100-262200/300000", &whole[262_100..=262_200]),
        ("bytes=299990-", 206, "bytes 299990-299999/300000", &whole[299_990..]),
        ("bytes=-10", 206, "bytes 299990-299999/300000", &whole[299_990..]),
        ("bytes=-400000", 206, "bytes 0-299999/300000", &whole[..]),
        ("bytes=0-1,5-6", 200, "", &whole[..]),
        ("bytes=9-1", 200, "", &whole[..]),
        ("lines=1-2", 200, "", &whole[..]),
    ] {
        let answer = gate.get_with(VIDEO, &alice, &[("range", range)]).await;
        assert_eq!(answer.status, status, "{range}");
        assert_eq!(answer.header("content-range"), contents, "{range}");
        assert_eq!(answer.header("content-length"), expected.len().to_string(), "{range}");
        assert_eq!(answer.body, expected, "{range}");
    }
    for range in ["bytes=300000-", "bytes=-0", "bytes=99999999999999999999-"] {
        let answer = gate.get_with(VIDEO, &alice, &[("range", range)]).await;
        answer.is_problem(416);
        assert_eq!(answer.header("content-range"), "bytes */300000");
    }
}

#[tokio::test]
async fn conditions() {
    let (gate, alice) = gate().await;
    let tag = gate.get(VIDEO, Some(&alice)).await.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() > 20, "{tag}");
    let other = gate.get("/api/recordings/0198-alice/video/00002.m4s", Some(&alice)).await.header("etag").to_owned();
    assert_ne!(tag, other);
    let held = gate.get_with(VIDEO, &alice, &[("if-none-match", &format!("{other}, {tag}"))]).await;
    assert_eq!((held.status.as_u16(), held.body.len()), (304, 0));
    let part = gate.get_with(VIDEO, &alice, &[("range", "bytes=0-9"), ("if-range", &tag)]).await;
    assert_eq!((part.status.as_u16(), part.body.len()), (206, 10));
    let whole = gate.get_with(VIDEO, &alice, &[("range", "bytes=0-9"), ("if-range", &other)]).await;
    assert_eq!((whole.status.as_u16(), whole.body.len()), (200, 300_000));
    let head = signed(Request::head(VIDEO), Some(&alice)).header("range", "bytes=0-9").body(Body::empty()).unwrap();
    let head = gate.send(head).await;
    assert_eq!((head.status.as_u16(), head.header("content-length"), head.body.len()), (200, "300000", 0));
}

#[tokio::test]
async fn nothing_but_the_video_that_the_playlist_names_is_served() {
    let (gate, alice) = gate().await;
    // A file that lies in the bundle's folder and that no playlist names.
    let stray = gate.dir().join("stray");
    std::fs::write(&stray, "secret").unwrap();
    let place = gate.portal.recording("0198-alice").await.unwrap().unwrap().prefix;
    store(gate.vault.as_ref(), &place, PathInBundle::Video(3), &stray).await;
    std::fs::write(gate.dir().join("vault").join(&place).join("video/notes.txt"), "secret").unwrap();
    for name in [
        "00003.m4s",
        "notes.txt",
        "00009.m4s",
        "init-0002.mp4",
        "1.m4s",
        "00001.M4S",
        "00001.m4s%00",
        "00001.m4s%0a",
        "",
        "..",
        "../session.json",
        "..%2fsession.json",
        "%2e%2e%2fseal.json",
        "..%5cseal.json",
        "....//seal.json",
        "%2fetc%2fpasswd",
        "00001.m4s/",
        "00001.m4s%2f..%2f..%2fsession.json",
        "%c0%ae%c0%ae%2fsession.json",
        "%ff",
    ] {
        let answer = gate.get(&format!("/api/recordings/0198-alice/video/{name}"), Some(&alice)).await;
        answer.is_problem(404);
    }
    for path in [
        "seal.json",
        "session.json",
        "SHA256SUMS",
        "chain/00001.jws",
        "events/00002.txt",
        "video",
        "video/../index.m3u8",
        "%2e%2e/0198-bob",
        "..",
        "../../me",
    ] {
        let answer = gate.get(&format!("/api/recordings/0198-alice/{path}"), Some(&alice)).await;
        answer.is_problem(404);
    }
    for id in ["..", "%2e%2e", "0198-alice%2f..", "0198-alice%00", "*", "%", "0198-ALICE", "%ff%fe", "0198-alice'--"] {
        gate.get(&format!("/api/recordings/{id}/index.m3u8"), Some(&alice)).await.is_problem(404);
    }
    assert!(gate.journal.take().is_empty(), "nothing was viewed");
}

#[tokio::test]
async fn events_are_the_lines_of_the_bundle() {
    let (gate, alice) = gate().await;
    let answer = gate.get(EVENTS, Some(&alice)).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let place = gate.portal.recording("0198-alice").await.unwrap().unwrap().prefix;
    let mut lines = Vec::new();
    for n in 1..=2 {
        let file = gate.vault.read(&Key::of(&place, PathInBundle::Events(n)).unwrap(), None).await.unwrap();
        lines.extend(String::from_utf8(file.to_vec()).unwrap().lines().map(str::to_owned));
    }
    assert_eq!(lines.len(), 12);
    assert_eq!(answer.body, format!("{{\"events\":[{}],\"faults\":[]}}", lines.join(",")));
    let first: Event = serde_json::from_value(answer.json()["events"][0].clone()).unwrap();
    assert_eq!((first.seq, first.subject.as_str()), (1, "alice"));
}

#[tokio::test]
async fn events_that_cannot_be_read_are_named_and_the_others_shown() {
    let (gate, alice) = gate_with(Story { segments: 3, ..Story::new("0198-alice", "alice") }).await;
    let place = gate.portal.recording("0198-alice").await.unwrap().unwrap().prefix;
    let events = gate.dir().join("vault").join(&place).join("events");
    let first = std::fs::read_to_string(events.join("00001.jsonl")).unwrap();
    let mut lines: Vec<_> = first.lines().map(str::to_owned).collect();
    lines[1] = "{\"v\":1,\"oops\"".into();
    lines[2] = "x".repeat(300_000);
    std::fs::write(events.join("00001.jsonl"), lines.join("\n")).unwrap();
    std::fs::remove_file(events.join("00002.jsonl")).unwrap();
    let answer = gate.get(EVENTS, Some(&alice)).await.json();
    assert_eq!(answer["events"].as_array().unwrap().len(), 9);
    let faults = serde_json::json!([
        { "path": "events/00001.jsonl", "line": 2 },
        { "path": "events/00001.jsonl", "line": 3 },
        { "path": "events/00001.jsonl", "line": 6 }, // no line feed at its end
        { "path": "events/00002.jsonl", "line": 0 },
    ]);
    assert_eq!(answer["faults"], faults);
}

#[tokio::test]
async fn a_viewing_is_on_the_record_once_and_before_anything_is_shown() {
    let (gate, alice) = gate().await;
    let viewed = |part| Act::Viewed { recording: "0198-alice".into(), subject: "alice".into(), part };
    let carol = gate.cookie_of("carol", &["auditors"]).await;

    gate.journal.full.store(true, Ordering::SeqCst);
    for path in [INDEX, VIDEO, EVENTS] {
        gate.get(path, Some(&carol)).await.is_problem(503);
    }
    gate.journal.full.store(false, Ordering::SeqCst);
    for path in [INDEX, VIDEO, INDEX, VIDEO, "/api/recordings/0198-alice/video/00002.m4s"] {
        assert_eq!(gate.get(path, Some(&carol)).await.status, 200);
    }
    assert_eq!(gate.journal.take(), [(Some("carol".into()), viewed(Part::Video))]);
    gate.get(EVENTS, Some(&carol)).await;
    gate.get(EVENTS, Some(&carol)).await;
    assert_eq!(gate.journal.take(), [(Some("carol".into()), viewed(Part::Events))]);
    // Who knows a segment's name is not off the record, nor is another one who looks.
    gate.get(VIDEO, Some(&alice)).await;
    assert_eq!(gate.journal.take(), [(Some("alice".into()), viewed(Part::Video))]);
    let again = gate.cookie_of("carol", &["auditors"]).await;
    gate.get(INDEX, Some(&again)).await;
    assert_eq!(gate.journal.take(), [(Some("carol".into()), viewed(Part::Video))]);
    // The list and the summary are no viewings.
    gate.get("/api/recordings", Some(&carol)).await;
    gate.get("/api/recordings/0198-alice", Some(&carol)).await;
    assert!(gate.journal.take().is_empty());
}

#[tokio::test]
async fn a_running_recording_plays_as_far_as_it_is() {
    let (gate, alice) = gate_with(Story::new("0198-alice", "alice").running()).await;
    let playlist = gate.get(INDEX, Some(&alice)).await;
    let text = String::from_utf8(playlist.body.to_vec()).unwrap();
    assert!(!text.contains("ENDLIST") && text.contains("video/00002.m4s"), "{text}");
    assert_eq!(gate.get(VIDEO, Some(&alice)).await.status, 200);
    gate.get("/api/recordings/0198-alice/video/00003.m4s", Some(&alice)).await.is_problem(404);

    // A third segment comes.
    let place = gate.portal.recording("0198-alice").await.unwrap().unwrap().prefix;
    let (segment, index) = (gate.dir().join("segment"), gate.dir().join("index"));
    std::fs::write(&segment, "third").unwrap();
    std::fs::write(&index, format!("{text}#EXTINF:10.000000,\nvideo/00003.m4s\n")).unwrap();
    store(gate.vault.as_ref(), &place, PathInBundle::Video(3), &segment).await;
    store(gate.vault.as_ref(), &place, PathInBundle::Index, &index).await;
    assert_eq!(gate.get("/api/recordings/0198-alice/video/00003.m4s", Some(&alice)).await.body, "third");
}

#[tokio::test]
async fn before_its_first_segment_there_is_nothing_to_play() {
    let (gate, alice) = gate_with(Story { segments: 0, ..Story::new("0198-alice", "alice").running() }).await;
    gate.get(INDEX, Some(&alice)).await.is_problem(404);
    assert_eq!(gate.get(EVENTS, Some(&alice)).await.body, "{\"events\":[],\"faults\":[]}");
}
