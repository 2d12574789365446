//! A bundle file by file, and the gate's keys: enough to prove a recording elsewhere, no more than that, and on the record once.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use portcullis_evidence::{BundleFolder, KeyList, Kind, PathInBundle, Source, Trust, Verdict, verify_at};
use serde_json::json;

use super::Gate;
use super::bundles::{Story, store};
use crate::{Act, Part};

const BUNDLE: &str = "/api/recordings/0198-alice/bundle";

async fn gate_with(story: Story) -> (Gate, String, String) {
    let gate = Gate::open().await;
    let place = story.store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest(&place).await.unwrap();
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    (gate, place, carol)
}

fn names(answer: &serde_json::Value) -> Vec<String> {
    answer["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_is_served_proves_the_recording_elsewhere() {
    let (gate, place, carol) = gate_with(Story::new("0198-alice", "alice")).await;
    let answer = gate.get(BUNDLE, Some(&carol)).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    let list = answer.json();
    let mut there = Vec::new();
    let folder = gate.dir().join("vault").join(&place);
    BundleFolder::at(&folder)
        .list(&mut |entry| {
            there.extend(entry.is_file.then_some(entry.path));
            ControlFlow::Continue(())
        })
        .unwrap();
    there.sort();
    assert_eq!(names(&list), there);
    assert_eq!(list["extra"], json!([]));
    assert!(there.len() == 11 && there.contains(&"chain/00002.jws".to_owned()), "{there:?}");

    let copy = tempfile::tempdir().unwrap();
    for file in list["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        // As it is, and as a program writes it that encodes whatever is put into an address.
        let answer = gate.get(&format!("{BUNDLE}/{path}"), Some(&carol)).await;
        let encoded = gate.get(&format!("{BUNDLE}/{}", path.replace('/', "%2F")), Some(&carol)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body == encoded.body, "{path}");
        assert_eq!(answer.body.len() as u64, file["bytes"].as_u64().unwrap(), "{path}");
        assert_eq!(answer.header("content-type"), "application/octet-stream", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "private, max-age=31536000, immutable", "{path}");
        assert!(!answer.header("etag").is_empty());
        let to = path.parse::<PathInBundle>().unwrap().under(copy.path());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, &answer.body).unwrap();
    }
    let trust = gate.get("/api/trust", Some(&carol)).await.json();
    let keys = KeyList::from_bytes(format!("{}\n", trust["keys"]).as_bytes(), &[]).unwrap();
    let report = verify_at(&BundleFolder::at(copy.path()), &Trust::listed(&keys).unwrap());
    assert_eq!(report.verdict(), Verdict::GapDeclared, "{report}");
    // The list and all files are one viewing.
    let act = Act::Viewed { recording: "0198-alice".into(), subject: "alice".into(), part: Part::Bundle };
    assert_eq!(gate.journal.take(), [(Some("carol".to_owned()), act)]);
}

#[tokio::test]
async fn ranges_and_conditions_hold_as_for_video() {
    let (gate, _, carol) = gate_with(Story::new("0198-alice", "alice")).await;
    let video = format!("{BUNDLE}/video/00001.m4s");
    let whole = Story::video(1);
    for (range, status, contents, expected) in [
        ("bytes=0-9", 206, "bytes 0-9/300000", &whole[..10]),
        ("bytes=-10", 206, "bytes 299990-299999/300000", &whole[299_990..]),
        ("bytes=0-1,5-6", 200, "", &whole[..]),
    ] {
        let answer = gate.get_with(&video, &carol, &[("range", range)]).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-range")), (status, contents), "{range}");
        assert_eq!(answer.body, expected, "{range}");
    }
    gate.get_with(&video, &carol, &[("range", "bytes=300000-")]).await.is_problem(416);
    let tag = gate.get(&video, Some(&carol)).await.header("etag").to_owned();
    assert_eq!(gate.get_with(&video, &carol, &[("if-none-match", &tag)]).await.status, 304);
}

