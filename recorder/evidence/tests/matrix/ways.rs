//! The ways in which a bundle is put wrong, from one bit to a forger who signs anew.
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ed25519_dalek::Signer as _;
use portcullis_evidence::{BundleWriter, Digest, PathInBundle, Reopened, SigningKey, State};

use crate::bundle::{self, files, kinds};

/// What may become of a file's bytes; `other` is the file of the same name in another bundle.
pub(crate) fn of_bytes(good: &[u8], other: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = Vec::new();
    let places = [("header", 0), ("early", good.len() / 4), ("middle", good.len() / 2), ("late", good.len() * 3 / 4)];
    for (way, at) in places.into_iter().chain([("end", good.len().saturating_sub(1))]) {
        for (bit, name) in [(0, "low"), (5, "case")] {
            let mut bad = good.to_vec();
            if let Some(byte) = bad.get_mut(at) {
                *byte ^= 1 << bit;
            }
            let name: &'static str = format!("{way}-{name}").leak();
            all.push((name, bad));
        }
    }
    all.push(("emptied", Vec::new()));
    all.push(("truncated", good[..good.len().saturating_sub(1)].to_vec()));
    all.push(("halved", good[..good.len() / 2].to_vec()));
    all.push(("appended", [good, b"x"].concat()));
    all.push(("line", [good, b"\n"].concat()));
    all.push(("doubled", good.repeat(2)));
    all.push(("huge", [good, &vec![b' '; 300_000]].concat()));
    if let Ok(foreign) = fs::read(other) {
        all.push(("foreign", foreign));
    }
    all
}

/// Where else a file might be put: over none that is there.
pub(crate) fn elsewhere(file: &str) -> Vec<String> {
    let mut all = vec![format!("{file}~")];
    for (from, to) in [("/00001.", "/00007."), ("-0001.", "-0007."), ("/00002.", "/00003."), ("/00002.", "/00099.")] {
        let renamed = file.replace(from, to);
        if renamed != file && !renamed.starts_with("chain/00003") {
            all.push(renamed);
        }
    }
    // A bundle of three segments has its own.
    all.retain(|path| !path.contains("/00003."));
    all
}

/// Whether the file may belong to the open segment `n` of a growing bundle, or to the init segment that it begins with.
pub(crate) fn next_segment(file: &str, n: u32) -> bool {
    match file.parse() {
        Ok(PathInBundle::Events(of) | PathInBundle::Video(of)) => of == n,
        Ok(PathInBundle::Init(_)) => file > "video/init-0002.mp4",
        _ => false,
    }
}

/// What a forger does to the bundle in the first folder, the second being another bundle.
pub(crate) type Act = fn(&Path, &Path);

