//! The matrix of tampering: each file of each kind of bundle, put wrong in each way, under three verifiers that have to agree.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;
mod matrix {
    mod stamps;
    pub(crate) mod ways;
}

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use bundle::kinds::{self, Tsa, trust};
use bundle::{copy, files};
use matrix::ways;
use portcullis_evidence::{BundleFolder, KeyList, Trust, verify_at};
use tempfile::TempDir;

/// The most bundles that the second verifier is given at once.
const AT_ONCE: usize = 600;

/// What a verifier found: the verdict, and the faults as (file, kind).
type Findings = (String, Vec<(String, String)>);

/// Bundles that are sound but for what they say of themselves, and who is trusted.
struct Bench {
    folder: TempDir,
    tsa: Tsa,
    trust: Trust,
    made: BTreeMap<PathBuf, String>,
}

const KINDS: [&str; 12] = [
    "closed",
    "interrupted",
    "rotated",
    "stamped",
    "growing",
    "expired",
    "expiring",
    "encrypted",
    "derived",
    "derived_encrypted",
    "replaced",
    "replacing",
];

impl Bench {
    fn new() -> Self {
        let tsa = Tsa::new("ec", "sha256");
        let folder = tempfile::tempdir().unwrap();
        let dir = |kind: &str| folder.path().join("good").join(kind);
        fs::create_dir(folder.path().join("good")).unwrap();
        kinds::closed(&dir("closed"));
        kinds::interrupted(&dir("interrupted"), bundle::key());
        kinds::interrupted(&dir("rotated"), kinds::new_key());
        kinds::closed(&dir("stamped"));
        tsa.stamp(&dir("stamped"));
        kinds::begun_only(&dir("begun"));
        kinds::growing(&dir("growing"));
        kinds::expired(&dir("expired"), true);
        kinds::expired(&dir("expiring"), false);
        kinds::encrypted(&dir("encrypted"));
        kinds::derived(&dir("derived"));
        kinds::derived_encrypted(&dir("derived_encrypted"));
        kinds::replaced(&dir("replaced"), true);
        kinds::replaced(&dir("replacing"), false);
        kinds::other(&dir("other"));
        tsa.stamp(&dir("other"));
        fs::write(folder.path().join("keys.json"), kinds::key_list().to_bytes().unwrap()).unwrap();
        fs::write(folder.path().join("authority.pem"), tsa.authority()).unwrap();
        fs::write(folder.path().join("identity.txt"), kinds::IDENTITIES[0]).unwrap();
        let trust = trust(&kinds::key_list(), &tsa.authority()).with_identities(kinds::identities());
        Self { folder, tsa, trust, made: BTreeMap::new() }
    }

    /// From now on these are the gate's keys, and these certificates (PEM) those of authorities.
    fn trusts(&mut self, list: &KeyList, authorities: &str) {
        fs::write(self.folder.path().join("keys.json"), list.to_bytes().unwrap()).unwrap();
        fs::write(self.folder.path().join("authority.pem"), authorities).unwrap();
        self.trust = trust(list, authorities).with_identities(kinds::identities());
    }

    fn good(&self, kind: &str) -> PathBuf {
        self.folder.path().join("good").join(kind)
    }

    /// A copy of a good bundle, to be put wrong.
    fn copy(&mut self, kind: &str, what: String) -> PathBuf {
        let dir = self.folder.path().join(format!("{:05}", self.made.len()));
        copy(&self.good(kind), &dir);
        self.made.insert(dir.clone(), what);
        dir
    }

    fn first(&self, dir: &Path) -> Findings {
        let report = verify_at(&BundleFolder::at(dir), &self.trust);
        let mut faults: Vec<_> =
            report.faults.iter().map(|fault| (fault.path.clone(), fault.kind.name().to_owned())).collect();
        faults.sort();
        (report.verdict().name().to_owned(), faults)
    }

    /// The verifier in Python over some bundles.
    fn second(&self, dirs: &[&PathBuf]) -> Child {
        self.start("python3", "tests/verifier/verify.py", dirs)
    }

    /// The verifier of the pages, which needs their packages: `npm ci` in web/ui.
    fn third(&self, dirs: &[&PathBuf]) -> Child {
        self.start("node", "web/ui/scripts/verify.mjs", dirs)
    }

