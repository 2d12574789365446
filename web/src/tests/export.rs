//! Recordings taken out: by whom, verified first, on the record each time, and what arrives.

use std::process::Command;
use std::sync::atomic::Ordering;

use portcullis_evidence::PathInBundle;

use super::Gate;
use super::bundles::Story;
use crate::{Act, Part};

const EXPORT: &str = "/api/recordings/0198-alice/export";

async fn gate() -> (Gate, String, String) {
    let gate = Gate::open().await;
    let place = Story::new("0198-alice", "alice").store(gate.dir(), gate.vault.as_ref()).await;
    gate.portal.ingest(&place).await.unwrap();
    let carol = gate.cookie_of("carol", &["auditors"]).await;
    (gate, place, carol)
}

fn exported() -> (Option<String>, Act) {
    let act = Act::Viewed { recording: "0198-alice".into(), subject: "alice".into(), part: Part::Export };
    (Some("carol".to_owned()), act)
}

#[tokio::test]
async fn a_zip_arrives_whole_and_each_is_on_the_record() {
    let (gate, place, carol) = gate().await;
    let answer = gate.get(EXPORT, Some(&carol)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/zip");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"0198-alice.zip\"");
    assert_eq!(answer.header("cache-control"), "private, no-store");
    let folder = tempfile::tempdir().unwrap();
    let (archive, to) = (folder.path().join("export.zip"), folder.path().join("out"));
    std::fs::write(&archive, &answer.body).unwrap();
    assert!(Command::new("unzip").arg("-q").arg(&archive).arg("-d").arg(&to).status().unwrap().success());
    let stored = gate.dir().join("vault").join(&place);
    for path in [PathInBundle::Session, PathInBundle::Video(2), PathInBundle::Link(1), PathInBundle::Seal] {
        let there = std::fs::read(path.under(&to.join("0198-alice/bundle"))).unwrap();
        assert!(there == std::fs::read(path.under(&stored)).unwrap(), "{path}");
    }
    let words = std::fs::read_to_string(to.join("0198-alice/HOW-TO-VERIFY.txt")).unwrap();
    assert!(words.contains("verified when exported: 0198-alice: sound, gaps declared: 2"), "{words}");
    let again = gate.get(EXPORT, Some(&carol)).await;
    assert!(again.body == answer.body, "the same bytes each time");
    assert_eq!(gate.journal.take(), [exported(), exported()], "twice: each export is one");
}

#[tokio::test]
async fn what_does_not_verify_is_taken_out_only_as_what_it_is() {
    let (gate, place, carol) = gate().await;
    let video = PathInBundle::Video(1).under(&gate.dir().join("vault").join(&place));
    let mut bytes = std::fs::read(&video).unwrap();
    bytes[7] ^= 1;
    std::fs::remove_file(&video).unwrap();
    std::fs::write(&video, bytes).unwrap();
    let refused = gate.get(EXPORT, Some(&carol)).await;
    assert_eq!(refused.status, 409);
    assert!(refused.json()["detail"].as_str().unwrap().contains("edited"));
    let answer = gate.get(&format!("{EXPORT}?unverified=true"), Some(&carol)).await;
    assert_eq!(answer.status, 200);
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(said.contains("NOT VERIFIED: 0198-alice: NOT SOUND (edited)"));
}

#[tokio::test]
async fn what_cannot_be_made_or_recorded_is_said_before_anything_is_sent() {
    let (gate, _, carol) = gate().await;
    // The video of a story is noise.
    let film = gate.get(&format!("{EXPORT}?format=mp4"), Some(&carol)).await;
    assert_eq!((film.status.as_u16(), film.header("content-type")), (500, "application/problem+json"));
    assert_eq!(gate.get(&format!("{EXPORT}?format=avi"), Some(&carol)).await.status, 400);
    gate.journal.take();
    gate.journal.full.store(true, Ordering::SeqCst);
    let refused = gate.get(EXPORT, Some(&carol)).await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["detail"], "This could not be put on the record, so it was not done. Try again later.");
}
