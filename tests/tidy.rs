//! Rules of the repository as tests: who may import whom, true module sentences, files that stay readable, keys that are documented.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Who may import whom (ARCHITECTURE.md); the program composes and may import all but tests.
const MAY_IMPORT: [(&str, &[&str]); 11] = [
    ("alerts", &["portcullis-evidence", "portcullis-vault"]),
    ("policy", &[]),
    ("policy/content", &[]),
    ("policy/files", &["portcullis-content"]),
    ("proxy/rfb", &[]),
    ("recorder/evidence", &[]),
    ("recorder/export", &["portcullis-evidence"]),
    ("recorder/vault", &["portcullis-evidence"]),
    ("recorder", &["portcullis-rfb", "portcullis-evidence", "portcullis-export", "portcullis-vault"]),
    (
        "proxy",
        &[
            "portcullis-content",
            "portcullis-files",
            "portcullis-rfb",
            "portcullis-policy",
            "portcullis-evidence",
            "portcullis-recorder",
            "portcullis-vault",
        ],
    ),
    ("web", &["portcullis-policy", "portcullis-evidence", "portcullis-export", "portcullis-vault"]),
];

/// A dependency that lives in certain packages alone.
const LIVES_IN: [(&str, &[&str]); 10] = [
    ("age", &["recorder/evidence"]),
    ("aho-corasick", &["policy/content"]),
    ("aws-sdk-s3", &["recorder/vault"]),
    ("ffmpeg-next", &["recorder"]),
    ("bollard", &["proxy"]),
    ("tokio-rustls", &["proxy", "alerts"]),
    ("des", &["proxy/rfb"]),
    ("sqlx", &["web"]),
    ("turbojpeg", &["proxy/rfb"]),
    ("zune-jpeg", &["proxy/rfb"]),
];

/// What leaf packages must not lean on: they do no I/O of the network and read no clock.
const NOT_IN_LEAVES: [&str; 5] = ["tokio", "axum", "reqwest", "tracing", "rand"];
const LEAVES: [&str; 6] =
    ["policy", "policy/content", "policy/files", "proxy/rfb", "recorder/evidence", "recorder/export"];

/// Lines after which a source file is two ideas.
const LONGEST_FILE: usize = 400;
/// The same for tables of cases, which are read one by one.
const LONGEST_TEST: usize = 450;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The dependencies of a package's manifest, without those of its tests.
fn dependencies(package: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(package).join("Cargo.toml")).expect("a manifest");
    let section = text.split("\n[dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    section
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn sources() -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for folder in ["src", "alerts", "policy", "proxy", "recorder", "web/src", "tests"] {
        collect(&root().join(folder), &mut files);
    }
    assert!(files.len() > 40, "only {} source files were found", files.len());
    files
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "node_modules" && name != "target" && name != "ui" {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(path.clone(), std::fs::read_to_string(&path).expect("UTF-8"));
        }
    }
}