    fn start(&self, program: &str, script: &str, dirs: &[&PathBuf]) -> Child {
        let mut command = Command::new(program);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(script));
        command.arg("--keys").arg(self.folder.path().join("keys.json"));
        command.arg("--identity").arg(self.folder.path().join("identity.txt"));
        command.arg("--tsa").arg(self.folder.path().join("authority.pem")).args(dirs);
        command.stdout(Stdio::piped()).spawn().unwrap()
    }

    /// All verifiers over all that was made; they have to agree, and `judge` to like what they say.
    fn agree(self, judge: impl Fn(&str, &Findings) -> bool) {
        let dirs: Vec<&PathBuf> = self.made.keys().collect();
        let all = dirs.len();
        // The third takes longer to start than to judge, so it is given all of them at once.
        let third = self.third(&dirs);
        let third = thread::spawn(move || said(third, all));
        // The second verifier is at work on its shares while the first goes through them.
        let children: Vec<Child> = dirs.chunks(AT_ONCE).map(|some| self.second(some)).collect();
        let mut found: Vec<(Findings, Findings)> = Vec::new();
        for (some, child) in dirs.chunks(AT_ONCE).zip(children) {
            let first: Vec<Findings> = some.iter().map(|dir| self.first(dir)).collect();
            found.extend(first.into_iter().zip(said(child, some.len())));
        }
        let mut wrong = Vec::new();
        for ((dir, (first, second)), third) in dirs.iter().zip(found).zip(third.join().unwrap()) {
            let what = &self.made[*dir];
            if first != second || first != third {
                wrong.push(format!("{what}:\n  first  {first:?}\n  second {second:?}\n  third  {third:?}"));
            } else if !judge(what, &first) {
                wrong.push(format!("{what}: all say {first:?}"));
            }
        }
        assert!(wrong.is_empty(), "{} of {all}:\n{}", wrong.len(), wrong.join("\n"));
    }
}

/// What a verifier that was started says of so many bundles.
fn said(verifier: Child, bundles: usize) -> Vec<Findings> {
    let text = String::from_utf8(verifier.wait_with_output().unwrap().stdout).unwrap();
    let found: Vec<Findings> = text.lines().map(findings).collect();
    assert_eq!(found.len(), bundles, "{text}");
    found
}

fn findings(line: &str) -> Findings {
    let said: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let faults = said["faults"].as_array().unwrap().iter().map(|fault| (text(&fault["path"]), text(&fault["kind"])));
    (text(&said["verdict"]), faults.collect())
}

/// Whether a file of a bundle without a seal is one that nothing signed yet.
fn unproved(kind: &str, file: &str) -> bool {
    kind == "growing" && file == "index.m3u8"
}

#[test]
fn untouched() {
    let mut bench = Bench::new();
    for kind in KINDS {
        bench.copy(kind, kind.to_owned());
    }
    bench.agree(|kind, found| {
        let verdict = match kind {
            "growing" => "unsealed",
            "expired" | "expiring" => "expired",
            "derived" | "derived_encrypted" => "derived",
            "replaced" | "replacing" => "replaced",
            _ => "sound",
        };
        found.0 == verdict
    });
}

