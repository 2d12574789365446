//! Stopped at any step, on a disk that fills, fails or loses power: what was promised is in the bundle, and it verifies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bundle::disk::{FailsOnce, Killed, Power, Small, Unsynced};
use bundle::{Progress, ending, event, events, key, keys, play};
use portcullis_evidence::{BundleWriter, Disk, Mishaps, Reopened, Settings, State, What, WriteError, verify};
use tempfile::TempDir;

/// Little room, so that it is made and given back without taking time.
const ROOM: u64 = 8 * 1024;

fn settings(mishaps: Arc<dyn Mishaps>) -> Settings {
    Settings { disk: Disk::with(mishaps), room_bytes: ROOM, encryption: None }
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("b");
    (folder, dir)
}

/// A disk without mishaps, and without waiting for one.
fn quick() -> Disk {
    Disk::with(Arc::new(Killed::never()))
}

/// How many steps the whole story takes.
fn steps() -> usize {
    let (_folder, dir) = folder();
    let killed = Arc::new(Killed::never());
    play(&dir, settings(killed.clone()), &mut Progress::default()).unwrap();
    killed.steps()
}

/// What the next run of the gate does with what it finds: closes it as interrupted.
fn recover(dir: &Path, disk: Disk) -> Result<Option<State>, WriteError> {
    let (mut writer, left) = match BundleWriter::reopen_on(disk, dir, key(), None)? {
        Reopened::Unstarted => return Ok(None),
        Reopened::Sealed(_, seal) => return Ok(Some(seal.state)),
        Reopened::Open(writer, left) => (writer, left),
    };
    let reason = "the gate was killed".to_owned();
    writer.event(&event(writer.next_seq(), writer.at_us(), What::SessionClosed { reason }))?;
    writer.close_segment(writer.from_us(), writer.from_us().max(60_000_000), &left.video)?;
    writer.seal(ending(State::Interrupted))?;
    Ok(Some(State::Interrupted))
}

/// The bundle is sound and holds the story up to `least`, and nothing that did not happen.
fn check(dir: &Path, found: Option<State>, progress: &Progress, least: u64, case: &str) {
    let Some(state) = found else {
        assert_eq!((least, progress.links), (0, 0), "{case}: unstarted");
        return;
    };
    let report = verify(dir, &keys());
    assert!(report.is_sound(), "{case}: {report}");
    assert_eq!(report.state, Some(state), "{case}");
    assert!(report.links >= progress.links, "{case}: {report}");
    let all: Vec<What> = bundle::story().into_iter().flat_map(|scene| scene.events).collect();
    let mut kept = events(dir);
    if state == State::Interrupted {
        let last = kept.pop().unwrap();
        assert_eq!(last.what, What::SessionClosed { reason: "the gate was killed".to_owned() }, "{case}");
    }
    let kept: Vec<What> = kept.into_iter().map(|event| event.what).collect();
    assert!(kept.len() as u64 >= least, "{case}: {} of {least} events", kept.len());
    assert_eq!(kept, all[..kept.len()], "{case}");
    assert!(!progress.sealed || state == State::Closed, "{case}: a sealed bundle was sealed again");
}

#[test]
fn killed_at_any_step() {
    for step in 0..=steps() {
        for torn in [false, true] {
            let (_folder, dir) = folder();
            let mut progress = Progress::default();
            let result = play(&dir, settings(Arc::new(Killed::at(step, torn))), &mut progress);
            assert_eq!(result.is_ok(), step == steps(), "step {step}");
            let found = if dir.exists() { recover(&dir, quick()).unwrap() } else { None };
            // A plain write outlives the process: every event that was accepted is there.
            let accepted = progress.accepted.last().copied().unwrap_or(0);
            check(&dir, found, &progress, accepted, &format!("step {step}, torn {torn}"));
        }
    }
}