/// Name, kind of bundle, verdict, deed.
pub(crate) fn stories() -> Vec<(&'static str, &'static str, &'static str, Act)> {
    vec![
        ("the last events dropped", "closed", "edited", |dir, _| {
            edit(dir, "events/00001.jsonl", |text| text[..text.trim_end().rfind('\n').unwrap() + 1].to_owned());
        }),
        ("the last segment dropped", "closed", "truncated", |dir, _| remove(dir, &["/00003."])),
        ("the last segment and the listing dropped", "closed", "truncated", |dir, _| {
            remove(dir, &["/00003.", "SHA256SUMS"]);
        }),
        ("the last segment and the seal dropped", "closed", "unsealed", |dir, _| {
            remove(dir, &["/00003.", "seal.json", "SHA256SUMS"]);
        }),
        ("the whole chain dropped", "closed", "truncated", |dir, _| remove(dir, &["chain/"])),
        ("the first segment dropped", "closed", "missing", |dir, _| remove(dir, &["/00001.", "init-0001"])),
        ("the seal dropped", "closed", "unsealed", |dir, _| remove(dir, &["seal.json"])),
        ("the seal dropped, its stamp kept", "stamped", "extended", |dir, _| remove(dir, &["seal.json"])),
        ("an older seal", "closed", "edited", |dir, _| older_seal(dir, &["seal.json"])),
        ("an older seal with its listing", "closed", "extended", |dir, _| {
            older_seal(dir, &["seal.json", "SHA256SUMS", "index.m3u8"]);
        }),
        ("the seal of another session", "closed", "reordered", |dir, other| take(dir, other, &["seal.json"])),
        ("seal and manifest of another session", "closed", "reordered", |dir, other| {
            take(dir, other, &["seal.json", "session.json"]);
        }),
        ("the end of another session", "closed", "reordered", |dir, other| {
            take(dir, other, &["chain/00003.jws", "events/00003.jsonl", "video/00003.m4s"]);
        }),
        ("links of another session", "closed", "reordered", |dir, other| {
            take(dir, other, &["chain/00001.jws", "chain/00002.jws", "chain/00003.jws"]);
        }),
        ("the time stamp of another session", "stamped", "bad_time_stamp", |dir, other| {
            take(dir, other, &["seal.tsr"])
        }),
        ("events of two sessions mixed", "closed", "edited", |dir, other| {
            let more = fs::read_to_string(other.join("events/00002.jsonl")).unwrap();
            edit(dir, "events/00002.jsonl", |text| text + &more);
        }),
        ("an edited playlist", "closed", "edited", |dir, _| {
            edit(dir, "index.m3u8", |text| text.replace("video/00002.m4s", "video/00001.m4s"));
        }),
        ("a changed manifest", "closed", "edited", |dir, _| {
            edit(dir, "session.json", |text| text.replace("alice", "mallory"));
        }),
        ("a changed manifest, listed anew", "closed", "edited", |dir, _| {
            let old = Digest::of(&fs::read(dir.join("session.json")).unwrap()).to_string();
            edit(dir, "session.json", |text| text.replace("alice", "mallory"));
            let new = Digest::of(&fs::read(dir.join("session.json")).unwrap()).to_string();
            edit(dir, "SHA256SUMS", |text| text.replace(&old, &new));
        }),
        ("a link signed with a stranger's key", "closed", "unknown_key", |dir, _| {
            resign(dir, "chain/00002.jws", &stranger(), None);
        }),
        ("a link signed with a stranger's key under the gate's name", "closed", "bad_signature", |dir, _| {
            resign(dir, "chain/00002.jws", &stranger(), Some(bundle::key().kid()));
        }),
        ("a seal signed with a stranger's key", "closed", "unknown_key", |dir, _| {
            resign(dir, "seal.json", &stranger(), None);
        }),
        ("a seal signed with a stranger's key under the gate's name", "stamped", "bad_signature", |dir, _| {
            resign(dir, "seal.json", &stranger(), Some(bundle::key().kid()));
        }),
        ("all signed with a stranger's key", "closed", "unknown_key", |dir, _| {
            for file in files(dir).iter().filter(|file| file.starts_with("chain/") || *file == "seal.json") {
                resign(dir, file, &stranger(), None);
            }
        }),
        ("link 1 signed with the gate's other key", "growing", "wrong_key", |dir, _| {
            remove(dir, &["/00002.", "init-0002"]);
            resign(dir, "chain/00001.jws", &[3; 32], None);
        }),
        ("a growing bundle goes on with links that were not sealed", "closed", "extended", |dir, _| {
            fs::copy(dir.join("chain/00003.jws"), dir.join("chain/00004.jws")).unwrap();
        }),
        ("a link in the seal's place", "closed", "malformed", |dir, _| {
            fs::copy(dir.join("chain/00003.jws"), dir.join("seal.json")).unwrap();
        }),
        ("JSON that nests deeper than is read", "closed", "malformed", |dir, _| {
            fs::write(dir.join("session.json"), format!("{}1{}\n", "[".repeat(20_000), "]".repeat(20_000))).unwrap();
            remove(dir, &["seal.json", "chain/", "events/", "video/", "SHA256SUMS", "index.m3u8"]);
        }),
        ("folders where files should be", "closed", "missing", |dir, _| {
            remove(dir, &["video/"]);
            fs::remove_dir(dir.join("video")).unwrap();
            fs::write(dir.join("video"), "").unwrap();
        }),
        ("expired without a tombstone", "expired", "missing", |dir, _| remove(dir, &["expired.json"])),
        ("a link gone with the rest", "expired", "missing", |dir, _| remove(dir, &["chain/00002.jws"])),
        ("a tombstone signed with a stranger's key", "expired", "unknown_key", |dir, _| {
            kinds::bury(dir, &SigningKey::generate(&stranger()), |_| {});
        }),
        ("a tombstone signed with a key that was out of use", "expired", "key_not_valid", |dir, _| {
            kinds::bury(dir, &bundle::key(), |_| {});
        }),
        ("a tombstone of before its time", "expired", "missing", |dir, _| {
            kinds::bury(dir, &kinds::new_key(), |told| told.due = bundle::ENDED.to_owned());
        }),
        ("a tombstone of before its time, and nothing gone", "closed", "not_due", |dir, _| {
            kinds::bury(dir, &kinds::new_key(), |told| told.at = "2026-03-01T00:00:00.000000Z".to_owned());
        }),
        ("a tombstone of a recording that nobody asked to keep", "closed", "expired", |dir, _| {
            kinds::bury(dir, &kinds::new_key(), |_| {});
        }),
        ("a tombstone of before the end", "closed", "not_due", |dir, _| {
            kinds::bury(dir, &kinds::new_key(), |told| told.due = "2026-01-31T10:00:00.000000Z".to_owned());
        }),
        ("a tombstone of another session", "closed", "reordered", |dir, _| {
            kinds::bury(dir, &kinds::new_key(), |told| told.session = "other".to_owned());
        }),
        ("a tombstone of another seal", "closed", "reordered", |dir, _| {
            kinds::bury(dir, &kinds::new_key(), |told| told.seal = Digest::of(b"other"));
        }),
        ("the seal in the tombstone's place", "closed", "malformed", |dir, _| {
            fs::copy(dir.join("seal.json"), dir.join("expired.json")).unwrap();
        }),
        ("a tombstone and a foreign file", "expired", "extra", |dir, _| fs::write(dir.join("notes"), "").unwrap()),
        ("a tombstone of a growing bundle", "growing", "extended", |dir, _| {
            let end = tempfile::tempdir().unwrap();
            kinds::expired(&end.path().join("b"), true);
            fs::copy(end.path().join("b/expired.json"), dir.join("expired.json")).unwrap();
        }),
        ("video gone without a word of what stands in its place", "replaced", "missing", |dir, _| {
            remove(dir, &["replaced.json"]);
        }),
        ("events gone with replaced video", "replaced", "missing", |dir, _| remove(dir, &["events/00002"])),
        ("replaced video that is there, and edited", "replacing", "edited", |dir, _| {
            fs::write(dir.join("video/00002.m4s"), "other").unwrap();
        }),
        ("a replacement signed with a stranger's key", "replaced", "unknown_key", |dir, _| {
            kinds::replace(dir, &SigningKey::generate(&stranger()), |_| {});
        }),
        ("a replacement signed with a key that was out of use", "replaced", "key_not_valid", |dir, _| {
            kinds::replace(dir, &bundle::key(), |_| {});
        }),
        ("a replacement of before the end", "closed", "not_due", |dir, _| {
            kinds::replace(dir, &kinds::new_key(), |said| said.at = "2026-01-31T10:00:00.000000Z".to_owned());
        }),
        ("a replacement of another session", "closed", "reordered", |dir, _| {
            kinds::replace(dir, &kinds::new_key(), |said| said.session = "other".to_owned());
        }),
        ("a replacement of another seal", "closed", "reordered", |dir, _| {
            kinds::replace(dir, &kinds::new_key(), |said| said.seal = Digest::of(b"other"));
        }),
        ("a replacement in the tombstone's place", "replaced", "missing", |dir, _| {
            fs::rename(dir.join("replaced.json"), dir.join("expired.json")).unwrap();
        }),
        ("a tombstone in the replacement's place", "expired", "missing", |dir, _| {
            fs::rename(dir.join("expired.json"), dir.join("replaced.json")).unwrap();
        }),
        ("replaced, and then its time is over", "replaced", "expired", |dir, _| {
            kinds::bury(dir, &kinds::new_key(), |_| {});
            remove(dir, &["events/", "index.m3u8"]);
        }),
        ("a replacement of what is derived", "derived", "extended", |dir, _| {
            kinds::replace(dir, &kinds::new_key(), |_| {});
        }),
        ("what was derived, when its time is over", "derived", "expired", |dir, _| {
            kinds::bury(dir, &kinds::new_key(), |_| {});
            remove(dir, &["events/", "video/", "index.m3u8"]);
        }),
        ("nothing at all", "closed", "not_a_file", |dir, _| fs::remove_dir_all(dir).unwrap()),
    ]
}

