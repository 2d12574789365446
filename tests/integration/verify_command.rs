//! `portcullis verify` and `portcullis keys …` as auditors run them: golden bundles, lists of keys, roots, authorities.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_evidence::{KeyList, SigningKey, VerifyingKey};
use portcullis_tests::gate::program;
use serde_json::Value;

fn golden(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("recorder/evidence/tests/golden/v1").join(name).to_str().unwrap().to_owned()
}

/// Runs the program on a data folder of its own; exit code, what it printed, and its complaint.
fn run(data: &Path, words: &[&str]) -> (i32, String, String) {
    let output = Command::new(program().unwrap()).args(words).env("PORTCULLIS_DATA", data).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn verify(data: &Path, bundle: &str, words: &[&str]) -> (i32, Value) {
    let (code, out, err) = run(data, &[&["verify", "--json", bundle], words].concat());
    (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
}

#[test]
fn each_kind_of_bundle_has_its_word_and_its_exit_code() {
    let data = tempfile::tempdir().unwrap();
    let (keys, authority, key) = (golden("keys.json"), golden("authority.pem"), golden("evidence.pub"));
    for (kind, code, verdict) in [
        ("closed", 0, "sound"),
        ("interrupted", 0, "sound"),
        ("rotated", 0, "sound"),
        ("stamped", 0, "sound"),
        ("bundle", 3, "gap_declared"),
        ("growing", 21, "unsealed"),
    ] {
        let (exit, report) = verify(data.path(), &golden(kind), &["--keys", &keys, "--tsa", &authority]);
        assert_eq!((exit, &report["verdict"], &report["exit_code"]), (code, &verdict.into(), &code.into()), "{kind}");
    }
    let (exit, report) = verify(data.path(), &golden("stamped"), &["--key", &key]);
    assert_eq!((exit, &report["time_stamp"]["state"]), (0, &"unchecked".into()));
    let (exit, report) = verify(data.path(), &golden("stamped"), &["--key", &key, "--tsa", &authority]);
    assert_eq!((exit, &report["time_stamp"]["state"]), (0, &"proved".into()));
    let (exit, report) = verify(data.path(), &golden("rotated"), &["--key", &key]);
    assert_eq!((exit, &report["verdict"]), (5, &"unknown_key".into()));
    for words in [&["verify", "/nowhere"][..], &["verify", "/", "--key", "/nowhere"], &["verify", "/"]] {
        let (exit, _, err) = run(data.path(), words);
        assert_eq!(exit, 2, "{words:?}: {err}");
    }
}

/// A root's two halves in files.
fn root(folder: &Path) -> (PathBuf, PathBuf) {
    let key = SigningKey::generate(&[7; 32]);
    let (private, public) = (folder.join("root.pem"), folder.join("root.pub.pem"));
    let mut file = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&private).unwrap();
    std::io::Write::write_all(&mut file, key.to_pem().unwrap().as_bytes()).unwrap();
    std::fs::write(&public, key.verifying_key().to_pem().unwrap()).unwrap();
    (private, public)
}

#[test]
fn keys_are_listed_rotated_revoked_and_signed_by_a_root() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let ok = |words: &[&str]| {
        let (code, out, err) = run(&data, words);
        assert_eq!(code, 0, "{words:?}: {err}");
        out
    };
    let list = || KeyList::from_bytes(ok(&["keys", "list"]).as_bytes(), &[]).unwrap();
    ok(&["keys", "generate"]);
    let first = list();
    assert_eq!((first.keys.len(), first.keys[0].until.as_str()), (1, ""));
    let public = || std::fs::read_to_string(data.join("keys/evidence.pub.pem")).unwrap();
    let named = |pem: &str| VerifyingKey::from_pem(pem).unwrap().kid().to_owned();
    assert_eq!(named(&public()), first.keys[0].kid);

    ok(&["keys", "rotate"]);
    let second = list();
    assert_eq!(second.keys.len(), 2);
    assert!(!second.keys[0].until.is_empty() && second.keys[0].until == second.keys[1].from, "{second:?}");
    assert_eq!((named(&public()), second.keys[1].until.as_str()), (second.keys[1].kid.clone(), ""));
    assert!(!data.join("keys/evidence.pem.new").exists());

    let told = ok(&["keys", "revoke", &first.keys[0].kid, "--at", "2026-01-31T00:00:00.000000Z", "--reason", "stolen"]);
    assert!(!told.contains("still in use"), "{told}");
    assert!(ok(&["keys", "revoke", &second.keys[1].kid]).contains("still in use"));
    let third = list();
    assert_eq!(
        (third.keys[0].revoked.as_str(), third.keys[0].reason.as_str()),
        ("2026-01-31T00:00:00.000000Z", "stolen")
    );
    assert_eq!(run(&data, &["keys", "revoke", "0000000000000000"]).0, 2);
    assert_eq!(run(&data, &["keys", "revoke", &first.keys[0].kid, "--at", "yesterday"]).0, 2);

    let (private, root) = root(folder.path());
    let signed = folder.path().join("keys.jws");
    std::fs::write(&signed, ok(&["keys", "list", "--sign", private.to_str().unwrap()])).unwrap();
    let (signed, root) = (signed.to_str().unwrap(), root.to_str().unwrap());
    let (exit, report) = verify(&data, &golden("closed"), &["--keys", signed, "--root", root]);
    assert_eq!((exit, &report["verdict"]), (5, &"unknown_key".into()), "the list is read, and has other keys");
    assert_eq!(run(&data, &["verify", &golden("closed"), "--keys", signed]).0, 2, "a signed list needs its root");
    assert_eq!(run(&data, &["verify", &golden("closed"), "--keys", &golden("keys.json"), "--root", root]).0, 2);
    // What is pinned in the data folder counts when nothing is given.
    assert_eq!(verify(&data, &golden("closed"), &[]).0, 5);
    std::fs::copy(golden("keys.json"), data.join("keys/evidence.keys.json")).unwrap();
    assert_eq!(verify(&data, &golden("closed"), &[]).0, 0);
}
