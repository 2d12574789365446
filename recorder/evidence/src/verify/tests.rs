//! A gate that signs nonsense: every signature and hash is right, and what is said is not.
use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use serde::de::DeserializeOwned;

use super::verify;
use crate::*;

const PLAIN: u64 = 10;

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::generate(&[1; 32]))
}

fn write(dir: &Path) {
    let manifest = Manifest {
        v: 1,
        id: "s".to_owned(),
        subject: "alice".to_owned(),
        issuer: String::new(),
        groups: Vec::new(),
        desktop: "browser".to_owned(),
        policy: String::new(),
        rule: String::new(),
        started: "2026-01-31T10:00:00.000000Z".to_owned(),
        mode: Mode::Strict,
        gate: String::new(),
        key: key().kid().to_owned(),
        keep: None,
        text: None,
        recipients: Vec::new(),
    };
    let event = Event {
        v: 1,
        seq: 1,
        at_us: 0,
        time: "2026-01-31T10:00:00.000000Z".to_owned(),
        session: "s".to_owned(),
        subject: String::new(),
        policy: String::new(),
        rule: String::new(),
        what: What::Gap { from_us: 1, to_us: 2, reason: String::new() },
    };
    let settings = Settings { room_bytes: 0, ..Settings::default() };
    let mut writer = BundleWriter::create_with(dir, &manifest, key(), settings).unwrap();
    writer.event(&event).unwrap();
    let video = [PathInBundle::Init(1), PathInBundle::Video(1), PathInBundle::Init(2), PathInBundle::Video(2)];
    video.iter().for_each(|path| fs::write(path.under(dir), "video").unwrap());
    writer.close_segment(0, PLAIN, &video[..2]).unwrap();
    writer.close_segment(PLAIN, 2 * PLAIN, &video[2..]).unwrap();
    let ending = Ending {
        state: State::Closed,
        reason: String::new(),
        ended: "2026-01-31T10:00:01.000000Z".to_owned(),
        duration_us: 2 * PLAIN,
        revisions: 1,
    };
    writer.seal(ending).unwrap();
}

fn payload<T: DeserializeOwned>(text: &str) -> T {
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// What is changed before everything is signed anew.
type Edit = fn(&mut Nonsense);

/// What a bundle says.
struct Nonsense {
    links: Vec<Link>,
    sums: String,
    seal: Seal,
    /// Signs the links.
    key: SigningKey,
    pretty: bool,
}

/// Writes a bundle that says something else, with right hashes and signatures all the same.
fn forge(dir: &Path, links_too: Edit, then_sums: Edit, then_seal: Edit) {
    write(dir);
    let read = |path: PathInBundle| fs::read_to_string(path.under(dir)).unwrap();
    let links = (1..=2).map(|n| payload(read(PathInBundle::Link(n)).split('.').nth(1).unwrap())).collect();
    let whole: serde_json::Value = serde_json::from_str(&read(PathInBundle::Seal)).unwrap();
    let seal = payload(whole["payload"].as_str().unwrap());
    let mut said = Nonsense { links, sums: read(PathInBundle::Sums), seal, key: (*key()).clone(), pretty: false };
    links_too(&mut said);
    for i in 0..said.links.len() {
        let mut bytes = canonical::to_bytes(&said.links[i]).unwrap();
        if said.pretty {
            bytes.push(b' ');
        }
        let path = PathInBundle::Link(u32::try_from(i).unwrap() + 1);
        let old = Digest::of(&fs::read(path.under(dir)).unwrap()).to_string();
        let link = jws::sign_compact(jws::Typ::Link, &bytes, &said.key);
        said.sums = said.sums.replace(&old, &Digest::of(&link).to_string());
        said.seal.last = Digest::of(&link);
        if let Some(next) = said.links.get_mut(i + 1) {
            next.prev = Digest::of(&link);
        }
        fs::write(path.under(dir), link).unwrap();
    }
    then_sums(&mut said);
    fs::write(PathInBundle::Sums.under(dir), &said.sums).unwrap();
    said.seal.files[0].bytes = said.sums.len() as u64;
    said.seal.files[0].sha256 = Digest::of(said.sums.as_bytes());
    then_seal(&mut said);
    let bytes = canonical::to_bytes(&said.seal).unwrap();
    fs::write(PathInBundle::Seal.under(dir), jws::sign_flattened(jws::Typ::Seal, &bytes, &key())).unwrap();
}

fn nothing(_: &mut Nonsense) {}

fn check(links: Edit, sums: Edit, seal: Edit, expected: &[(&str, Kind)]) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("b");
    forge(&dir, links, sums, seal);
    let other = SigningKey::generate(&[2; 32]);
    let report = verify(&dir, &[key().verifying_key(), other.verifying_key()]);
    let found: Vec<_> = report.faults.iter().map(|fault| (fault.path.as_str(), fault.kind)).collect();
    assert_eq!(found, expected, "{report}");
    let mut found: Vec<_> =
        report.faults.iter().map(|fault| (fault.path.clone(), fault.kind.name().to_owned())).collect();
    found.sort();
    let second = second(&dir, &[key().verifying_key(), other.verifying_key()]);
    assert_eq!(second, (report.verdict().name().to_owned(), found));
}

/// What the second verifier, which shares no code with this one, says: verdict and faults.
fn second(dir: &Path, keys: &[VerifyingKey]) -> (String, Vec<(String, String)>) {
    let began = "1970-01-01T00:00:00.000000Z";
    let keys = keys.iter().map(|key| ListedKey::of(key, began)).collect();
    let list = KeyList { v: VERSION, issued: began.to_owned(), keys };
    let path = dir.with_extension("keys");
    fs::write(&path, list.to_bytes().unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/verifier/verify.py");
    let ran = std::process::Command::new("python3").arg(script).arg("--keys").arg(path).arg(dir).output().unwrap();
    let said: serde_json::Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ran.stderr)));
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let faults = said["faults"].as_array().unwrap().iter().map(|fault| (text(&fault["path"]), text(&fault["kind"])));
    (text(&said["verdict"]), faults.collect())
}

