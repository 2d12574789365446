//! Whatever is done to a sealed bundle is a fault, of the right kind, that names the right file and no other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bundle::{copy, files, key, keys, sealed};
use portcullis_evidence::{BundleWriter, Fault, Kind, PathInBundle, Reopened, Report, SigningKey, State, verify};
use tempfile::TempDir;

/// A sealed bundle and a way to break it.
struct Case {
    folder: TempDir,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        sealed(&folder.path().join("b"));
        Self { folder }
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("b")
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir().join(file)
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).unwrap();
    }

    fn swap(&self, a: &str, b: &str) {
        let (of_a, of_b) = (fs::read(self.path(a)).unwrap(), fs::read(self.path(b)).unwrap());
        fs::write(self.path(a), of_b).unwrap();
        fs::write(self.path(b), of_a).unwrap();
    }

    fn verify(&self) -> Report {
        verify(&self.dir(), &keys())
    }

    /// The faults as (path, kind), sorted.
    fn faults(&self) -> Vec<(String, Kind)> {
        faults(&self.verify())
    }
}

fn faults(report: &Report) -> Vec<(String, Kind)> {
    let mut all: Vec<_> = report.faults.iter().map(|fault: &Fault| (fault.path.clone(), fault.kind)).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn expect(case: &Case, expected: &[(&str, Kind)]) {
    let report = case.verify();
    let expected: Vec<_> = expected.iter().map(|(path, kind)| ((*path).to_owned(), *kind)).collect();
    assert_eq!(faults(&report), expected, "{report}");
}

#[test]
fn an_untouched_bundle_is_sound() {
    let case = Case::new();
    let report = case.verify();
    assert!(report.is_sound(), "{report}");
    assert_eq!(report.state, Some(State::Closed));
    assert_eq!((report.links, report.events, report.unknown_events), (3, 6, 0));
    assert_eq!((report.revisions, report.duration_us, report.gaps), (Some(321), Some(60_000_000), Some(1)));
    assert_eq!(report.keys, [key().kid().to_owned()]);
    assert_eq!(report.files as usize, files(&case.dir()).len());
    assert_eq!(report.session.as_deref(), Some(bundle::ID));
    let total = "01981f6a-0000-7000-8000-000000000001: sound, gaps declared: 1, closed, 3 links, 6 events, 15 files";
    assert!(report.to_string().starts_with(total), "{report}");
}

#[test]
fn every_flipped_byte_of_every_file_is_a_fault_of_that_file() {
    let case = Case::new();
    for file in files(&case.dir()) {
        let path = case.path(&file);
        let good = fs::read(&path).unwrap();
        for i in 0..good.len() {
            let mut bad = good.clone();
            bad[i] ^= 1 << (i % 8);
            fs::write(&path, &bad).unwrap();
            let report = case.verify();
            assert!(!report.is_sound(), "{file}, byte {i}");
            assert!(report.faults.iter().all(|fault| fault.path == file), "{file}, byte {i}:\n{report}");
        }
        fs::write(&path, &good).unwrap();
    }
    assert!(case.verify().is_sound());
}

#[test]
fn every_removed_file_is_a_fault_of_that_file() {
    for file in files(&Case::new().dir()) {
        let case = Case::new();
        case.remove(&file);
        let kind = match file.as_str() {
            "seal.json" => Kind::Unsealed,
            "chain/00003.jws" => Kind::Truncated,
            _ => Kind::Missing,
        };
        expect(&case, &[(&file, kind)]);
    }
}

#[test]
fn every_file_cut_short_or_grown_or_emptied_is_a_fault_of_that_file() {
    let case = Case::new();
    for file in files(&case.dir()) {
        let good = fs::read(case.path(&file)).unwrap();
        for bad in [&good[..good.len() - 1], &[&good[..], b"\n"].concat(), &[&good[..], &good[..]].concat(), b""] {
            fs::write(case.path(&file), bad).unwrap();
            let report = case.verify();
            assert!(!report.is_sound(), "{file}");
            assert!(report.faults.iter().all(|fault| fault.path == file), "{file}:\n{report}");
        }
        fs::write(case.path(&file), &good).unwrap();
    }
}

#[test]
fn a_file_of_absurd_length_is_not_read() {
    for file in ["session.json", "seal.json", "chain/00002.jws", "SHA256SUMS", "events/00001.jsonl"] {
        let case = Case::new();
        // Sparse: a terabyte that takes no room, and would take minutes to hash.
        fs::File::options().write(true).open(case.path(file)).unwrap().set_len(1 << 40).unwrap();
        let report = case.verify();
        assert!(!report.is_sound());
        assert!(report.faults.iter().all(|fault| fault.path == file), "{report}");
    }
}

#[test]
fn swapped_segments_are_reordered() {
    let case = Case::new();
    case.swap("chain/00001.jws", "chain/00002.jws");
    expect(&case, &[("chain/00001.jws", Kind::Reordered), ("chain/00002.jws", Kind::Reordered)]);

    let case = Case::new();
    for (a, b) in [
        ("chain/00002.jws", "chain/00003.jws"),
        ("video/00002.m4s", "video/00003.m4s"),
        ("events/00002.jsonl", "events/00003.jsonl"),
    ] {
        case.swap(a, b);
    }
    expect(
        &case,
        &[
            ("chain/00002.jws", Kind::Reordered),
            ("chain/00003.jws", Kind::Reordered),
            ("events/00002.jsonl", Kind::Edited),
            ("events/00003.jsonl", Kind::Edited),
            ("video/00002.m4s", Kind::Edited),
            ("video/00003.m4s", Kind::Edited),
        ],
    );
}

#[test]
fn a_bundle_without_its_end_is_truncated_or_unsealed() {
    let end = ["chain/00003.jws", "events/00003.jsonl", "video/00003.m4s"];
    let case = Case::new();
    end.iter().for_each(|file| case.remove(file));
    expect(
        &case,
        &[
            ("chain/00003.jws", Kind::Truncated),
            ("events/00003.jsonl", Kind::Missing),
            ("video/00003.m4s", Kind::Missing),
        ],
    );
    case.remove("SHA256SUMS");
    expect(&case, &[("SHA256SUMS", Kind::Missing), ("chain/00003.jws", Kind::Truncated)]);
    case.remove("seal.json");
    expect(&case, &[("seal.json", Kind::Unsealed)]);
    assert_eq!(case.verify().state, None);
}

#[test]
fn the_whole_chain_gone() {
    let case = Case::new();
    for n in 1..=3 {
        case.remove(&format!("chain/0000{n}.jws"));
    }
    expect(&case, &[("chain/00001.jws", Kind::Truncated)]);
}

#[test]
fn a_segment_cut_from_the_middle_is_missing() {
    let case = Case::new();
    let middle = ["chain/00002.jws", "events/00002.jsonl", "video/00002.m4s", "video/init-0002.mp4"];
    middle.iter().for_each(|file| case.remove(file));
    expect(&case, &middle.map(|file| (file, Kind::Missing)));
}

#[test]
fn files_too_many_are_extra_or_extend_the_bundle() {
    for file in [
        "notes.txt",
        ".part",
        "events/00004.jsonl",
        "events/note",
        "video/00009.m4s",
        "video/init-0003.mp4",
        "video/init-0001.mp4~",
        "chain/00004.jws",
        "chain/00099.jws",
    ] {
        let case = Case::new();
        fs::copy(case.path("chain/00003.jws"), case.path(file)).unwrap();
        let known = file.parse::<PathInBundle>().is_ok();
        expect(&case, &[(file, if known { Kind::Extended } else { Kind::Extra })]);
    }
    let case = Case::new();
    fs::create_dir_all(case.path("more/video")).unwrap();
    expect(&case, &[("more", Kind::NotAFile)]);
}

#[test]
fn an_extra_file_is_found_without_the_listing_too() {
    let case = Case::new();
    case.remove("SHA256SUMS");
    fs::write(case.path("video/init-0003.mp4"), "x").unwrap();
    fs::write(case.path("events/00004.jsonl"), "x").unwrap();
    expect(
        &case,
        &[
            ("SHA256SUMS", Kind::Missing),
            ("events/00004.jsonl", Kind::Extended),
            ("video/init-0003.mp4", Kind::Extended),
        ],
    );
}

#[test]
fn links_and_special_files_are_never_followed() {
    for file in files(&Case::new().dir()) {
        let case = Case::new();
        let elsewhere = case.folder.path().join("elsewhere");
        fs::rename(case.path(&file), &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, case.path(&file)).unwrap();
        expect(&case, &[(&file, Kind::NotAFile)]);
        case.remove(&file);
        let socket = std::os::unix::net::UnixListener::bind(case.path(&file)).unwrap();
        expect(&case, &[(&file, Kind::NotAFile)]);
        drop(socket);
    }
    let case = Case::new();
    let elsewhere = case.folder.path().join("elsewhere");
    fs::rename(case.path("video"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, case.path("video")).unwrap();
    let faults = case.faults();
    assert!(faults.contains(&("video".to_owned(), Kind::NotAFile)), "{faults:?}");
    assert!(faults.contains(&("video/00001.m4s".to_owned(), Kind::Missing)), "{faults:?}");
}

#[test]
fn a_name_that_would_move_the_cursor_is_shown_harmless() {
    let case = Case::new();
    fs::write(case.path("\u{1b}[2J\n: sound"), "").unwrap();
    let report = case.verify();
    assert_eq!(report.faults[0].to_string(), "\\u{1b}[2J\\n: sound: extra: no file of a bundle has this name");
}

#[test]
fn another_key_is_unknown() {
    let case = Case::new();
    let stranger = SigningKey::generate(&[2; 32]).verifying_key();
    for keys in [&[][..], &[stranger]] {
        let report = verify(&case.dir(), keys);
        let signed = ["chain/00001.jws", "chain/00002.jws", "chain/00003.jws", "seal.json"];
        assert_eq!(faults(&report), signed.map(|file| (file.to_owned(), Kind::UnknownKey)));
        assert_eq!((report.state, report.links, report.keys), (None, 0, vec![]));
    }
}

#[test]
fn a_bundle_begun_under_a_new_key_is_finished_under_another_and_still_has_to_name_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("b");
    let other = Arc::new(SigningKey::generate(&[2; 32]));
    drop(BundleWriter::create(&dir, &bundle::manifest(), key()).unwrap());
    // The gate's key was renewed before anything was signed: link 1 bears the new key, the manifest names the old one.
    let Reopened::Open(mut writer, _) = BundleWriter::reopen(&dir, other.clone()).unwrap() else {
        panic!("not open");
    };
    writer.close_segment(0, 1, &[]).unwrap();
    writer.seal(bundle::ending(State::Interrupted)).unwrap();
    let report = verify(&dir, &[key().verifying_key(), other.verifying_key()]);
    assert_eq!(faults(&report), [("chain/00001.jws".to_owned(), Kind::WrongKey)]);
}

/// Another sealed bundle of the same gate: other session, same numbers.
fn other_session(dir: &Path) {
    let manifest = portcullis_evidence::Manifest { id: "other".to_owned(), ..bundle::manifest() };
    let mut writer = BundleWriter::create(dir, &manifest, key()).unwrap();
    for n in 1..=3_u64 {
        writer.close_segment((n - 1) * 1000, n * 1000, &[]).unwrap();
    }
    writer.seal(bundle::ending(State::Closed)).unwrap();
}

#[test]
fn parts_of_another_session_of_the_same_gate_are_out_of_place() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    other_session(&other);
    assert!(verify(&other, &keys()).is_sound());
    for (file, kind) in [
        ("chain/00001.jws", Kind::Reordered),
        ("chain/00002.jws", Kind::Reordered),
        ("chain/00003.jws", Kind::Reordered),
        ("session.json", Kind::Edited),
        ("seal.json", Kind::Reordered),
        ("SHA256SUMS", Kind::Edited),
        ("index.m3u8", Kind::Edited),
        ("events/00003.jsonl", Kind::Edited),
    ] {
        let case = Case::new();
        fs::copy(other.join(file), case.path(file)).unwrap();
        let found = case.faults();
        assert!(found.contains(&(file.to_owned(), kind)), "{file}: {found:?}");
        if file.starts_with("chain/") {
            // The files that the foreign link lists are not here as it lists them, and are named too.
            assert!(found.iter().all(|(path, _)| path == file || path.contains(&file[6..11])), "{found:?}");
        } else {
            assert!(found.iter().all(|(path, _)| path == file), "{found:?}");
        }
    }
}

