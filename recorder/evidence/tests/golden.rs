//! Golden bundles of each kind: what a version has written verifies for ever, by either verifier.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bundle::kinds::{self, Tsa, trust};
use portcullis_evidence::{BundleFolder, KeyList, Report, StampedReport, State, verify_at};

fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1").join(path)
}

/// Kind, and what its verdict is. `bundle` is held byte for byte by the `format` test.
const KINDS: [(&str, &str); 6] = [
    ("bundle", "gap_declared"),
    ("closed", "sound"),
    ("interrupted", "sound"),
    ("rotated", "sound"),
    ("stamped", "sound"),
    ("growing", "unsealed"),
];

/// A stamp is not made the same twice, so these are only ever written when they are not there.
fn bless() {
    if golden("stamped").is_dir() {
        return;
    }
    let tsa = Tsa::new("rsa:2048", "sha256");
    let folder = tempfile::tempdir().unwrap();
    let dir = |kind: &str| folder.path().join(kind);
    kinds::closed(&dir("closed"));
    kinds::interrupted(&dir("interrupted"), bundle::key());
    kinds::interrupted(&dir("rotated"), kinds::new_key());
    kinds::growing(&dir("growing"));
    kinds::closed(&dir("stamped"));
    tsa.stamp(&dir("stamped"));
    for (kind, _) in KINDS.into_iter().filter(|(kind, _)| *kind != "bundle") {
        bundle::copy(&dir(kind), &golden(kind));
    }
    fs::write(golden("keys.json"), kinds::key_list().to_bytes().unwrap()).unwrap();
    fs::write(golden("authority.pem"), tsa.authority()).unwrap();
}

fn look(kind: &str) -> Report {
    let list = KeyList::from_bytes(&fs::read(golden("keys.json")).unwrap(), &[]).unwrap();
    let authority = fs::read_to_string(golden("authority.pem")).unwrap();
    verify_at(&BundleFolder::at(&golden(kind)), &trust(&list, &authority))
}

#[test]
fn golden_bundles_of_each_kind_verify_for_ever() {
    if std::env::var_os("BLESS").is_some() {
        bless();
    }
    for (kind, verdict) in KINDS {
        let report = look(kind);
        assert_eq!(report.verdict().name(), verdict, "{kind}: {report}");
    }
    assert_eq!(look("interrupted").state, Some(State::Interrupted));
    assert_eq!(look("rotated").keys.len(), 2);
    assert!(matches!(look("stamped").time_stamp, Some(StampedReport::Proved { .. })));
    assert_eq!(look("closed").time_stamp, None);
}

#[test]
fn the_second_verifier_says_the_same_of_them() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verifier/verify.py");
    for (kind, verdict) in KINDS {
        let ran = Command::new("python3")
            .arg(&script)
            .arg("--keys")
            .arg(golden("keys.json"))
            .arg("--tsa")
            .arg(golden("authority.pem"))
            .arg(golden(kind))
            .output()
            .unwrap();
        let said: serde_json::Value = serde_json::from_slice(&ran.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ran.stderr)));
        assert_eq!(said["verdict"], verdict, "{kind}: {said}");
        assert_eq!(ran.status.code(), Some(i32::from(look(kind).verdict().exit_code())));
    }
}
