//! What a writer accepts, and what it leaves for others to read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use bundle::{ending, event, key, keys, manifest, sealed, write_video};
use portcullis_evidence::{
    BundleWriter, Ending, Gap, Kind, MAX_EVENT_BYTES, Manifest, PathInBundle, Settings, SigningKey, State, What,
    WriteError, verify,
};
use tempfile::TempDir;

fn writer() -> (TempDir, PathBuf, BundleWriter) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("b");
    let settings = Settings { room_bytes: 0, ..Settings::default() };
    let writer = BundleWriter::create_with(&dir, &manifest(), key(), settings).unwrap();
    (folder, dir, writer)
}

#[test]
fn coreutils_checks_the_files_of_a_bundle() {
    let folder = tempfile::tempdir().unwrap();
    sealed(folder.path());
    let check = || {
        let mut command = Command::new("sha256sum");
        command.args(["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(folder.path());
        command.output().unwrap()
    };
    let output = check();
    assert!(output.status.success(), "{output:?}");
    fs::write(folder.path().join("video/00002.m4s"), "other").unwrap();
    let output = check();
    assert!(String::from_utf8_lossy(&output.stdout).contains("video/00002.m4s: FAILED"), "{output:?}");
}

#[test]
fn sums_list_every_file_but_themselves_and_the_seal() {
    let folder = tempfile::tempdir().unwrap();
    sealed(folder.path());
    let sums = fs::read_to_string(folder.path().join("SHA256SUMS")).unwrap();
    let listed: Vec<&str> = sums.lines().map(|line| &line[66..]).collect();
    let expected = [
        "session.json",
        "events/00001.jsonl",
        "video/init-0001.mp4",
        "video/00001.m4s",
        "chain/00001.jws",
        "events/00002.jsonl",
        "video/init-0002.mp4",
        "video/00002.m4s",
        "chain/00002.jws",
        "events/00003.jsonl",
        "video/00003.m4s",
        "chain/00003.jws",
        "index.m3u8",
    ];
    assert_eq!(listed, expected);
    let mut all = bundle::files(folder.path());
    all.retain(|file| file != "SHA256SUMS" && file != "seal.json");
    let mut listed: Vec<_> = listed.into_iter().map(str::to_owned).collect();
    listed.sort();
    assert_eq!(listed, all);
}

#[test]
fn events_that_do_not_follow_are_refused_and_leave_no_trace() {
    let (_folder, dir, mut writer) = writer();
    writer.event(&event(2, 10, What::Bell {})).unwrap();
    let bell = |seq, at| event(seq, at, What::Bell {});
    assert!(matches!(writer.event(&bell(2, 10)), Err(WriteError::Order("seq does not rise"))));
    assert!(matches!(writer.event(&bell(1, 10)), Err(WriteError::Order(_))));
    assert!(matches!(writer.event(&bell(3, 9)), Err(WriteError::Order("at_us falls"))));
    let mut other = bell(3, 10);
    other.session = "other".to_owned();
    assert!(matches!(writer.event(&other), Err(WriteError::Session)));
    let reason = "x".repeat(MAX_EVENT_BYTES);
    assert!(matches!(writer.event(&event(3, 10, What::SessionClosed { reason })), Err(WriteError::Event(_))));
    let backwards = What::Gap { from_us: 2, to_us: 1, reason: String::new() };
    assert!(matches!(writer.event(&event(3, 10, backwards)), Err(WriteError::Event(_))));
    writer.event(&bell(3, 10)).unwrap();
    writer.close_segment(0, 20, &[]).unwrap();
    // The next segment goes on with the same clock.
    assert!(matches!(writer.event(&bell(3, 10)), Err(WriteError::Order(_))));
    assert_eq!((writer.next_seq(), writer.at_us(), writer.from_us()), (4, 10, 20));
    assert_eq!(bundle::events(&dir).len(), 2);
}

#[test]
fn segments_that_do_not_fit_are_refused_and_stay_open() {
    let (_folder, dir, mut writer) = writer();
    let refused = |result: Result<Vec<PathInBundle>, WriteError>| match result {
        Err(WriteError::Segment { n: 1, reason }) => reason,
        other => panic!("{other:?}"),
    };
    for path in [PathInBundle::Init(1), PathInBundle::Video(1), PathInBundle::Video(2)] {
        write_video(&dir, path);
    }
    let video = |n| PathInBundle::Video(n);
    let init = PathInBundle::Init(1);
    assert_eq!(refused(writer.close_segment(1, 2, &[])), "it does not begin where the one before ends");
    assert_eq!(refused(writer.close_segment(0, 1, &[video(1)])), "it has video and no init segment came before");
    for paths in [&[init, video(2)][..], &[video(1), init], &[init, init], &[init, video(1), video(1)]] {
        let reason = refused(writer.close_segment(0, 1, paths));
        assert!(!reason.is_empty());
    }
    assert!(matches!(
        writer.close_segment(0, 1, &[PathInBundle::Init(2)]),
        Err(WriteError::Storage { action: "read", .. })
    ));
    assert_eq!(writer.segment(), 1);
    let written = writer.close_segment(0, 1, &[init, video(1)]).unwrap();
    let expected = [init, video(1), PathInBundle::Events(1), PathInBundle::Link(1), PathInBundle::Index];
    assert_eq!(written, expected);
    assert!(matches!(writer.close_segment(1, 0, &[]), Err(WriteError::Segment { n: 2, .. })));
    // What is in no link stands in the way of the seal.
    assert!(matches!(writer.seal(ending(State::Closed)), Err(WriteError::Unlisted(path)) if path == "video/00002.m4s"));
    writer.close_segment(1, 2, &[video(2)]).unwrap();
    writer.seal(ending(State::Closed)).unwrap();
    assert!(matches!(writer.event(&event(1, 0, What::Bell {})), Err(WriteError::Sealed)));
    assert!(verify(&dir, &keys()).is_sound());
}

#[test]
fn an_open_segment_and_a_bad_ending_are_not_sealed() {
    let (_folder, _dir, mut writer) = writer();
    writer.event(&event(1, 0, What::Bell {})).unwrap();
    assert!(
        matches!(writer.seal(ending(State::Closed)), Err(WriteError::Unlisted(path)) if path == "events/00001.jsonl")
    );
    writer.close_segment(0, 70_000_000, &[]).unwrap();
    assert!(matches!(writer.seal(ending(State::Closed)), Err(WriteError::Ending(_))));
    let ended = Ending { ended: "yesterday".to_owned(), duration_us: 70_000_000, ..ending(State::Closed) };
    assert!(matches!(writer.seal(ended), Err(WriteError::Ending(_))));
    let long = Ending { reason: "ä".repeat(1000), duration_us: 70_000_000, ..ending(State::Closed) };
    assert_eq!(writer.seal(long).unwrap().seal.reason, "ä".repeat(512));
}

#[test]
fn a_session_without_a_segment_can_be_sealed() {
    let (_folder, dir, mut writer) = writer();
    writer.seal(ending(State::Closed)).unwrap();
    let report = verify(&dir, &keys());
    assert!(report.is_sound(), "{report}");
    for file in bundle::files(&dir) {
        let good = fs::read(dir.join(&file)).unwrap();
        let mut bad = good.clone();
        bad[20] ^= 1;
        fs::write(dir.join(&file), bad).unwrap();
        let report = verify(&dir, &keys());
        assert!(!report.is_sound() && report.faults.iter().all(|fault| fault.path == file), "{report}");
        fs::write(dir.join(&file), good).unwrap();
    }
}

#[test]
fn files_are_for_their_owner_alone_and_no_room_stays_behind() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("b");
    let mut writer = BundleWriter::create(&dir, &manifest(), key()).unwrap();
    let room = fs::metadata(dir.join(".room")).unwrap().len();
    assert_eq!(room, portcullis_evidence::ROOM_BYTES);
    writer.event(&event(1, 0, What::Bell {})).unwrap();
    writer.close_segment(0, 1, &[]).unwrap();
    writer.seal(ending(State::Closed)).unwrap();
    assert!(!dir.join(".room").exists() && !dir.join(".part").exists());
    let mode = |path: &str| fs::metadata(dir.join(path)).unwrap().permissions().mode() & 0o777;
    for file in bundle::files(&dir) {
        assert_eq!(mode(&file), 0o600, "{file}");
    }
    for folder in ["", "chain", "events", "video"] {
        assert_eq!(mode(folder), 0o700, "{folder}");
    }
}

#[test]
fn a_bundle_begins_in_an_empty_folder_with_its_own_key() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("b");
    let other = Manifest { key: SigningKey::generate(&[9; 32]).kid().to_owned(), ..manifest() };
    assert!(matches!(BundleWriter::create(&dir, &other, key()), Err(WriteError::Key)));
    for id in ["", "a/b", "..", "a b", &"x".repeat(65)] {
        let bad = Manifest { id: id.to_owned(), ..manifest() };
        assert!(matches!(BundleWriter::create(&dir, &bad, key()), Err(WriteError::Manifest(_))), "{id}");
    }
    assert!(!dir.exists());
    fs::create_dir(&dir).unwrap();
    BundleWriter::create(&dir, &manifest(), key()).unwrap();
    assert!(matches!(BundleWriter::create(&dir, &manifest(), key()), Err(WriteError::NotEmpty(_))));
    assert_eq!(manifest().prefix(), format!("sessions/2026/01/31/{}", bundle::ID));
}