/// The links that a second run of the gate signs when it goes on from the first `links` links of the same session, as
/// after a disk was copied. Every one of them is truly signed.
fn fork(case: &Case, links: u32) -> PathBuf {
    let dir = case.folder.path().join("fork");
    copy(&case.dir(), &dir);
    for file in files(&dir) {
        let later = (links + 1..=3).any(|n| file.contains(&format!("/{n:05}."))) || file.ends_with("init-0002.mp4");
        if later || file == "seal.json" || file == "SHA256SUMS" {
            fs::remove_file(dir.join(file)).unwrap();
        }
    }
    let Reopened::Open(mut writer, _) = BundleWriter::reopen(&dir, key()).unwrap() else { panic!("not open") };
    writer.close_segment(writer.from_us(), writer.from_us() + 10_000_000, &[]).unwrap();
    dir
}

#[test]
fn a_second_link_3_that_was_truly_signed_is_not_the_one_that_was_sealed() {
    let case = Case::new();
    let fork = fork(&case, 2);
    for file in ["chain/00003.jws", "events/00003.jsonl"] {
        fs::copy(fork.join(file), case.path(file)).unwrap();
    }
    assert!(case.faults().contains(&("chain/00003.jws".to_owned(), Kind::Reordered)), "{}", case.verify());
    // Without the listing the seal alone tells.
    case.remove("SHA256SUMS");
    assert!(case.faults().contains(&("chain/00003.jws".to_owned(), Kind::Reordered)), "{}", case.verify());
}

