//! Encrypted bundles: nothing in clear, both layers proved, and a kill at any step loses nothing while the key is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bundle::disk::Killed;
use bundle::kinds::{self, IDENTITIES, RECIPIENTS, encryption};
use bundle::{Progress, ending, event, files, key, keys, scene_of, story};
use portcullis_evidence::{
    BundleFolder, BundleWriter, Contents, CoverKey, Decrypted, Disk, Identities, Kind, Mishaps, PathInBundle, Reopened,
    Report, Settings, Source, State, Trust, Verdict, What, WriteError, verify_at,
};
use tempfile::TempDir;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("b");
    (folder, dir)
}

fn settings(mishaps: Arc<dyn Mishaps>) -> Settings {
    Settings { disk: Disk::with(mishaps), room_bytes: 0, encryption: Some(encryption()) }
}

fn look(dir: &Path, identity: Option<&str>) -> Report {
    let trust = Trust::of(&keys());
    let trust = match identity {
        Some(text) => trust.with_identities(Identities::read(text).unwrap()),
        None => trust,
    };
    verify_at(&BundleFolder::at(dir), &trust)
}

/// Verdict and faults, (file, kind), of the second verifier.
fn second(dir: &Path, identity: Option<&str>) -> (String, Vec<(String, String)>) {
    let pem = dir.with_extension("pem");
    fs::write(&pem, key().verifying_key().to_pem().unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verifier/verify.py");
    let mut command = Command::new("python3");
    command.arg(script).arg("--key").arg(&pem);
    if let Some(identity) = identity {
        let path = dir.with_extension("identity");
        fs::write(&path, identity).unwrap();
        command.arg("--identity").arg(path);
    }
    let ran = command.arg(dir).output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ran.stderr)));
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let faults = said["faults"].as_array().unwrap().iter().map(|fault| (text(&fault["path"]), text(&fault["kind"])));
    (text(&said["verdict"]), faults.collect())
}

/// Both verifiers find these faults, with this identity or without one.
fn agree(dir: &Path, identity: Option<&str>, expected: &[(&str, Kind)]) -> Report {
    let report = look(dir, identity);
    let mut found: Vec<_> =
        report.faults.iter().map(|fault| (fault.path.clone(), fault.kind.name().to_owned())).collect();
    found.sort();
    let mut wanted: Vec<_> = expected.iter().map(|(path, kind)| ((*path).to_owned(), kind.name().to_owned())).collect();
    wanted.sort();
    assert_eq!(found, wanted, "{report}");
    assert_eq!(second(dir, identity), (report.verdict().name().to_owned(), found));
    report
}

/// What the story says and shows, none of which may lie anywhere in clear.
fn assert_nothing_clear(dir: &Path, case: &str) {
    let secrets = ["no rule permits", "https://gate.example", "the disk was full", "00001.m4svideo/", ".mp4video/"];
    for file in files(dir) {
        let bytes = fs::read(dir.join(&file)).unwrap();
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{case}: {file} has {secret:?} in clear");
        }
    }
}

