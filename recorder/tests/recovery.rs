//! Gates that are killed, machines that stop, disks that run full: everything that was handed over is on the record.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests"
)]
mod stage;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_evidence::{PathInBundle, State};
use portcullis_recorder::{MIN_RING_BYTES, recover};
use portcullis_rfb::{Change, Point, Rect, Size};
use stage::{Stage, colour, fill};

/// The folder that a child works in; what this binary does when it is started by itself.
const FOLDER: &str = "PORTCULLIS_TEST_FOLDER";
const SIZE: Size = Size::new(320, 200);
const WHOLE: Rect = Rect::new(0, 0, SIZE.width, SIZE.height);
/// Where every revision shows its colour, be it one that fills the screen or one that changes next to nothing.
const SPOT: Rect = Rect::new(152, 92, 16, 16);

/// A stage with a log for four pictures and segments so short that kills meet every step of them.
fn hasty(folder: &Path) -> Stage {
    let mut stage = Stage::at(folder);
    stage.config.ring_bytes = MIN_RING_BYTES;
    stage.config.segment = Duration::from_millis(60);
    stage.config.still = Duration::from_millis(90);
    stage
}

fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// Starts this binary again for one of the `child_…` tests.
fn child(name: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test of its own: records until it is killed, and says each revision that was handed over.
#[tokio::test(flavor = "multi_thread")]
async fn child_records() {
    let Some(folder) = folder() else { return };
    let recording = hasty(&folder).start(SIZE).await;
    let mut out = std::io::stdout();
    for revision in 1..4000u64 {
        let rect = if revision % 4 == 0 { WHOLE } else { SPOT };
        recording.hand_over(revision, &[fill(rect, colour(revision))]).await.unwrap();
        writeln!(out, "\nrevision {revision}").unwrap();
        out.flush().unwrap();
        recording.pointer(Point::new(revision as u16 % SIZE.width, 3));
        if revision % 40 == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Not a test of its own: recovers until it is killed or done.
#[tokio::test(flavor = "multi_thread")]
async fn child_recovers() {
    let Some(folder) = folder() else { return };
    let stage = hasty(&folder);
    println!("\nrecovering");
    let recovered = recover(stage.config.clone(), stage.vault(), Arc::clone(&stage.key)).await;
    assert!(recovered.iter().all(|one| one.outcome.is_ok()));
}

/// Lets a child record until it has said `count` revisions and a little longer, then kills it. What it had said in the end.
fn record_and_kill(folder: &Path, count: u64, longer: Duration) -> u64 {
    let mut child = child("child_records", folder);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = 0;
    let revision = |line: &str| line.strip_prefix("revision ").and_then(|number| number.parse().ok());
    while said < count {
        let line = lines.next().expect("the child records").unwrap();
        said = revision(&line).unwrap_or(said);
    }
    let until = Instant::now() + longer;
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    for line in lines {
        said = revision(&line.unwrap()).unwrap_or(said);
    }
    child.wait().unwrap();
    said
}

/// Recovers, and finds each revision up to `said` in the film, in order.
async fn assert_recovers(stage: &Stage, said: u64) {
    let recovered = recover(stage.config.clone(), stage.vault(), Arc::clone(&stage.key)).await;
    assert_eq!(recovered.len(), 1, "{recovered:?}");
    let sealed = recovered[0].outcome.as_ref().unwrap();
    assert_eq!(sealed.seal.state, State::Interrupted);
    assert_eq!(sealed.seal.reason, "the gate was killed");
    assert!(sealed.seal.revisions >= said, "{} of {said}", sealed.seal.revisions);
    stage.assert_kept(sealed);
    assert_film_has(stage, said);
    assert_eq!(stage.events().matches("\"type\":\"session_closed\"").count(), 1);
}

fn assert_film_has(stage: &Stage, said: u64) {
    let film = stage.film();
    let mut seen = Vec::new();
    for shown in &film {
        let revision = shown.revision(160, 100).unwrap_or(0);
        if seen.last() != Some(&revision) {
            seen.push(revision);
        }
    }
    let wanted: Vec<u64> = (0..=said).collect();
    assert!(seen.starts_with(&wanted), "said {said}, but the film has {seen:?}");
    assert!(film.windows(2).all(|pair| pair[0].at_us < pair[1].at_us));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_has_what_was_handed_over() {
    let counts = [0, 1, 2, 3, 4, 5, 7, 11, 18, 29, 40, 41, 80, 123, 200];
    for (n, count) in (0..).zip(counts) {
        let folder = tempfile::tempdir().unwrap();
        let stage = hasty(folder.path());
        let said = record_and_kill(folder.path(), count.max(1), Duration::from_micros(n * 1700 % 9000));
        assert_recovers(&stage, said).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_recovers_it_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let stage = hasty(folder.path());
    let said = record_and_kill(folder.path(), 60, Duration::from_millis(3));
    for n in 0..12 {
        let mut child = child("child_recovers", folder.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while lines.next().expect("it recovers").unwrap() != "recovering" {}
        let until = Instant::now() + Duration::from_micros(n * 2300);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    if stage.spool().exists() {
        assert_recovers(&stage, said).await;
    } else {
        assert!(stage.verify().is_sound(), "the last child was quick");
        assert_film_has(&stage, said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_session_and_strangers_in_the_spool_are_left_alone() {
    let stage = Stage::new();
    let recording = stage.start(SIZE).await;
    std::fs::create_dir(stage.config.spool.join("empty")).unwrap();
    let recovered = recover(stage.config.clone(), stage.vault(), Arc::clone(&stage.key)).await;
    assert!(recovered.is_empty(), "{recovered:?}");
    assert!(!stage.config.spool.join("empty").exists(), "where nothing began nothing is left");
    recording.hand_over(1, &[fill(WHOLE, colour(1))]).await.unwrap();
    let sealed = recording.close("done").await.unwrap();
    stage.assert_kept(&sealed);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_dropped_is_recovered() {
    let stage = Stage::new();
    let recording = stage.start(SIZE).await;
    for revision in 1..=20 {
        recording.hand_over(revision, &[fill(WHOLE, colour(revision))]).await.unwrap();
    }
    drop(recording);
    let mut recovered = Vec::new();
    // Its threads let go of the spool within moments.
    let until = Instant::now() + Duration::from_secs(10);
    while recovered.is_empty() && Instant::now() < until {
        recovered = recover(stage.config.clone(), stage.vault(), Arc::clone(&stage.key)).await;
    }
    stage.assert_kept(recovered[0].outcome.as_ref().unwrap());
    assert_film_has(&stage, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_power_cut_the_record_says_that_something_may_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = hasty(folder.path());
    stage.config.segment = Duration::from_secs(10);
    record_and_kill(folder.path(), 50, Duration::ZERO);
    // The machine came up again with a log that had not reached the disk and with half of the open segment.
    let spool = stage.spool();
    std::fs::write(spool.join("boot"), "another boot").unwrap();
    let ring = std::fs::OpenOptions::new().write(true).open(spool.join("handover.ring")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&ring, &vec![0; MIN_RING_BYTES as usize], 4096).unwrap();
    let bundle = spool.join("bundle");
    let open = (1..).map(PathInBundle::Video).take_while(|video| video.under(&bundle).exists()).last().unwrap();
    let video = std::fs::OpenOptions::new().write(true).open(open.under(&bundle)).unwrap();
    video.set_len(video.metadata().unwrap().len() / 2).unwrap();
    let recovered = recover(stage.config.clone(), stage.vault(), Arc::clone(&stage.key)).await;
    let sealed = recovered[0].outcome.as_ref().unwrap();
    stage.assert_kept(sealed);
    assert_eq!(sealed.seal.reason, "the gate's machine was stopped");
    assert_eq!(sealed.seal.gaps.len(), 1);
    assert_eq!(sealed.seal.gaps[0].to_us, sealed.seal.duration_us);
    assert!(stage.film().len() > 1);
}

/// Not a test of its own: records noise on a disk where no file may grow over a limit, until that fails, and closes.
#[tokio::test(flavor = "multi_thread")]
async fn child_fills_its_disk() {
    let Some(folder) = folder() else { return };
    let stage = Stage::at(&folder);
    let recording = stage.start(SIZE).await;
    let mut failure = recording.failure();
    let mut state = 1u64;
    let mut revision = 0;
    let refused = loop {
        let mut noise = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        let pixels = (0..WHOLE.area()).flat_map(|_| [noise(), noise(), noise(), 0]).collect();
        match recording.hand_over(revision + 1, &[Change::Pixels { rect: WHOLE, pixels }]).await {
            Ok(()) => revision += 1,
            Err(error) => break error,
        }
    };
    let reason = failure.wait_for(Option::is_some).await.unwrap().clone().unwrap();
    println!("\nrefused {refused}\nreason {reason}\nrevisions {revision}");
    let sealed = recording.close("the recording failed").await.unwrap();
    assert_eq!(sealed.seal.state, State::Interrupted);
    println!("\nsealed {}", sealed.seal.revisions);
}

#[test]
fn a_full_disk_ends_it_with_a_reason_and_a_sound_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let binary = std::env::current_exe().unwrap();
    // Blocks of 512 bytes: no file over 5 MiB. A write that would go over fails instead of killing.
    let limited = "trap '' XFSZ; ulimit -f 10240; exec \"$0\" --exact child_fills_its_disk --nocapture";
    let output = Command::new("bash").args(["-c", limited]).arg(binary).env(FOLDER, folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("refused the recording has failed: "), "{said}");
    let number = |key: &str| said.lines().find_map(|line| line.strip_prefix(key)).unwrap().parse::<u64>().unwrap();
    let stage = Stage::at(folder.path());
    let report = stage.verify();
    assert!(report.is_sound(), "{report}");
    assert!(number("sealed ") >= number("revisions "), "what was handed over is on the record: {said}");
    assert_eq!(stage.film().len() as u64, number("sealed ") + 1);
    assert!(stage.events().contains("\"type\":\"gap\""));
}
