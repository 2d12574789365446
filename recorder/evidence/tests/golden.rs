//! Golden bundles of each kind: what a version has written verifies for ever, by either verifier.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bundle::kinds::{self, Tsa, trust};
use portcullis_evidence::{
    BundleFolder, Contents, Identities, KeyList, Report, StampedReport, State, Verdict, verify_at,
};

fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1").join(path)
}

/// Kind, and what its verdict is. `bundle` is held byte for byte by the `format` test.
const KINDS: [(&str, &str); 10] = [
    ("bundle", "gap_declared"),
    ("closed", "sound"),
    ("interrupted", "sound"),
    ("rotated", "sound"),
    ("stamped", "sound"),
    ("growing", "unsealed"),
    ("expired", "expired"),
    ("encrypted", "sound"),
    ("derived", "derived"),
    ("replaced", "replaced"),
];

/// Neither a stamp nor ciphertext is made the same twice, so these are only ever written when they are not there.
fn bless() {
    if !golden("expired").is_dir() {
        let folder = tempfile::tempdir().unwrap();
        kinds::expired(&folder.path().join("b"), true);
        bundle::copy(&folder.path().join("b"), &golden("expired"));
    }
    type Make = fn(&Path);
    for (kind, make) in [("derived", kinds::derived as Make), ("replaced", |dir| kinds::replaced(dir, true))] {
        if !golden(kind).is_dir() {
            let folder = tempfile::tempdir().unwrap();
            make(&folder.path().join("b"));
            bundle::copy(&folder.path().join("b"), &golden(kind));
        }
    }
    if !golden("encrypted").is_dir() {
        let folder = tempfile::tempdir().unwrap();
        kinds::encrypted(&folder.path().join("b"));
        bundle::copy(&folder.path().join("b"), &golden("encrypted"));
        fs::write(
            golden("identity.txt"),
            format!("# public key: {}\n{}\n", kinds::RECIPIENTS[0], kinds::IDENTITIES[0]),
        )
        .unwrap();
    }
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
    for (kind, _) in KINDS.into_iter().filter(|(kind, _)| dir(kind).is_dir()) {
        bundle::copy(&dir(kind), &golden(kind));
    }
    fs::write(golden("keys.json"), kinds::key_list().to_bytes().unwrap()).unwrap();
    fs::write(golden("authority.pem"), tsa.authority()).unwrap();
}

fn look(kind: &str) -> Report {
    let list = KeyList::from_bytes(&fs::read(golden("keys.json")).unwrap(), &[]).unwrap();
    let authority = fs::read_to_string(golden("authority.pem")).unwrap();
    let identities = Identities::read(&fs::read_to_string(golden("identity.txt")).unwrap()).unwrap();
    verify_at(&BundleFolder::at(&golden(kind)), &trust(&list, &authority).with_identities(identities))
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
    assert_eq!(look("expired").expired.as_deref(), Some(kinds::EXPIRED));
    let derived = look("derived").derived.unwrap();
    assert_eq!((derived.codec.as_str(), derived.made.as_str()), ("vp9", "2026-03-01T00:00:00.000000Z"));
    assert_eq!(look("replaced").replaced.unwrap().at, kinds::EXPIRED);
    let [closed, encrypted] = ["closed", "encrypted"].map(look);
    assert_eq!((closed.contents, encrypted.contents), (Contents::Clear, Contents::Decrypted));
    assert_eq!((encrypted.events, encrypted.links), (closed.events, closed.links));
    assert_eq!(encrypted.recipients, kinds::RECIPIENTS);
}

/// The schema of `verify --json` names what a report has, beside verdict and code, and every verdict.
#[test]
fn reports_are_as_their_schema_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify.schema.json");
    let schema: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let report = serde_json::to_value(look("stamped")).unwrap();
    let mut written: Vec<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
    written.extend(["verdict", "exit_code"]);
    let mut required: Vec<&str> =
        schema["required"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    let mut described: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    [&mut written, &mut required, &mut described].into_iter().for_each(|names| names.sort_unstable());
    assert_eq!((&written, &written), (&required, &described));
    let kinds = schema["$defs"]["kind"]["enum"].as_array().unwrap().iter().filter_map(|name| name.as_str());
    let known: Vec<&str> =
        ["sound", "gap_declared"].into_iter().chain(kinds).chain(["expired", "derived", "replaced"]).collect();
    assert_eq!(Verdict::all().iter().map(|verdict| verdict.name()).collect::<Vec<_>>(), known);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/evidence-format.md");
    let page = fs::read_to_string(page).unwrap();
    for verdict in Verdict::all() {
        let row = format!("| {} | `{}` |", verdict.exit_code(), verdict.name());
        assert!(page.contains(&row), "the page lacks {row}");
    }
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
            .arg("--identity")
            .arg(golden("identity.txt"))
            .arg(golden(kind))
            .output()
            .unwrap();
        let said: serde_json::Value = serde_json::from_slice(&ran.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ran.stderr)));
        assert_eq!(said["verdict"], verdict, "{kind}: {said}");
        assert_eq!(ran.status.code(), Some(i32::from(look(kind).verdict().exit_code())));
    }
}
