//! What becomes of files in the end: without their metadata, one too many, or in the midst of a session that ends; and what whoever sent one is told.

use portcullis_evidence::Digest;
use portcullis_tests::{Api, Viewer, until};
use serde_json::{Value, json};

use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinHandle;

use super::files::{FILES, ended, laid, opened};
use super::{events, of_type};

/// A picture of 8 by 8 pixels, without any metadata.
const PICTURE: &[u8] = include_bytes!("../../policy/files/tests/pictures/a.jpg");
const PLACE: &[u8] = b"GPSLatitude 48.858, GPSLongitude 2.294";

/// An upload whose body comes when it is said.
struct Slow {
    body: Sender<Result<Vec<u8>, std::io::Error>>,
    answer: JoinHandle<anyhow::Result<(u16, Value)>>,
}

async fn slow(api: &Api, session: &str, name: &str) -> Slow {
    let (body, pieces) = channel::<Result<Vec<u8>, std::io::Error>>(1);
    let pieces = reqwest::Body::wrap_stream(futures_util::stream::unfold(pieces, async |mut pieces| {
        Some((pieces.recv().await?, pieces))
    }));
    let (api, session, name) = (api.clone(), session.to_owned(), name.to_owned());
    let answer = tokio::spawn(async move { api.upload(&session, &name, pieces).await });
    body.send(Ok(b"begun, ".to_vec())).await.unwrap();
    // Taken by the connection once the next one finds room.
    body.send(Ok(b"and goes on ".to_vec())).await.unwrap();
    Slow { body, answer }
}