#[test]
fn each_file_put_wrong_in_each_way() {
    let mut bench = Bench::new();
    for kind in KINDS {
        for file in files(&bench.good(kind)) {
            let (good, other) = (fs::read(bench.good(kind).join(&file)).unwrap(), bench.good("other").join(&file));
            for (way, bad) in ways::of_bytes(&good, &other).into_iter().filter(|(_, bad)| *bad != good) {
                let dir = bench.copy(kind, format!("{kind} {file} {way}"));
                fs::write(dir.join(&file), bad).unwrap();
            }
            let gone = bench.copy(kind, format!("{kind} {file} removed"));
            fs::remove_file(gone.join(&file)).unwrap();
            let link = bench.copy(kind, format!("{kind} {file} link"));
            fs::remove_file(link.join(&file)).unwrap();
            std::os::unix::fs::symlink(bench.good(kind).join(&file), link.join(&file)).unwrap();
            let pipe = bench.copy(kind, format!("{kind} {file} pipe"));
            fs::remove_file(pipe.join(&file)).unwrap();
            assert!(Command::new("mkfifo").arg(pipe.join(&file)).status().unwrap().success());
            for to in ways::elsewhere(&file) {
                let dir = bench.copy(kind, format!("{kind} {file} copied to {to}"));
                fs::copy(bench.good(kind).join(&file), dir.join(&to)).unwrap();
            }
        }
    }
    bench.agree(|what, (verdict, faults)| {
        let mut words = what.split(' ');
        let (kind, file, way) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        let at = if way == "copied" { words.next_back().unwrap() } else { file };
        // What nothing signed may be anything but a link; a time stamp and the last link of a growing bundle may be absent.
        let silent = unproved(kind, at) && way != "link" && way != "pipe"
            || way == "removed" && (file == "seal.tsr" || kind == "growing" && file == "chain/00002.jws")
            || way == "removed" && (file == "expired.json" || file == "replaced.json")
            || way == "removed" && ["expiring", "replacing"].contains(&kind) && file.starts_with("video/")
            // Without its derivation a derived bundle is one whose video was edited.
            || way == "removed" && file == "derivation.json"
            || kind == "growing" && ways::next_segment(at, 3);
        // With the first link of another session, and no seal to say otherwise, it is the manifest that does not belong.
        let at = if kind == "growing" && at == "chain/00001.jws" && way == "foreign" { "session.json" } else { at };
        let named = faults.iter().any(|(path, _)| path == at);
        if kind == "growing" {
            named != silent
        } else {
            named != silent && verdict != "derived" && (silent || !["sound", "replaced"].contains(&verdict.as_str()))
        }
    });
}

#[test]
fn a_manifest_that_nothing_proves_yet() {
    let mut bench = Bench::new();
    let good = fs::read(bench.good("begun").join("session.json")).unwrap();
    let text = String::from_utf8(good.clone()).unwrap();
    let key = format!("\"key\":\"{}\"", bundle::key().kid());
    let mut bad: Vec<Vec<u8>> = vec![
        text.replace(&key, "\"key\":\"zzz\"").into(),
        text.replace(&key, &key.to_uppercase().replace("KEY", "key")).into(),
        text.replace(&format!("\"id\":\"{}\"", bundle::ID), &format!("\"id\":\"{}\\n\"", bundle::ID)).into(),
        text.replace("\"started\":\"2026-01-31", "\"started\":\"2026-02-30").into(),
        text.replace("\"started\":\"2026", "\"started\":\"0000").into(),
        text.replace("T10:00:00.", "T24:00:00.").into(),
    ];
    assert!(bad.iter().all(|bad| *bad != good));
    let named = bad.len();
    for (i, bit) in (0..good.len()).flat_map(|i| [(i, 0), (i, 5)]) {
        bad.push(good.clone());
        bad.last_mut().unwrap()[i] ^= 1 << bit;
    }
    for (n, bad) in bad.into_iter().enumerate() {
        let dir = bench.copy("begun", format!("{} {n}", if n < named { "bad" } else { "any" }));
        fs::write(dir.join("session.json"), bad).unwrap();
    }
    bench.agree(|what, (verdict, _)| what.starts_with("any") || verdict == "malformed");
}

#[test]
fn each_two_files_swapped() {
    let mut bench = Bench::new();
    for kind in ["closed", "stamped", "growing", "expiring", "replacing", "encrypted"] {
        let all = files(&bench.good(kind));
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                let dir = bench.copy(kind, format!("{a} {b}"));
                fs::rename(dir.join(a), dir.join("swap")).unwrap();
                fs::rename(dir.join(b), dir.join(a)).unwrap();
                fs::rename(dir.join("swap"), dir.join(b)).unwrap();
            }
        }
    }
    bench.agree(|what, (verdict, faults)| {
        let swapped: BTreeSet<&str> = what.split(' ').collect();
        let named = faults.iter().any(|(path, _)| swapped.contains(path.as_str()));
        verdict != "sound" && (named || swapped.contains("index.m3u8"))
    });
}

#[test]
fn whole_stories_of_forgery() {
    let mut bench = Bench::new();
    let mut expected = BTreeMap::new();
    for (name, kind, verdict, act) in ways::stories() {
        let dir = bench.copy(kind, name.to_owned());
        act(&dir, &bench.good("other"));
        expected.insert(name, verdict);
    }
    bench.agree(|what, found| {
        assert_eq!(found.0, expected[what], "{what}: {found:?}");
        true
    });
}