#[tokio::test]
async fn nothing_but_what_the_list_names_is_served() {
    let (gate, place, carol) = gate_with(Story::new("0198-alice", "alice")).await;
    let folder = gate.dir().join("vault").join(&place);
    std::fs::write(folder.join("notes.txt"), "secret").unwrap();
    std::fs::write(folder.join("video/a b"), "secret").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.join("seal.tsr")).unwrap();
    let list = gate.get(BUNDLE, Some(&carol)).await.json();
    assert!(!names(&list).contains(&"seal.tsr".to_owned()), "{list}");
    let extra = list["extra"].as_array().unwrap();
    assert!(extra.contains(&json!("notes.txt")), "{list}");
    // A link is nothing that a vault has, and is told as it is by whoever looks into the folder.
    gate.get(&format!("{BUNDLE}/seal.tsr"), Some(&carol)).await.is_problem(404);
    assert!(["seal.tsr", "video/a b"].iter().all(|name| extra.contains(&json!(name))), "{list}");
    gate.journal.take();
    for name in [
        "notes.txt",
        "video/a%20b",
        "derivation.json",
        "expired.json",
        "chain/00003.jws",
        "chain",
        "chain/",
        "chain//00001.jws",
        "/session.json",
        "session.json/",
        "session.json%00",
        "Session.json",
        ".",
        "..",
        "../session.json",
        "..%2fsession.json",
        "chain/../session.json",
        "chain/%2e%2e/session.json",
        "%2e%2e%2f%2e%2e%2f0198-bob/session.json",
        "chain%5c00001.jws",
        "%2fetc%2fpasswd",
        "%ff",
    ] {
        gate.get(&format!("{BUNDLE}/{name}"), Some(&carol)).await.is_problem(404);
    }
    assert!(gate.journal.take().is_empty(), "nothing was viewed");
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_shown_and_others_learn_nothing() {
    let (gate, _, carol) = gate_with(Story::new("0198-alice", "alice")).await;
    let bob = gate.cookie_of("bob", &["users"]).await;
    for tail in ["", "/seal.json", "/chain/00001.jws", "/nothing"] {
        let theirs = gate.get(&format!("{BUNDLE}{tail}"), Some(&bob)).await;
        let none = gate.get(&format!("/api/recordings/0198-none/bundle{tail}"), Some(&bob)).await;
        theirs.is_problem(404);
        assert_eq!((&theirs.body, &theirs.headers), (&none.body, &none.headers), "{tail}");
    }
    gate.journal.full.store(true, Ordering::SeqCst);
    for tail in ["", "/seal.json"] {
        gate.get(&format!("{BUNDLE}{tail}"), Some(&carol)).await.is_problem(503);
    }
}

#[tokio::test]
async fn of_a_running_recording_the_playlist_alone_is_not_to_be_kept() {
    let (gate, place, carol) = gate_with(Story::new("0198-alice", "alice").running()).await;
    let list = gate.get(BUNDLE, Some(&carol)).await.json();
    assert!(!names(&list).contains(&"seal.json".to_owned()), "{list}");
    let playlist = gate.get(&format!("{BUNDLE}/index.m3u8"), Some(&carol)).await;
    assert_eq!((playlist.header("cache-control"), playlist.header("etag")), ("no-store", ""));
    let link = gate.get(&format!("{BUNDLE}/chain/00001.jws"), Some(&carol)).await;
    assert_eq!(link.header("cache-control"), "private, max-age=31536000, immutable");
    // It is written over: what is asked for next is what lies there then, from its first byte on.
    let longer = gate.dir().join("index");
    std::fs::write(&longer, "another").unwrap();
    store(gate.vault.as_ref(), &place, PathInBundle::Index, &longer).await;
    let index = format!("{BUNDLE}/index.m3u8");
    let conditions = [("range", "bytes=0-3"), ("if-range", "\"it\"")];
    assert_eq!(gate.get_with(&index, &carol, &conditions).await.body, "another");
    assert_eq!(gate.get_with(&index, &carol, &conditions[..1]).await.body, "anot");
}

#[tokio::test]
async fn keys_are_the_list_as_it_lies_and_the_one_that_a_root_signed() {
    let (gate, place, carol) = gate_with(Story::new("0198-alice", "alice")).await;
    let list = std::fs::read_to_string(gate.dir().join("evidence.keys.json")).unwrap();
    let answer = gate.get("/api/trust", Some(&carol)).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.body, format!("{{\"key_list\":null,\"keys\":{}}}", list.trim_end()));
    let root = portcullis_evidence::SigningKey::generate(&[9; 32]);
    let signed = KeyList::from_bytes(list.as_bytes(), &[]).unwrap().sign(&root).unwrap();
    std::fs::write(gate.dir().join("evidence.keys.signed.json"), &signed).unwrap();
    let trust = gate.get("/api/trust", Some(&carol)).await.json();
    let bytes = format!("{}\n", trust["key_list"]);
    assert_eq!(bytes.as_bytes(), signed);
    let keys = KeyList::from_bytes(bytes.as_bytes(), &[root.verifying_key()]).unwrap();
    let report = verify_at(&BundleFolder::at(&gate.dir().join("vault").join(&place)), &Trust::listed(&keys).unwrap());
    assert!(!report.faults.iter().any(|fault| fault.kind == Kind::UnknownKey), "{report}");
    // A list that cannot be read is no list of no keys.
    std::fs::write(gate.dir().join("evidence.keys.json"), "{}").unwrap();
    gate.get("/api/trust", Some(&carol)).await.is_problem(500);
}
