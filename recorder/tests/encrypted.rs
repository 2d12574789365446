//! Encrypted recordings: killed at any moment nothing is lost and nothing is in clear; with its key gone, the loss is on the record.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests"
)]
mod stage;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use portcullis_evidence::{
    BundleFolder, Contents, Decrypted, Identities, PathInBundle, Recipients, Report, Source, State, Trust, Verdict,
    What, verify_at,
};
use portcullis_recorder::{Encrypting, MIN_RING_BYTES, recover};
use portcullis_rfb::{Point, Rect, Size};
use stage::{Stage, colour, fill};

/// The folder that a child works in; what this binary does when it is started by itself.
const FOLDER: &str = "PORTCULLIS_TEST_FOLDER";
const SIZE: Size = Size::new(320, 200);
const WHOLE: Rect = Rect::new(0, 0, SIZE.width, SIZE.height);
const SPOT: Rect = Rect::new(152, 92, 16, 16);
const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
const RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
/// What the events say and a log or a video file has, long enough to be there by no accident.
const CLEAR: [&[u8]; 5] =
    [b"\"type\":\"refused\"", b"a word that nobody may read", b"\0\0\0\x10mfhd", b"\"type\":\"session", b"isomcmfc"];

/// A folder on the disk for spool and vault, and one in memory for keys.
struct Place {
    disk: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { disk: tempfile::tempdir().unwrap() }
    }

    fn keys(&self) -> PathBuf {
        keys(self.disk.path())
    }

    fn stage(&self) -> Stage {
        stage(self.disk.path())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.keys());
    }
}

fn keys(folder: &Path) -> PathBuf {
    Path::new("/dev/shm").join(format!("portcullis-{}", folder.file_name().unwrap().to_str().unwrap()))
}

/// A stage with a log for four pictures and segments so short that kills meet every step of them.
fn stage(folder: &Path) -> Stage {
    let mut stage = Stage::at(folder);
    stage.config.ring_bytes = MIN_RING_BYTES;
    stage.config.segment = Duration::from_millis(60);
    stage.config.still = Duration::from_millis(90);
    stage.config.encrypting =
        Some(Encrypting { recipients: Recipients::parse([RECIPIENT]).unwrap(), keys: keys(folder) });
    stage
}

/// Not a test of its own: records until it is killed, and says each revision that was handed over.
#[tokio::test(flavor = "multi_thread")]
async fn child_records() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let recording = stage(&folder).start(SIZE).await;
    let mut out = std::io::stdout();
    for revision in 1..4000u64 {
        let rect = if revision % 4 == 0 { WHOLE } else { SPOT };
        recording.hand_over(revision, &[fill(rect, colour(revision))]).await.unwrap();
        let (what, reason) = ("a key".to_owned(), "a word that nobody may read".to_owned());
        recording.event("rule", "policy", What::Refused { what, reason }).unwrap();
        writeln!(out, "\nrevision {revision}").unwrap();
        out.flush().unwrap();
        recording.pointer(Point::new(revision as u16 % SIZE.width, 3));
    }
}

/// Lets a child record until it has said `count` revisions, then kills it. What it had said in the end.
fn record_and_kill(folder: &Path, count: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_records", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let revision = |line: &str| line.strip_prefix("revision ").and_then(|number| number.parse().ok());
    let mut said = 0;
    while said < count {
        said = revision(&lines.next().expect("the child records").unwrap()).unwrap_or(said);
    }
    child.kill().unwrap();
    for line in lines {
        said = revision(&line.unwrap()).unwrap_or(said);
    }
    child.wait().unwrap();
    said
}

fn look(stage: &Stage) -> Report {
    let trust = Trust::of(&[stage.key.verifying_key()]).with_identities(Identities::read(IDENTITY).unwrap());
    verify_at(&BundleFolder::at(&stage.bundle()), &trust)
}

/// Nothing under the folder holds a word of an event, a box of a video file, or a run of a colour that was shown.
fn assert_nothing_clear(folder: &Path, revisions: u64) {
    let mut clear: Vec<Vec<u8>> = CLEAR.iter().map(|bytes| bytes.to_vec()).collect();
    clear.extend((1..=revisions.min(40)).map(|revision| colour(revision).repeat(4)));
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // What is on its way to its place may have been there only for the listing.
            let Ok(bytes) = std::fs::read(&path) else { continue };
            for (n, secret) in clear.iter().enumerate() {
                let found = bytes.windows(secret.len()).any(|window| window == secret);
                assert!(!found, "{} has secret {n} in clear", path.display());
            }
        }
    }
}