#[test]
fn killed_at_any_step_and_killed_again_at_any_step_of_the_recovery() {
    for step in (0..steps()).step_by(7) {
        for again in 0.. {
            let (_folder, dir) = folder();
            let mut progress = Progress::default();
            play(&dir, settings(Arc::new(Killed::at(step, true))), &mut progress).unwrap_err();
            if !dir.exists() {
                break;
            }
            let first = recover(&dir, Disk::with(Arc::new(Killed::at(again, again % 2 == 0))));
            let found = recover_again(&dir);
            let case = format!("step {step}, then {again}");
            let report = verify(&dir, &keys());
            assert!(found.is_none() || report.is_sound(), "{case}: {report}");
            assert!(report.events >= progress.accepted.last().copied().unwrap_or(0), "{case}: {report}");
            if first.is_ok() {
                break;
            }
        }
    }
}

/// A second recovery may find the first one's closing event already there; the bundle is sound all the same.
fn recover_again(dir: &Path) -> Option<State> {
    recover(dir, quick()).unwrap()
}

#[test]
fn power_cut_at_any_step() {
    for step in 0..=steps() {
        for unsynced in [Unsynced::Lost, Unsynced::Zeros, Unsynced::NewestName] {
            let (folder, dir) = folder();
            let power = Arc::new(Power::cut_at(step));
            let mut progress = Progress::default();
            let _ = play(&dir, settings(power.clone()), &mut progress);
            power.cut(folder.path(), unsynced);
            let case = format!("step {step}, unsynced {unsynced:?}");
            let found = if dir.exists() { recover(&dir, quick()).expect(&case) } else { None };
            check(&dir, found, &progress, progress.durable, &case);
            if progress.sealed {
                assert_eq!(found, Some(State::Closed), "{case}");
            }
        }
    }
}

#[test]
fn a_disk_that_runs_full_has_room_for_the_last_word() {
    let whole = 20_000;
    let mut ends = [0; 2];
    for bytes in (ROOM as usize..ROOM as usize + whole).step_by(61) {
        let (_folder, dir) = folder();
        let mut progress = Progress::default();
        let mishaps = Arc::new(Small::of(bytes));
        let mut writer = match BundleWriter::create_with(&dir, &bundle::manifest(), key(), settings(mishaps)) {
            Ok(writer) => writer,
            Err(WriteError::NoSpace(_)) => continue,
            Err(error) => panic!("{error}"),
        };
        let full = bundle::story().iter().try_for_each(|scene| bundle::scene_of(&mut writer, scene, &mut progress));
        match full {
            Ok(()) => ends[0] += 1,
            Err(WriteError::NoSpace(_)) => {
                ends[1] += 1;
                writer.release_room().unwrap();
                let (at, reason) = (writer.at_us(), "the disk is full".to_owned());
                let gap = What::Gap { from_us: at, to_us: at + 1, reason: reason.clone() };
                writer.event(&event(writer.next_seq(), at, gap)).unwrap();
                writer.event(&event(writer.next_seq(), at, What::SessionClosed { reason })).unwrap();
                writer.close_segment(writer.from_us(), 60_000_000, &[]).unwrap();
                // The video of a segment that could not be closed is in no link.
                for n in [writer.segment() - 1, writer.segment()] {
                    remove_unlisted(&dir, n, progress.links);
                }
            }
            Err(error) => panic!("{error}"),
        }
        writer.seal(ending(State::Closed)).unwrap();
        let report = verify(&dir, &keys());
        assert!(report.is_sound(), "{bytes}: {report}");
        let mut accepted = progress.accepted.len() as u64;
        accepted += if full.is_ok() { 0 } else { 2 };
        assert_eq!(report.events, accepted, "{bytes}");
    }
    assert!(ends[0] > 10 && ends[1] > 10, "both ends have to be reached: {ends:?}");
}

fn remove_unlisted(dir: &Path, n: u32, links: u32) {
    use portcullis_evidence::PathInBundle;
    if n > links {
        let _ = std::fs::remove_file(PathInBundle::Video(n).under(dir));
        let _ = std::fs::remove_file(PathInBundle::Init(n).under(dir));
    }
}