#[test]
fn damage_to_the_chain_is_found_before_the_seal() {
    for n in [1, 2] {
        let (_folder, dir, mut writer) = writer();
        writer.close_segment(0, 1, &[]).unwrap();
        writer.close_segment(1, 2, &[]).unwrap();
        let path = PathInBundle::Link(n).under(&dir);
        let mut link = fs::read(&path).unwrap();
        link[100] ^= 1;
        fs::write(&path, link).unwrap();
        assert!(matches!(
            writer.seal(ending(State::Closed)),
            Err(WriteError::Damaged { path: PathInBundle::Link(damaged), .. }) if damaged == n
        ));
    }
}

#[test]
fn the_seal_lists_the_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = sealed(folder.path());
    assert_eq!(sealed.seal.gaps, [Gap { from_us: 15_000_000, to_us: 16_000_000 }]);
    assert_eq!(sealed.written, [PathInBundle::Index, PathInBundle::Sums, PathInBundle::Seal]);
    assert_eq!((sealed.seal.links, sealed.seal.events), (3, 6));
}

/// An events file as a later version may write it, or as a faulty writer of this one does, duly signed.
fn signed_events(lines: &str) -> portcullis_evidence::Report {
    let (_folder, dir, mut writer) = writer();
    writer.event(&event(1, 5, What::Bell {})).unwrap();
    let path = PathInBundle::Events(1).under(&dir);
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str(lines);
    fs::write(&path, text).unwrap();
    writer.close_segment(0, 10, &[]).unwrap();
    verify(&dir, &keys())
}