#[test]
fn a_second_link_2_that_was_truly_signed_is_not_the_one_that_link_3_follows() {
    let case = Case::new();
    let fork = fork(&case, 1);
    fs::copy(fork.join("chain/00002.jws"), case.path("chain/00002.jws")).unwrap();
    // The seal knows which one was meant; without it, link 3 does not follow.
    let places = |case: &Case| -> Vec<String> {
        case.faults().into_iter().filter(|fault| fault.1 == Kind::Reordered).map(|fault| fault.0).collect()
    };
    assert_eq!(places(&case), ["chain/00002.jws"]);
    case.remove("SHA256SUMS");
    case.remove("seal.json");
    assert_eq!(places(&case), ["chain/00003.jws"]);
}

#[test]
fn what_is_no_bundle_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = verify(&folder.path().join("nothing"), &keys());
    assert_eq!(faults(&nothing), [(".".to_owned(), Kind::NotAFile)]);
    let empty = verify(folder.path(), &keys());
    assert_eq!(faults(&empty), [("seal.json".to_owned(), Kind::Unsealed), ("session.json".to_owned(), Kind::Missing)]);
}

#[test]
fn a_bundle_that_still_grows_is_unsealed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("b");
    let settings = portcullis_evidence::Settings { room_bytes: 0, ..Default::default() };
    let mut writer = BundleWriter::create_with(&dir, &bundle::manifest(), key(), settings).unwrap();
    let mut progress = bundle::Progress::default();
    for scene in bundle::story() {
        bundle::write_video(&dir, portcullis_evidence::PathInBundle::Video(writer.segment()));
        let report = verify(&dir, &keys());
        assert_eq!(faults(&report), [("seal.json".to_owned(), Kind::Unsealed)], "{report}");
        bundle::scene_of(&mut writer, &scene, &mut progress).unwrap();
        let report = verify(&dir, &keys());
        assert_eq!(faults(&report), [("seal.json".to_owned(), Kind::Unsealed)], "{report}");
        assert_eq!(report.links, progress.links);
    }
}