fn fail_with(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn packages_import_only_whom_they_may() {
    let mut faults = Vec::new();
    for (package, allowed) in MAY_IMPORT {
        for dependency in dependencies(package).iter().filter(|name| name.starts_with("portcullis")) {
            if !allowed.contains(&dependency.as_str()) {
                faults.push(format!("{package} imports {dependency}"));
            }
        }
    }
    fail_with(&faults);
}

#[test]
fn what_lives_in_one_package_stays_there() {
    let mut faults = Vec::new();
    for (dependency, homes) in LIVES_IN {
        for home in homes {
            assert!(dependencies(home).iter().any(|name| name == dependency), "{dependency} is not in {home} any more");
        }
        for (package, _) in MAY_IMPORT.iter().filter(|(package, _)| !homes.contains(package)) {
            if dependencies(package).iter().any(|name| name == dependency) {
                faults.push(format!("{dependency} belongs in {}, not in {package}", homes.join(" and ")));
            }
        }
    }
    fail_with(&faults);
}

#[test]
fn leaves_do_no_network_and_read_no_clock() {
    let mut faults = Vec::new();
    for leaf in LEAVES {
        for dependency in dependencies(leaf).iter().filter(|name| NOT_IN_LEAVES.contains(&name.as_str())) {
            faults.push(format!("{leaf} depends on {dependency}"));
        }
    }
    for (path, text) in sources() {
        let relative = path.strip_prefix(root()).expect("inside").to_owned();
        let of_tests = relative.components().any(|part| part.as_os_str() == "tests");
        if !of_tests && LEAVES.iter().any(|leaf| relative.starts_with(Path::new(leaf).join("src"))) {
            for clock in ["Instant::now", "SystemTime::now", "now_utc"] {
                if text.contains(clock) {
                    faults.push(format!("{} reads the clock: {clock}", relative.display()));
                }
            }
        }
    }
    fail_with(&faults);
}

#[test]
fn every_file_begins_with_its_sentence() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let first = text.lines().next().unwrap_or_default();
        if !first.starts_with("//! ") || first.len() < 24 {
            faults.push(format!("{}: {first:?}", path.display()));
        }
    }
    fail_with(&faults);
}

#[test]
fn files_hold_one_idea() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        let of_tests = path.components().any(|part| part.as_os_str() == "tests");
        if lines > if of_tests { LONGEST_TEST } else { LONGEST_FILE } {
            faults.push(format!("{}: {lines} lines", path.display()));
        }
    }
    fail_with(&faults);
}

#[test]
fn the_second_verifier_is_one_small_program_and_the_page_says_how_small() {
    let folder = root().join("tests/verifier");
    let all: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let own: Vec<_> = all.iter().filter(|name| name.to_string_lossy().ends_with(".py")).collect();
    assert_eq!(own, ["verify.py"], "it imports nothing of its own folder");
    let text = std::fs::read_to_string(folder.join("verify.py")).unwrap();
    let (lines, longest) = (text.lines().count(), text.lines().map(|line| line.chars().count()).max().unwrap());
    assert!(lines <= 310 && longest <= 160, "{lines} lines, of up to {longest} characters");
    let page = std::fs::read_to_string(root().join("docs/evidence-format.md")).unwrap();
    assert!(page.contains(&format!("`tests/verifier/verify.py` ({lines} lines")), "the page counts {lines} lines");
}

#[test]
fn no_file_is_called_for_everything() {
    let names = ["utils.rs", "util.rs", "common.rs", "helpers.rs", "helper.rs", "manager.rs", "misc.rs"];
    let faults: Vec<_> = sources()
        .into_keys()
        .filter(|path| path.file_name().is_some_and(|name| names.iter().any(|bad| name == *bad)))
        .map(|path| path.display().to_string())
        .collect();
    fail_with(&faults);
}

#[test]
fn unsafe_stays_at_the_edge_of_ffmpeg() {
    let word = ["unsafe", " {"].concat();
    let faults: Vec<_> = sources()
        .into_iter()
        .filter(|(path, text)| text.contains(&word) && !path.starts_with(root().join("recorder/src/encoder.rs")))
        .map(|(path, _)| path.display().to_string())
        .collect();
    fail_with(&faults);
}

#[test]
fn every_configuration_key_is_explained() {
    let text = std::fs::read_to_string(root().join("src/portcullis.toml")).expect("the defaults");
    let mut faults = Vec::new();
    let mut explained = false;
    // The desktops at the end are examples; what a desktop has is explained above the first.
    for line in text.lines().take_while(|line| !line.starts_with("[[desktops]]")) {
        match line {
            line if line.starts_with('#') => explained = true,
            "" => explained = false,
            line if line.starts_with('[') => {}
            // Keys that stand together share the comment above them.
            line if !explained => faults.push(format!("no comment above: {line}")),
            _ => {}
        }
    }
    fail_with(&faults);
}