fn sha256(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

/// Files without a name that a process holds open in the gate's spool.
fn spooled(pid: u32) -> usize {
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    links
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter(|link| link.to_string_lossy().contains("/data/files/"))
        .count()
}

#[tokio::test]
async fn a_picture_arrives_without_where_it_was_taken() {
    let policy = FILES.replace("upload: {max_bytes: 1 MiB}", "upload: {max_bytes: 1 MiB, metadata: strip}");
    let (gate, api, opened, desktop) = opened(&policy, "").await;
    let exif = [&b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"[..], PLACE].concat();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let taken = [&PICTURE[..2], &[0xff, 0xe1], &length, &exif, &PICTURE[2..]].concat();
    let (status, answer) = api.upload(&opened.id, "eiffel.jpg", taken.clone()).await.unwrap();
    assert_eq!((status, &answer["metadata_stripped"]), (201, &json!(true)), "{answer}");
    let arrived = std::fs::read(desktop.transfer().join("eiffel.jpg")).unwrap();
    assert!(arrived.starts_with(&[0xff, 0xd8, 0xff]) && !arrived.windows(PLACE.len()).any(|part| part == PLACE));
    let uploads = ended(&gate, &api, &opened.id, "upload").await;
    let hashes = (uploads[0]["sha256"].as_str().unwrap(), uploads[0]["stripped_sha256"].as_str().unwrap());
    assert_eq!(hashes, (sha256(&taken).as_str(), sha256(&arrived).as_str()));
}

#[tokio::test]
async fn one_too_many_is_told_so_and_nothing_of_any_stays_in_the_spool() {
    let (gate, api, opened, desktop) = opened(FILES, "[files]\nsession_at_once = 2\n").await;
    let pid = gate.pid().unwrap();
    let first = slow(&api, &opened.id, "first.txt").await;
    let second = slow(&api, &opened.id, "second.txt").await;
    until("both are under way", async || Ok((spooled(pid) == 2).then_some(()))).await.unwrap();
    let (status, answer) = api.upload(&opened.id, "third.txt", "third").await.unwrap();
    assert_eq!(status, 429, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("as many files as may be are under way"), "{answer}");
    drop(first.body);
    assert_eq!(first.answer.await.unwrap().unwrap().0, 201);
    assert_eq!(api.upload(&opened.id, "third.txt", "third").await.unwrap().0, 201);
    // One whose sender breaks off.
    second.body.send(Err(std::io::Error::other("gone"))).await.unwrap();
    assert!(second.answer.await.unwrap().is_err());
    until("the spool is empty", async || Ok((spooled(pid) == 0).then_some(()))).await.unwrap();
    assert_eq!(laid(&desktop), ["first.txt", "third.txt"]);
    let uploads = ended(&gate, &api, &opened.id, "upload").await;
    let broken = uploads.iter().find(|event| event["name"] == "second.txt").unwrap();
    assert_eq!((&broken["effect"], broken["reason"].as_str().unwrap().contains("broke off")), (&json!("deny"), true));
}

#[tokio::test]
async fn a_file_whose_session_ends_is_on_the_record_and_its_sender_hears_it() {
    let (gate, api, opened, _) = opened(FILES, "").await;
    let pid = gate.pid().unwrap();
    let half = slow(&api, &opened.id, "half.txt").await;
    until("it is under way", async || Ok((spooled(pid) == 1).then_some(()))).await.unwrap();
    let uploads = ended(&gate, &api, &opened.id, "upload").await;
    drop(half.body);
    let (status, answer) = half.answer.await.unwrap().unwrap();
    assert_eq!((status, answer["detail"].as_str()), (409, Some("the session has ended")), "{answer}");
    assert_eq!(uploads.len(), 1, "{uploads:?}");
    let told = (&uploads[0]["effect"], &uploads[0]["name"], &uploads[0]["reason"]);
    assert_eq!(told, (&json!("deny"), &json!("half.txt"), &json!("the session has ended")));
    until("the spool is empty", async || Ok((spooled(pid) == 0).then_some(()))).await.unwrap();
}

/// A record that fails in the midst of a file ends its session: nothing of the file arrives, and the gate's journal has what the record cannot take.
#[tokio::test]
async fn a_file_whose_record_fails_does_not_cross_and_the_journal_says_so() {
    let (gate, api, opened, desktop) = opened(FILES, "[recording]\nsegment_seconds = 1\n").await;
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    let pid = gate.pid().unwrap();
    let half = slow(&api, &opened.id, "half.txt").await;
    until("it is under way", async || Ok((spooled(pid) == 1).then_some(()))).await.unwrap();
    let (vault, away) = (gate.data().join("vault/sessions"), gate.data().join("away"));
    std::fs::rename(&vault, &away).unwrap();
    std::fs::write(&vault, "no folder").unwrap();
    // What is on the screen fills a segment, which the vault is then asked to take.
    let counting = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done";
    let mut window = desktop.spawn("xterm", &["-e", "sh", "-c", counting]).unwrap();
    assert_eq!(u16::from(viewer.closed().await.unwrap().code), 4010);
    let (transfer, name) = (desktop.transfer(), "half.txt");
    assert!(!transfer.join(name).exists());
    // Its sender goes on, and hears it.
    drop(half.body);
    let (status, answer) = half.answer.await.unwrap().unwrap();
    assert_eq!((status, answer["detail"].as_str()), (409, Some("the session has ended")), "{answer}");
    let _ = (window.kill(), window.wait());
    let written = async || {
        let journal = gate.journal()?;
        Ok(journal.into_iter().find(|event| event["type"] == "upload"))
    };
    let event = until("the journal has it", written).await.unwrap();
    assert_eq!(
        (&event["session"], &event["name"], &event["effect"]),
        (&json!(opened.id), &json!(name), &json!("deny"))
    );
    assert_eq!(event["reason"], "the session has ended", "{event}");
    until("the spool is empty", async || Ok((spooled(pid) == 0).then_some(()))).await.unwrap();
    let (status, answer) = api.upload(&opened.id, "late.txt", "late").await.unwrap();
    assert!(matches!(status, 404 | 409), "{status} {answer}");
    std::fs::remove_file(&vault).unwrap();
    std::fs::rename(&away, &vault).unwrap();
}

#[tokio::test]
async fn who_brings_a_file_is_not_idle_for_as_long_as_it_comes() {
    let (gate, api, opened, desktop) = opened(&format!("{FILES}session: {{idle: 6s}}\n"), "").await;
    let _viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    let coming = slow(&api, &opened.id, "long.txt").await;
    let since = std::time::Instant::now();
    while since.elapsed() < std::time::Duration::from_secs(10) {
        coming.body.send(Ok(b"on ".to_vec())).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    drop(coming.body);
    let (status, answer) = coming.answer.await.unwrap().unwrap();
    assert_eq!(status, 201, "the session goes on: {answer}");
    assert_eq!(laid(&desktop), ["long.txt"]);
    api.wait_gone(&opened.id).await.unwrap();
    let events = events(&gate.bundle(&opened.id).unwrap()).unwrap();
    assert_eq!(
        of_type(&events, "session_closed")[0]["reason"],
        "nobody did anything for 6s (files.yaml:6 session.idle)"
    );
}

#[tokio::test]
async fn who_brings_a_file_is_not_told_what_the_policy_itself_looks_for() {
    let rules = "deny:\n  - {actions: [upload], containing: [iban, 'regex:(?i)aurora'], then: alert}\n  - {actions: [upload], containing: ['regex:(?i)nightfall']}\n";
    let (gate, api, opened, _) = opened(&format!("{FILES}{rules}"), "").await;
    let text = "project Aurora pays to DE89 3704 0044 0532 0130 00";
    let (status, answer) = api.upload(&opened.id, "told.txt", text).await.unwrap();
    assert_eq!((status, &answer["found"]), (201, &json!(["a rule of your organisation", "iban"])), "{answer}");
    let (status, answer) = api.upload(&opened.id, "denied.txt", "operation nightfall").await.unwrap();
    let shown = answer.to_string().to_lowercase();
    assert!(status == 403 && !shown.contains("regex") && !shown.contains("nightfall"), "{shown}");
    let uploads = ended(&gate, &api, &opened.id, "upload").await;
    assert_eq!((&uploads[0]["found"], &uploads[1]["found"]), (&json!(["iban", "regex"]), &json!(["regex"])));
    assert!(uploads[1]["rule"].as_str().unwrap().starts_with("files.yaml:"), "{uploads:?}");
}