#[test]
fn events_of_later_types_are_counted_and_broken_ones_are_faults() {
    let line = |seq: u64, at: u64, kind: &str| {
        format!(
            "{{\"at_us\":{at},\"more\":{{\"a\":[]}},\"policy\":\"\",\"rule\":\"\",\"seq\":{seq},\"session\":\"{}\",\"subject\":\"\",\
             \"time\":\"2026-01-31T10:00:00.000000Z\",\"type\":\"{kind}\",\"v\":1}}\n",
            bundle::ID
        )
    };
    let kinds = |report: &portcullis_evidence::Report| {
        report.faults.iter().filter(|fault| fault.kind != Kind::Unsealed).map(|fault| fault.kind).collect::<Vec<_>>()
    };
    let report = signed_events(&line(2, 6, "teleported"));
    assert_eq!((kinds(&report), report.events, report.unknown_events), (vec![], 2, 1));
    for (lines, kind) in [
        (line(1, 6, "teleported"), Kind::NotMonotonic),
        (line(2, 4, "teleported"), Kind::NotMonotonic),
        (line(2, 6, "bell"), Kind::Malformed),
        (line(2, 6, "x").replace(bundle::ID, "other"), Kind::Malformed),
        (line(2, 6, "x").replace("\"v\":1", "\"v\":2"), Kind::Malformed),
        (line(2, 6, "x").replace(",\"type\"", ", \"type\""), Kind::Malformed),
        (line(2, 6, "x").replace('T', "t"), Kind::Malformed),
        (line(2, 6, "x").trim_end().to_owned(), Kind::Malformed),
        (line(2, 6, "bell").replace(bundle::ID, "other").replace("\"more\":{\"a\":[]},", ""), Kind::Malformed),
        ("\n".to_owned(), Kind::Malformed),
        ("x".repeat(100_000), Kind::Malformed),
    ] {
        let report = signed_events(&lines);
        assert_eq!(kinds(&report), [kind], "{lines}");
        assert_eq!(report.faults.last().unwrap().path, "events/00001.jsonl");
        assert_eq!(report.events, 1);
    }
}