#[test]
fn each_auditor_sees_it_all_and_others_that_it_is_whole() {
    let (_folder, dir) = folder();
    kinds::encrypted(&dir);
    assert_nothing_clear(&dir, "sealed");
    for identity in IDENTITIES {
        let report = agree(&dir, Some(identity), &[]);
        assert_eq!((report.contents, report.events), (Contents::Decrypted, 5), "{report}");
    }
    let stranger = "AGE-SECRET-KEY-19DJ79RJGDWCVWT8PKQKSVWNQAS22F26QJVP3M036ZCC945KMR8KSRN33RL";
    for identity in [None, Some(stranger)] {
        let report = agree(&dir, identity, &[]);
        assert_eq!((report.contents, report.events), (Contents::Encrypted, 0), "{report}");
        assert!(report.to_string().contains("encrypted, contents not looked at"), "{report}");
        assert_eq!(report.recipients, RECIPIENTS);
    }
    let mut sums = Command::new("sha256sum");
    sums.args(["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(&dir);
    assert!(sums.status().unwrap().success());
}

#[test]
fn decrypted_it_is_the_clear_bundle() {
    let (_folder, dir) = folder();
    kinds::encrypted(&dir);
    let (source, identities) = (BundleFolder::at(&dir), kinds::identities());
    let plain = Decrypted::new(&source, &identities);
    let mut names = Vec::new();
    plain
        .list(&mut |entry| {
            names.push(entry.path);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert!(names.iter().all(|name| !name.ends_with(".age")) && names.contains(&"video/init-0002.mp4".to_owned()));
    for path in [PathInBundle::Init(1), PathInBundle::Video(3)] {
        let opened = plain.open(path).unwrap();
        let mut bytes = Vec::new();
        { opened.reader }.read_to_end(&mut bytes).unwrap();
        assert_eq!((bytes.clone(), opened.bytes), (bundle::video_bytes(path), bytes.len() as u64));
    }
    let mut manifest = Vec::new();
    plain.open(PathInBundle::Session).unwrap().reader.read_to_end(&mut manifest).unwrap();
    assert_eq!(manifest, kinds::encrypted_manifest().to_bytes().unwrap());
    assert!(plain.open(PathInBundle::Video(9)).is_err());
}

/// A gate that signs what is not so: seen by those who can look inside alone.
#[test]
fn what_is_inside_is_held_against_what_was_signed() {
    type Lie = fn(&mut portcullis_evidence::FileHash, &Path);
    let lies: [(&str, Lie); 4] = [
        ("another length", |file, _| file.plain.as_mut().unwrap().bytes += 1),
        ("another hash", |file, _| file.plain.as_mut().unwrap().sha256.0[0] ^= 1),
        ("no age file", |file, dir| {
            let bytes = vec![b'x'; usize::try_from(file.bytes).unwrap()];
            fs::write(file.path.under(dir), &bytes).unwrap();
            file.sha256 = portcullis_evidence::Digest::of(&bytes);
        }),
        ("torn", |file, dir| {
            let bytes = fs::read(file.path.under(dir)).unwrap();
            fs::write(file.path.under(dir), &bytes[..bytes.len() - 1]).unwrap();
            (file.bytes, file.sha256) = (file.bytes - 1, portcullis_evidence::Digest::of(&bytes[..bytes.len() - 1]));
        }),
    ];
    for (lie, act) in lies {
        let (_folder, dir) = folder();
        let settings = settings(Arc::new(Killed::never()));
        let mut writer = BundleWriter::create_with(&dir, &kinds::encrypted_manifest(), key(), settings).unwrap();
        writer.event(&event(1, 0, What::Bell {})).unwrap();
        let init = encryption().store(&dir, PathInBundle::Init(1), b"init").unwrap();
        let mut video = encryption().store(&dir, PathInBundle::Video(1), b"video").unwrap();
        act(&mut video, &dir);
        writer.close_encrypted(0, 5, &[init, video]).unwrap();
        writer.seal(ending(State::Closed)).unwrap();
        assert_eq!(agree(&dir, None, &[]).verdict(), Verdict::Sound, "{lie}");
        let report = agree(&dir, Some(IDENTITIES[1]), &[("video/00001.m4s.age", Kind::Malformed)]);
        assert_eq!(report.events, 1, "{lie}");
    }
}

#[test]
fn links_of_the_other_kind_are_malformed() {
    let (_folder, dir) = folder();
    kinds::encrypted(&dir);
    let error =
        BundleWriter::create_with(&dir.join("x"), &bundle::manifest(), key(), settings(Arc::new(Killed::never())));
    assert!(matches!(error, Err(WriteError::Encryption)), "a manifest that names nobody");
    let (_folder, clear) = folder();
    bundle::sealed(&clear);
    // A clear file in an encrypted bundle's place, or the other way round, is one that nothing lists.
    fs::copy(clear.join("events/00001.jsonl"), dir.join("events/00001.jsonl")).unwrap();
    agree(&dir, Some(IDENTITIES[0]), &[("events/00001.jsonl", Kind::Extended)]);
    fs::remove_file(dir.join("events/00001.jsonl.age")).unwrap();
    let missing = [("events/00001.jsonl", Kind::Extended), ("events/00001.jsonl.age", Kind::Missing)];
    agree(&dir, Some(IDENTITIES[0]), &missing);
}

fn play(dir: &Path, mishaps: Arc<dyn Mishaps>, progress: &mut Progress) -> Result<(), WriteError> {
    let mut writer = BundleWriter::create_with(dir, &kinds::encrypted_manifest(), key(), settings(mishaps))?;
    for scene in story() {
        scene_of(&mut writer, &scene, progress)?;
    }
    writer.seal(ending(State::Closed))?;
    progress.sealed = true;
    Ok(())
}

/// What the next run of the gate does, with the key that it found or without.
fn recover(dir: &Path, disk: Disk, cover: Option<CoverKey>) -> Result<Option<State>, WriteError> {
    let (mut writer, left) = match BundleWriter::reopen_on(disk, dir, key(), cover)? {
        Reopened::Unstarted => return Ok(None),
        Reopened::Sealed(_, seal) => return Ok(Some(seal.state)),
        Reopened::Open(writer, left) => (writer, left),
    };
    let at = writer.at_us().max(writer.from_us());
    if left.lost {
        let gap = What::Gap { from_us: writer.from_us(), to_us: 60_000_000, reason: "the key is gone".to_owned() };
        writer.event(&event(writer.next_seq(), at, gap))?;
    }
    let reason = "the gate was killed".to_owned();
    writer.event(&event(writer.next_seq(), at, What::SessionClosed { reason }))?;
    writer.close_encrypted(writer.from_us(), writer.from_us().max(60_000_000), &[])?;
    writer.seal(ending(State::Interrupted))?;
    Ok(Some(State::Interrupted))
}

fn steps() -> usize {
    let (_folder, dir) = folder();
    let killed = Arc::new(Killed::never());
    play(&dir, killed.clone(), &mut Progress::default()).unwrap();
    killed.steps()
}

fn quick() -> Disk {
    Disk::with(Arc::new(Killed::never()))
}

#[test]
fn killed_at_any_step_nothing_is_lost_or_clear_and_without_the_key_the_loss_is_declared() {
    let cover = || Some(encryption().key().clone());
    let all = steps();
    for step in 0..=all {
        for (torn, key_is_there) in [(false, true), (true, true), (true, false)] {
            let (_folder, dir) = folder();
            let mut progress = Progress::default();
            let _ = play(&dir, Arc::new(Killed::at(step, torn)), &mut progress);
            if !dir.exists() {
                continue;
            }
            let case = format!("step {step}, torn {torn}, key {key_is_there}");
            assert_nothing_clear(&dir, &case);
            let found = recover(&dir, quick(), cover().filter(|_| key_is_there)).expect(&case);
            let Some(state) = found else {
                assert_eq!((progress.links, progress.accepted.len()), (0, 0), "{case}");
                continue;
            };
            let report = look(&dir, Some(IDENTITIES[0]));
            assert!(report.is_sound(), "{case}: {report}");
            assert_eq!((report.state, report.contents), (Some(state), Contents::Decrypted), "{case}");
            assert!(report.links >= progress.links, "{case}: {report}");
            let closed = story().iter().take(progress.links as usize).map(|scene| scene.events.len()).sum();
            let least = (if key_is_there { progress.accepted.len() } else { closed }) as u64;
            assert!(report.events >= least, "{case}: {least} events, {report}");
            let lost = state == State::Interrupted && !key_is_there;
            assert!(!lost || report.verdict() == Verdict::GapDeclared, "{case}: {report}");
            assert_nothing_clear(&dir, &case);
        }
    }
}

#[test]
fn a_recovery_that_is_killed_in_its_turn_loses_nothing_either() {
    let cover = || Some(encryption().key().clone());
    for step in (0..steps()).step_by(7) {
        for again in 0.. {
            let (_folder, dir) = folder();
            let mut progress = Progress::default();
            let _ = play(&dir, Arc::new(Killed::at(step, true)), &mut progress);
            if !dir.exists() {
                break;
            }
            let first = recover(&dir, Disk::with(Arc::new(Killed::at(again, again % 2 == 0))), cover());
            let found = recover(&dir, quick(), cover()).unwrap();
            let case = format!("step {step}, then {again}");
            let report = look(&dir, Some(IDENTITIES[0]));
            assert!(found.is_none() || report.is_sound(), "{case}: {report}");
            assert!(report.events >= progress.accepted.len() as u64, "{case}: {report}");
            if first.is_ok() {
                break;
            }
        }
    }
}