fn stranger() -> [u8; 32] {
    [9; 32]
}

fn remove(dir: &Path, which: &[&str]) {
    for file in files(dir) {
        if which.iter().any(|part| file.contains(part)) {
            fs::remove_file(dir.join(file)).unwrap();
        }
    }
}

fn take(dir: &Path, other: &Path, which: &[&str]) {
    for file in which {
        fs::copy(other.join(file), dir.join(file)).unwrap();
    }
}

fn edit(dir: &Path, file: &str, how: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(dir.join(file)).unwrap();
    let edited = how(text.clone());
    assert_ne!(text, edited, "{file}");
    fs::write(dir.join(file), edited).unwrap();
}

/// Files as they were when a second run of the gate closed the session after segment 2.
fn older_seal(dir: &Path, which: &[&str]) {
    let fork = tempfile::tempdir().unwrap();
    let at = fork.path().join("b");
    bundle::copy(dir, &at);
    remove(&at, &["/00003.", "seal.json", "SHA256SUMS"]);
    let Reopened::Open(mut writer, _) = BundleWriter::reopen(&at, bundle::key()).unwrap() else { panic!("not open") };
    writer.seal(bundle::ending(State::Interrupted)).unwrap();
    take(dir, &at, which);
}

/// Signs a link or the seal anew with the key of `seed`, under its own name or another.
fn resign(dir: &Path, file: &str, seed: &[u8; 32], name: Option<&str>) {
    let text = fs::read_to_string(dir.join(file)).unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(seed);
    let kid = name.map_or_else(|| SigningKey::generate(seed).kid().to_owned(), str::to_owned);
    let sign = |typ: &str, payload: &str| {
        let header =
            BASE64URL.encode(format!("{{\"alg\":\"EdDSA\",\"kid\":\"{kid}\",\"typ\":\"portcullis-{typ}+jws\"}}"));
        let signature = BASE64URL.encode(key.sign(format!("{header}.{payload}").as_bytes()).to_bytes());
        (header, signature)
    };
    let signed = if file == "seal.json" {
        let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
        let payload = whole["payload"].as_str().unwrap();
        let (header, signature) = sign("seal", payload);
        format!("{{\"payload\":\"{payload}\",\"protected\":\"{header}\",\"signature\":\"{signature}\"}}\n")
    } else {
        let payload = text.split('.').nth(1).unwrap();
        let (header, signature) = sign("link", payload);
        format!("{header}.{payload}.{signature}")
    };
    fs::write(dir.join(file), signed).unwrap();
}