/// The decrypted bundle, on a stage of its own.
fn uncovered(stage: &Stage, folder: &Path) -> Stage {
    let clear = Stage::at(folder);
    let (source, identities) = (BundleFolder::at(&stage.bundle()), Identities::read(IDENTITY).unwrap());
    let plain = Decrypted::new(&source, &identities);
    let mut paths: Vec<PathInBundle> = Vec::new();
    plain
        .list(&mut |entry| {
            paths.push(entry.path.parse().unwrap());
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    for folder in ["chain", "events", "video"] {
        std::fs::create_dir_all(clear.bundle().join(folder)).unwrap();
    }
    for path in paths {
        let mut bytes = Vec::new();
        plain.open(path).unwrap().reader.read_to_end(&mut bytes).unwrap();
        if path == PathInBundle::Index {
            bytes = String::from_utf8(bytes).unwrap().replace(".age", "").into_bytes();
        }
        std::fs::write(path.under(&clear.bundle()), bytes).unwrap();
    }
    clear
}

fn revisions_of(stage: &Stage) -> Vec<u64> {
    let mut seen = Vec::new();
    for shown in stage.film() {
        let revision = shown.revision(160, 100).unwrap_or(0);
        if seen.last() != Some(&revision) {
            seen.push(revision);
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_has_what_was_handed_over_and_nothing_was_clear() {
    for count in [1, 2, 5, 18, 41, 90] {
        let place = Place::new();
        let stage = place.stage();
        let said = record_and_kill(place.disk.path(), count);
        assert_nothing_clear(place.disk.path(), said);
        let recovered = recover(stage.config.clone(), stage.vault(), Arc::clone(&stage.key)).await;
        assert_eq!(recovered.len(), 1, "{recovered:?}");
        let sealed = recovered[0].outcome.as_ref().unwrap();
        assert_eq!((sealed.seal.state, sealed.seal.gaps.len()), (State::Interrupted, 0));
        assert!(sealed.seal.revisions >= said, "{} of {said}", sealed.seal.revisions);
        let report = look(&stage);
        assert_eq!((report.verdict(), report.contents), (Verdict::Sound, Contents::Decrypted), "{report}");
        assert!(!stage.spool().exists(), "the spool is empty");
        assert_eq!(std::fs::read_dir(place.keys()).unwrap().count(), 0, "its key is forgotten");
        assert_nothing_clear(place.disk.path(), said);
        let elsewhere = tempfile::tempdir().unwrap();
        let clear = uncovered(&stage, elsewhere.path());
        let (seen, wanted): (_, Vec<u64>) = (revisions_of(&clear), (0..=said).collect());
        assert!(seen.starts_with(&wanted), "said {said}, but the film has {seen:?}");
        let events = clear.events();
        assert!(events.matches("\"type\":\"refused\"").count() as u64 >= said.saturating_sub(1));
        assert_eq!(events.matches("\"type\":\"session_closed\"").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_its_key_gone_the_open_segment_is_a_gap() {
    let place = Place::new();
    let stage = place.stage();
    let said = record_and_kill(place.disk.path(), 120);
    // The machine was stopped: what was in its memory is gone.
    std::fs::remove_dir_all(place.keys()).unwrap();
    std::fs::write(stage.spool().join("boot"), "another boot").unwrap();
    let recovered = recover(stage.config.clone(), stage.vault(), Arc::clone(&stage.key)).await;
    let sealed = recovered[0].outcome.as_ref().unwrap();
    assert_eq!(sealed.seal.reason, "the gate's machine was stopped");
    assert_eq!(sealed.seal.gaps.len(), 1);
    assert_eq!(sealed.seal.gaps[0].to_us, sealed.seal.duration_us);
    let report = look(&stage);
    assert_eq!((report.verdict(), report.contents), (Verdict::GapDeclared, Contents::Decrypted), "{report}");
    assert_nothing_clear(place.disk.path(), said);
    let elsewhere = tempfile::tempdir().unwrap();
    let clear = uncovered(&stage, elsewhere.path());
    let seen = revisions_of(&clear);
    let wanted: Vec<u64> = (0..seen.len() as u64).collect();
    assert!(seen.len() > 1 && seen == wanted, "up to its last link it is all there: {seen:?}");
    assert!(clear.events().contains("the key that covered the open segment went with the machine"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_ends_is_closed_and_its_key_forgotten() {
    let place = Place::new();
    let stage = place.stage();
    let recording = stage.start(SIZE).await;
    assert_eq!(std::fs::read_dir(place.keys()).unwrap().count(), 1);
    for revision in 1..=40 {
        recording.hand_over(revision, &[fill(WHOLE, colour(revision))]).await.unwrap();
    }
    assert_nothing_clear(place.disk.path(), 40);
    let sealed = recording.close("done").await.unwrap();
    assert_eq!((sealed.seal.state, sealed.seal.revisions), (State::Closed, 40));
    let report = look(&stage);
    assert_eq!((report.verdict(), report.contents), (Verdict::Sound, Contents::Decrypted), "{report}");
    assert_eq!(report.recipients, [RECIPIENT]);
    assert_eq!(std::fs::read_dir(place.keys()).unwrap().count(), 0);
    let elsewhere = tempfile::tempdir().unwrap();
    assert_eq!(revisions_of(&uncovered(&stage, elsewhere.path())), (0..=40).collect::<Vec<u64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_encoder_dies_is_closed_from_what_is_covered() {
    let place = Place::new();
    let stage = place.stage();
    let recording = stage.start(SIZE).await;
    for revision in 1..=10 {
        recording.hand_over(revision, &[fill(WHOLE, colour(revision))]).await.unwrap();
    }
    recording.kill_encoder();
    let sealed = recording.close("the encoder died").await.unwrap();
    assert_eq!(sealed.seal.state, State::Interrupted);
    let report = look(&stage);
    assert!(report.is_sound(), "{report}");
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(revisions_of(&uncovered(&stage, elsewhere.path())).starts_with(&(0..=10).collect::<Vec<u64>>()));
}