#[test]
fn signed_anew_without_a_change_it_is_sound() {
    check(nothing, nothing, nothing, &[]);
}

#[test]
fn links_that_say_nonsense() {
    let link = |edit: Edit, expected: &[(&str, Kind)]| check(edit, nothing, nothing, expected);
    let second = "chain/00002.jws";
    let late = |said: &mut Nonsense| said.links[1].from_us += 1;
    link(late, &[(second, Kind::NotMonotonic)]);
    let early = |said: &mut Nonsense| said.links[1].from_us -= 1;
    link(early, &[(second, Kind::NotMonotonic)]);
    let backwards = |said: &mut Nonsense| said.links[1].to_us = 0;
    link(backwards, &[(second, Kind::NotMonotonic)]);
    let beginning = |said: &mut Nonsense| said.links[0].from_us = 1;
    link(beginning, &[("chain/00001.jws", Kind::NotMonotonic)]);
    let longer = |said: &mut Nonsense| said.links[1].to_us += 1;
    link(longer, &[("seal.json", Kind::NotMonotonic)]);
    let swapped = |said: &mut Nonsense| said.links[1].files.swap(1, 2);
    link(swapped, &[(second, Kind::Malformed)]);
    let twice = |said: &mut Nonsense| {
        let file = said.links[1].files[2];
        said.links[1].files.push(file);
    };
    link(twice, &[(second, Kind::Malformed)]);
    let other_version = |said: &mut Nonsense| said.links[1].v = 2;
    link(other_version, &[(second, Kind::Malformed)]);
    let pretty = |said: &mut Nonsense| said.pretty = true;
    link(pretty, &[("chain/00001.jws", Kind::Malformed), (second, Kind::Malformed)]);
    let other_key = |said: &mut Nonsense| said.key = SigningKey::generate(&[2; 32]);
    link(other_key, &[("chain/00001.jws", Kind::WrongKey)]);
    let numbered = |said: &mut Nonsense| said.links[1].n = 3;
    link(numbered, &[(second, Kind::Reordered)]);
    let of_another = |said: &mut Nonsense| said.links[1].session = "t".to_owned();
    link(of_another, &[(second, Kind::Reordered)]);
    let forgotten = |said: &mut Nonsense| said.links[1].files.truncate(2);
    // The listing knows it, but no link says when it was.
    link(forgotten, &[("video/00002.m4s", Kind::Extended)]);
}

#[test]
fn listings_that_say_nonsense() {
    let sums = |edit: Edit, kind| check(nothing, edit, nothing, &[("SHA256SUMS", kind)]);
    sums(|said| said.sums.push('\n'), Kind::Malformed);
    sums(|said| said.sums = said.sums.replace("  session", " *session"), Kind::Malformed);
    sums(|said| said.sums = said.sums.to_uppercase(), Kind::Malformed);
    sums(|said| said.sums = said.sums.repeat(2), Kind::Malformed);
    sums(|said| said.sums.truncate(said.sums.len() - 1), Kind::Malformed);
    sums(|said| said.sums = said.sums.replace("video/00002.m4s", "../../00002.m4s"), Kind::Malformed);
    sums(|said| drop_line(said, "session.json"), Kind::Malformed);
    sums(|said| drop_line(said, "index.m3u8"), Kind::Malformed);
    sums(|said| drop_line(said, "video/00002.m4s"), Kind::Malformed);
    let more = |said: &mut Nonsense| said.sums.push_str(&format!("{}  video/00003.m4s\n", Digest::of(b"")));
    check(nothing, more, nothing, &[("video/00003.m4s", Kind::Missing)]);
    // A link that the listing does not have is not the one that was sealed.
    let unlisted = |said: &mut Nonsense| drop_line(said, "chain/00001.jws");
    check(nothing, unlisted, nothing, &[("chain/00001.jws", Kind::Reordered)]);
}

fn drop_line(said: &mut Nonsense, file: &str) {
    said.sums = said.sums.lines().filter(|line| !line.ends_with(file)).map(|line| format!("{line}\n")).collect();
}

#[test]
fn seals_that_say_nonsense() {
    let seal = |edit: Edit, kind| check(nothing, nothing, edit, &[("seal.json", kind)]);
    seal(|said| said.seal.events = 2, Kind::Malformed);
    seal(|said| said.seal.gaps.clear(), Kind::Malformed);
    seal(|said| said.seal.gaps[0].to_us = 3, Kind::Malformed);
    seal(|said| said.seal.duration_us = 19, Kind::NotMonotonic);
    seal(|said| said.seal.session = "t".to_owned(), Kind::Malformed);
    seal(|said| said.seal.v = 2, Kind::Malformed);
    seal(|said| said.seal.ended = "now".to_owned(), Kind::Malformed);
    seal(|said| said.seal.files.swap(0, 1), Kind::Malformed);
    seal(|said| said.seal.links = 100_000, Kind::Malformed);
    let last = |said: &mut Nonsense| said.seal.last = Digest::of(b"");
    check(nothing, nothing, last, &[("chain/00002.jws", Kind::Reordered)]);
    let more = |said: &mut Nonsense| said.seal.links = 3;
    check(nothing, nothing, more, &[("chain/00003.jws", Kind::Truncated)]);
}