#[test]
fn a_step_that_fails_once_is_an_error_and_nothing_is_lost() {
    let all = steps();
    for step in 0..all {
        let (_folder, dir) = folder();
        let mut progress = Progress::default();
        let failed = play(&dir, settings(Arc::new(FailsOnce(Killed::at(step, false)))), &mut progress);
        // The index of a running session may fail: the next segment writes it again. Everything else is said.
        let found = if dir.exists() { recover(&dir, quick()).unwrap() } else { None };
        let accepted = progress.accepted.last().copied().unwrap_or(0);
        check(&dir, found, &progress, accepted, &format!("step {step}: {failed:?}"));
    }
}

#[test]
fn after_a_failed_sync_nothing_is_promised() {
    let (_folder, dir) = folder();
    let count = Arc::new(Killed::never());
    let mut writer = BundleWriter::create_with(&dir, &bundle::manifest(), key(), settings(count.clone())).unwrap();
    writer.event(&event(1, 0, What::Bell {})).unwrap();
    let before_sync = count.steps();
    drop(writer);

    let (_folder, dir) = folder();
    let mishaps = Arc::new(FailsOnce(Killed::at(before_sync, false)));
    let mut writer = BundleWriter::create_with(&dir, &bundle::manifest(), key(), settings(mishaps)).unwrap();
    writer.event(&event(1, 0, What::Bell {})).unwrap();
    assert!(matches!(writer.sync(), Err(WriteError::Storage { action: "sync", .. })));
    // The next sync would say yes, as the kernel does; the writer does not.
    assert!(matches!(writer.sync(), Err(WriteError::Broken)));
    assert!(matches!(writer.event(&event(2, 0, What::Bell {})), Err(WriteError::Broken)));
    assert!(matches!(writer.close_segment(0, 1, &[]), Err(WriteError::Broken)));
    assert_eq!(recover(&dir, quick()).unwrap(), Some(State::Interrupted));
    assert_eq!(verify(&dir, &keys()).events, 2);
}

#[test]
fn a_torn_last_line_is_cut_off_and_counted() {
    for tail in [&b"{\"at_us\":5,"[..], b"{}\n", b"\0\0\0\0", &[b'x'; 40_000]] {
        let (_folder, dir) = folder();
        let mut writer = BundleWriter::create(&dir, &bundle::manifest(), key()).unwrap();
        writer.event(&event(1, 7, What::Bell {})).unwrap();
        drop(writer);
        let path = dir.join("events/00001.jsonl");
        let mut bytes = std::fs::read(&path).unwrap();
        let whole = bytes.len();
        bytes.extend_from_slice(tail);
        std::fs::write(&path, bytes).unwrap();
        let Reopened::Open(writer, left) = BundleWriter::reopen(&dir, key()).unwrap() else { panic!("not open") };
        assert_eq!((left.torn_bytes, left.events), (tail.len() as u64, 1));
        assert_eq!((writer.next_seq(), writer.at_us()), (2, 7));
        assert_eq!(std::fs::metadata(&path).unwrap().len(), whole as u64);
    }
}

#[test]
fn what_a_crash_cannot_do_is_damage() {
    for (file, bytes) in [
        ("session.json", &b"{}"[..]),
        ("chain/00001.jws", b"a.b.c"),
        ("chain/00003.jws", b""),
        ("seal.json", b"{}"),
        ("video/notes.txt", b""),
    ] {
        let (_folder, dir) = folder();
        let mut writer = BundleWriter::create(&dir, &bundle::manifest(), key()).unwrap();
        writer.close_segment(0, 1, &[]).unwrap();
        drop(writer);
        std::fs::write(dir.join(file), bytes).unwrap();
        let error = BundleWriter::reopen(&dir, key()).unwrap_err();
        assert!(error.to_string().contains(file), "{error}");
    }
}
