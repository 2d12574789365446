//! `portcullis recordings …` as operators run it, over a folder vault: looked at, held, released, let go, and wrong words.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use portcullis_evidence::{
    BundleWriter, Ending, KeepLock, KeepTerms, Manifest, Mode, PathInBundle, SigningKey, State, stamp,
};
use portcullis_tests::gate::program;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// Runs the program on a data folder; exit code, what it printed, and its complaint.
fn run(data: &Path, words: &[&str]) -> (i32, String, String) {
    let output = Command::new(program().unwrap()).args(words).env("PORTCULLIS_DATA", data).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(data: &Path, words: &[&str]) -> Value {
    let (code, out, err) = run(data, words);
    assert_eq!(code, 0, "{words:?}: {err}");
    serde_json::from_str(&out).unwrap()
}

/// A data folder with a key of its own.
fn data(folder: &Path) -> Arc<SigningKey> {
    let key = SigningKey::generate(&[5; 32]);
    std::fs::create_dir_all(folder.join("keys")).unwrap();
    let pem = folder.join("keys/evidence.pem");
    let mut file = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(pem).unwrap();
    std::io::Write::write_all(&mut file, key.to_pem().unwrap().as_bytes()).unwrap();
    assert_eq!(run(folder, &["keys", "generate"]).0, 0);
    Arc::new(key)
}

/// A recording in the folder's vault that ended so many days ago and is kept for so many.
pub(crate) fn recording(data: &Path, key: &Arc<SigningKey>, id: &str, ended_days: i64, keep_days: u64) {
    let ended = OffsetDateTime::now_utc() - Duration::days(ended_days);
    let keep = (keep_days > 0).then_some(KeepTerms { lock: KeepLock::None, seconds: keep_days * 86_400 });
    let manifest = Manifest {
        v: 1,
        id: id.to_owned(),
        subject: "alice".to_owned(),
        issuer: String::new(),
        groups: Vec::new(),
        desktop: "browser".to_owned(),
        policy: "sha256:0123456789ab".to_owned(),
        rule: "staff.yaml:5 allow.open".to_owned(),
        started: stamp(ended - Duration::seconds(60)),
        mode: Mode::Strict,
        gate: "0.1.0".to_owned(),
        key: key.kid().to_owned(),
        keep,
        text: None,
        recipients: Vec::new(),
    };
    let dir = data.join("vault").join(manifest.prefix());
    std::fs::create_dir_all(dir.parent().unwrap()).unwrap();
    let mut writer = BundleWriter::create(&dir, &manifest, Arc::clone(key)).unwrap();
    let video = [PathInBundle::Init(1), PathInBundle::Video(1)];
    video.iter().for_each(|path| std::fs::write(path.under(&dir), "film").unwrap());
    writer.close_segment(0, 1_000_000, &video).unwrap();
    let ending = Ending {
        state: State::Closed,
        reason: "the person left".to_owned(),
        ended: stamp(ended),
        duration_us: 60_000_000,
        revisions: 1,
    };
    writer.seal(ending).unwrap();
}

fn fates(data: &Path, words: &[&str]) -> Vec<(String, String)> {
    let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    let report = json(data, &[&["recordings", "expire", "--json"], words].concat());
    let mut fates: Vec<_> =
        report.as_array().unwrap().iter().map(|line| (text(line, "id"), text(line, "fate"))).collect();
    fates.sort();
    fates
}

#[test]
fn recordings_are_listed_held_and_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let data = &folder.path().join("data");
    let key = self::data(data);
    for (id, ended, keep) in [("due", 31, 30), ("held", 31, 30), ("kept", 3, 30), ("ever", 900, 0)] {
        recording(data, &key, id, ended, keep);
    }
    let ids = |words: &[&str]| {
        let listed = json(data, &[&["recordings", "list", "--json"], words].concat());
        let ids = listed.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(&[])[0], "kept", "newest first");
    assert_eq!(ids(&["--subject", "bob"]).len() + ids(&["--desktop", "x"]).len() + ids(&["--state", "held"]).len(), 0);
    assert_eq!(ids(&["--to", "2026-01-01", "--from", "2000-01-01"]).iter().filter(|id| *id == "kept").count(), 0);
    assert!(run(data, &["recordings", "hold", "held", "--reason", "case 7"]).1.contains("is held"));
    assert_eq!(run(data, &["recordings", "hold", "held", "--reason", "case 8"]).0, 1);
    assert_eq!(ids(&["--state", "held"]), ["held"]);
    let expected = |due: &str, held: &str| {
        [("due", due), ("ever", "stays"), ("held", held), ("kept", "stays")].map(|(id, fate)| (id.into(), fate.into()))
    };
    assert_eq!(fates(data, &["--dry-run"]), expected("due", "stays"));
    assert_eq!(fates(data, &[]), expected("expired", "stays"));
    assert_eq!(fates(data, &[]), expected("gone", "stays"));
    assert_eq!(run(data, &["recordings", "release", "held", "--reason", "over"]).0, 0);
    assert_eq!(fates(data, &[]), expected("gone", "expired"));
    assert_eq!(json(data, &["recordings", "show", "--json", "due"])["state"], "expired");
    assert_eq!(run(data, &["recordings", "show", "--verify", "due"]).0, 23);
    assert_eq!((run(data, &["verify", "due"]).0, run(data, &["verify", "kept"]).0), (23, 0));
    let journal = std::fs::read_dir(data.join("journal")).unwrap();
    let journal: String = journal.map(|day| std::fs::read_to_string(day.unwrap().path()).unwrap()).collect();
    for (kind, count) in [("recording_expired", 2), ("recording_held", 1), ("recording_released", 1)] {
        assert_eq!(journal.matches(&format!("\"type\":\"{kind}\"")).count(), count, "{kind}: {journal}");
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let data = &folder.path().join("data");
    let key = self::data(data);
    recording(data, &key, "one", 1, 0);
    for (words, said) in [
        (&["recordings", "show", "nobody"][..], "there is no recording `nobody`"),
        (&["recordings", "hold", "nobody", "--reason", "x"], "there is no recording"),
        (&["recordings", "hold", "one", "--reason", " "], "--reason must say why"),
        (&["recordings", "list", "--from", "yesterday"], "yesterday is no day"),
        (&["recordings", "list", "--data", "/nowhere"], "there is no vault in /nowhere"),
    ] {
        let (code, _, err) = run(data, words);
        assert!(code == 2 && err.contains(said), "{words:?}: {code} {err}");
    }
    assert_eq!(run(data, &["recordings", "release", "one", "--reason", "x"]).0, 1);
    assert!(run(data, &["recordings", "recover"]).1.contains("nothing is left"));
    for _ in 0..2 {
        let (code, out, err) = run(data, &["recordings", "rebuild-index"]);
        assert!(code == 0 && out.starts_with("1 recordings"), "{out}{err}");
    }
}
