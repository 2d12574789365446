//! The format holds still: golden bundles, one spelling per value, keys as others write them, and the published schema.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bundle::{event, manifest};
use portcullis_evidence::{
    Effect, Event, KeepLock, KeyError, Manifest, SigningKey, State, Stroke, TextTerms, VerifyingKey, What, verify,
};
use proptest::prelude::*;
use serde_json::Value;

/// Of each type one event.
fn one_of_each() -> Vec<What> {
    let text = || "text".to_owned();
    let (viewer, effect, sha256) = (1, Effect::Deny, "0".repeat(64));
    vec![
        What::SessionOpened { desktop: text(), runtime: text() },
        What::SessionClosed { reason: text() },
        What::ViewerJoined { viewer, origin: text() },
        What::ViewerLeft { viewer, reason: text(), sent_revision: 1 },
        What::Keys { viewer, pressed: 1 },
        What::Strokes { viewer, strokes: vec![Stroke { down: true, keysym: 0x61, name: "a".to_owned() }] },
        What::Input { viewer, effect, kind: text(), count: 1, reason: text() },
        What::Clicks { viewer, pressed: 1, x: 1, y: 1 },
        What::Paste {
            viewer,
            effect,
            bytes: 1,
            sha256: sha256.clone(),
            reason: text(),
            found: vec![text()],
            redacted: Some(1),
        },
        What::Copy {
            viewer,
            effect,
            bytes: 1,
            sha256: sha256.clone(),
            reason: text(),
            found: vec![text()],
            redacted: Some(1),
        },
        What::Contents { of: 1, part: 1, parts: 1, age: text() },
        What::Upload {
            effect,
            name: text(),
            bytes: 1,
            media_type: text(),
            sha256: sha256.clone(),
            found: vec![text()],
            archive_entries: Some(1),
            quarantined: Some(text()),
            stripped_sha256: Some(sha256.clone()),
            reason: text(),
        },
        What::Download {
            effect,
            name: text(),
            bytes: 1,
            media_type: text(),
            sha256: sha256.clone(),
            found: vec![text()],
            archive_entries: Some(1),
            quarantined: Some(text()),
            stripped_sha256: Some(sha256.clone()),
            reason: text(),
        },
        What::Control { viewer, effect, reason: text() },
        What::Resized { width: 1, height: 1 },
        What::Refused { what: text(), reason: text() },
        What::ProtocolViolation { side: "viewer".to_owned(), reason: text() },
        What::Gap { from_us: 1, to_us: 1, reason: text() },
        What::PolicyChanged { effect, reason: text() },
        What::Bell {},
        What::DesktopLost { reason: text() },
        What::DesktopBack { away_us: 1 },
        What::ScreenRule { holds: true, key: text(), value: text() },
        What::DesktopStarted { name: text(), image: text(), warm: true },
        What::Egress { effect, host: text(), port: 443, reason: text() },
        What::EgressEnded { host: text(), port: 443, sent: 1, received: 1 },
        What::KeepExtended { lock: KeepLock::Governance, seconds: 1 },
    ]
}

/// A released format stays readable for ever: what this version writes, and what it wrote when it was released.
#[test]
fn the_golden_bundle_of_version_1_is_what_is_written_and_is_sound() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1");
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("b");
    bundle::sealed(&dir);
    if std::env::var_os("BLESS").is_some() {
        let _ = fs::remove_dir_all(golden.join("bundle"));
        bundle::copy(&dir, &golden.join("bundle"));
        fs::write(golden.join("evidence.pub"), bundle::key().verifying_key().to_pem().unwrap()).unwrap();
    }
    let key = VerifyingKey::from_pem(&fs::read_to_string(golden.join("evidence.pub")).unwrap()).unwrap();
    let report = verify(&golden.join("bundle"), &[key]);
    assert!(report.is_sound(), "{report}");
    assert_eq!((report.state, report.links, report.events), (Some(State::Closed), 3, 6));
    let files = bundle::files(&dir);
    assert_eq!(files, bundle::files(&golden.join("bundle")));
    for file in files {
        let (written, kept) =
            (fs::read(dir.join(&file)).unwrap(), fs::read(golden.join("bundle").join(&file)).unwrap());
        assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&kept), "{file}");
    }
}

#[test]
fn a_line_has_one_spelling() {
    let line =
        event(7, 15, What::Refused { what: "Cut\n\u{1}\"ä".to_owned(), reason: String::new() }).to_line().unwrap();
    let expected = "{\"at_us\":15,\"policy\":\"sha256:0123456789ab\",\"reason\":\"\",\"rule\":\"staff.yaml:9 allow.control\",\
                    \"seq\":7,\"session\":\"01981f6a-0000-7000-8000-000000000001\",\"subject\":\"alice\",\
                    \"time\":\"2026-01-31T10:00:00.000015Z\",\"type\":\"refused\",\"v\":1,\"what\":\"Cut\\n\\u0001\\\"ä\"}\n";
    assert_eq!(String::from_utf8(line).unwrap(), expected);
    for (from, to) in [
        ("\"v\":1", "\"v\":2"),
        ("\"v\":1", "\"v\":1,\"w\":1"),
        ("\"v\":1", "\"v\":1,\"v\":1"),
        ("\"seq\":7", "\"seq\":07"),
        ("\"seq\":7", "\"seq\":7.0"),
        ("\"seq\":7", "\"seq\":-7"),
        ("\"seq\":7", "\"seq\":9007199254740992"),
        ("refused", "Refused"),
        (",\"reason\":\"\"", ""),
        (",\"policy\":\"sha256:0123456789ab\"", ""),
        ("T10", " 10"),
        ("ä", "\\u00e4"),
        ("}\n", "}\n\n"),
        ("}\n", "} \n"),
    ] {
        let changed = expected.replacen(from, to, 1);
        assert_ne!(changed, expected);
        assert!(Event::from_line(changed.as_bytes()).is_err(), "{changed}");
    }
}

#[test]
fn every_type_of_event_goes_there_and_back() {
    for what in one_of_each() {
        let event = event(1, 0, what);
        assert_eq!(Event::from_line(&event.to_line().unwrap()).unwrap(), event);
    }
}

#[test]
fn which_keys_were_pressed_is_on_the_record_and_nowhere_else() {
    let strokes = vec![Stroke { down: true, keysym: 0x0100_20ac, name: "\u{20ac}".to_owned() }; 128];
    let event = event(1, 0, What::Strokes { viewer: u32::MAX, strokes });
    assert!(event.to_line().unwrap().len() < 16 * 1024, "as many as there may be fit a line");
    let shown = format!("{event:?}");
    assert!(!shown.contains("8364") && !shown.contains('\u{20ac}') && !shown.contains("16785580"), "{shown}");
}

#[test]
fn a_manifest_has_one_spelling() {
    let bytes = manifest().to_bytes().unwrap();
    assert_eq!(Manifest::from_bytes(&bytes).unwrap(), manifest());
    assert!(Manifest::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    let text = String::from_utf8(bytes).unwrap();
    for (from, to) in
        [("\"v\":1", "\"v\":2"), ("{", "{ "), ("\"mode\":\"strict\",", ""), ("strict", "lenient"), ("\"v\"", "\"w\"")]
    {
        assert!(Manifest::from_bytes(text.replacen(from, to, 1).as_bytes()).is_err(), "{to}");
    }
    let asking = Manifest { text: Some(TextTerms::Read), ..manifest() };
    let bytes = asking.to_bytes().unwrap();
    assert_eq!(Manifest::from_bytes(&bytes).unwrap(), asking);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains(",\"text\":\"read\","), "{text}");
    for to in ["\"text\":\"none\"", "\"text\":null", "\"text\":true"] {
        assert!(Manifest::from_bytes(text.replace("\"text\":\"read\"", to).as_bytes()).is_err(), "{to}");
    }
    let groups = vec!["group".to_owned(); 10_000];
    assert!(Manifest { groups, ..manifest() }.to_bytes().is_err());
}

/// Written by `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout`; a test key and nothing else.
const OPENSSL_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIOcTAUxAxNXLyhtfNUzm3X0XByVjGjBersMt6b9a1jdL
-----END PRIVATE KEY-----
";
const OPENSSL_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAhaSYwYZS+8Spdh9MFhqvY8/gcUALsJmNs4kUxvv8gQ8=
-----END PUBLIC KEY-----
";
/// `openssl pkey -pubout -outform der | tail -c 32 | sha256sum | cut -c 1-16`.
const OPENSSL_KID: &str = "b0ae2dc840428327";

#[test]
fn keys_are_read_and_written_as_openssl_does() {
    let key = SigningKey::from_pem(OPENSSL_PRIVATE).unwrap();
    assert_eq!(key.to_pem().unwrap(), OPENSSL_PRIVATE);
    assert_eq!(key.verifying_key().to_pem().unwrap(), OPENSSL_PUBLIC);
    assert_eq!(VerifyingKey::from_pem(OPENSSL_PUBLIC).unwrap(), key.verifying_key());
    assert_eq!((key.kid(), key.verifying_key().kid()), (OPENSSL_KID, OPENSSL_KID));
    assert_eq!(SigningKey::from_pem(OPENSSL_PUBLIC).unwrap_err(), KeyError::NotPrivate);
    assert_eq!(VerifyingKey::from_pem(OPENSSL_PRIVATE).unwrap_err(), KeyError::NotPublic);
    // The neutral point: every signature by it fits every message.
    let weak = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n";
    assert_eq!(VerifyingKey::from_pem(weak).unwrap_err(), KeyError::Weak);
    assert_eq!(format!("{key:?}"), format!("SigningKey {{ kid: \"{OPENSSL_KID}\", .. }}"));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,40}", "\\PC{0,20}", any::<String>().prop_map(|text| text.chars().take(40).collect())]
}

fn what() -> impl Strategy<Value = What> {
    let number = || 0..=9_007_199_254_740_991_u64;
    let effect = || prop_oneof![Just(Effect::Permit), Just(Effect::Deny)];
    prop_oneof![
        (text(), text()).prop_map(|(desktop, runtime)| What::SessionOpened { desktop, runtime }),
        (any::<u32>(), text(), number()).prop_map(|(viewer, reason, sent_revision)| What::ViewerLeft {
            viewer,
            reason,
            sent_revision
        }),
        (any::<u32>(), any::<u32>(), any::<u16>(), any::<u16>()).prop_map(|(viewer, pressed, x, y)| What::Clicks {
            viewer,
            pressed,
            x,
            y
        }),
        (
            any::<u32>(),
            effect(),
            number(),
            "([0-9a-f]{64})?",
            text(),
            prop::collection::vec(text(), 0..3),
            any::<Option<u32>>()
        )
            .prop_map(|(viewer, effect, bytes, sha256, reason, found, redacted)| What::Paste {
                viewer,
                effect,
                bytes,
                sha256,
                reason,
                found,
                redacted
            }),
        (text(), text()).prop_map(|(what, reason)| What::Refused { what, reason }),
        (0..1000_u64, 1000..2000_u64, text()).prop_map(|(from_us, to_us, reason)| What::Gap { from_us, to_us, reason }),
        Just(What::Bell {}),
    ]
}

proptest! {
    #[test]
    fn an_event_goes_there_and_back(what in what(), seq in 1..9_007_199_254_740_991_u64, at in 0..3_599_999_999_u64, subject in text()) {
        let mut event = event(seq, at, what);
        event.subject = subject;
        let line = event.to_line().unwrap();
        prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        prop_assert_eq!(Event::from_line(&line).unwrap(), event);
    }

    #[test]
    fn one_changed_byte_is_no_event_or_another_one(what in what(), at in any::<prop::sample::Index>(), with in any::<u8>()) {
        let event = event(1, 1, what);
        let mut line = event.to_line().unwrap();
        let at = at.index(line.len() - 1);
        prop_assume!(line[at] != with);
        line[at] = with;
        if let Ok(other) = Event::from_line(&line) {
            prop_assert_ne!(&other, &event);
            prop_assert_eq!(other.to_line().unwrap(), line);
        }
    }

    #[test]
    fn any_text_is_a_key_or_a_clear_error(pem in text(), at in any::<prop::sample::Index>(), with in "[ -~\n]") {
        prop_assert!(SigningKey::from_pem(&pem).is_err() && VerifyingKey::from_pem(&pem).is_err());
        // One changed character: no key, or one that prints what was read, or the same one in another spelling.
        let mut changed = OPENSSL_PRIVATE.to_owned();
        let at = at.index(changed.len());
        changed.replace_range(at..=at, &with);
        if let Ok(key) = SigningKey::from_pem(&changed) {
            let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
            prop_assert_eq!(again.verifying_key(), key.verifying_key());
        }
    }

    #[test]
    fn a_key_goes_there_and_back(seed in any::<[u8; 32]>()) {
        let key = SigningKey::generate(&seed);
        let read = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        prop_assert_eq!(read.verifying_key(), key.verifying_key());
        let public = VerifyingKey::from_pem(&key.verifying_key().to_pem().unwrap()).unwrap();
        prop_assert_eq!(public.to_bytes(), key.verifying_key().to_bytes());
        prop_assert_eq!(public.kid().len(), 16);
    }
}

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/evidence.schema.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn names(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(members) => members.keys().cloned().collect(),
        Value::Array(items) => items.iter().map(|item| item.as_str().unwrap().to_owned()).collect(),
        other => panic!("{other}"),
    }
}

/// The schema describes exactly the members that are written, no more and no fewer, and requires them all.
fn describes(definition: &Value, value: &Value) {
    describes_with(definition, value, &[]);
}

/// As [`describes`], but these members may be absent.
fn describes_with(definition: &Value, value: &Value, optional: &[&str]) {
    let (mut described, mut required) = (names(value), names(value));
    described.extend(optional.iter().map(|member| (*member).to_owned()));
    assert_eq!(names(&definition["properties"]), described);
    required.retain(|member| !optional.contains(&member.as_str()));
    assert_eq!(names(&definition["required"]), required);
}

fn payload(bytes: &[u8], part: impl Fn(&str) -> String) -> Value {
    use base64::Engine as _;
    let payload = part(std::str::from_utf8(bytes).unwrap());
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn the_schema_describes_what_is_written() {
    let schema = schema();
    let defs = &schema["$defs"];
    let folder = tempfile::tempdir().unwrap();
    let (lacking, kept) = (folder.path().join("lacking"), folder.path().join("kept"));
    bundle::sealed(&lacking);
    bundle::kinds::expired(&kept, false);
    let read = |file: &str| fs::read(lacking.join(file)).unwrap();
    let read_kept = |file: &str| fs::read(kept.join(file)).unwrap();
    let flattened = |text: &str| serde_json::from_str::<Value>(text).unwrap()["payload"].as_str().unwrap().to_owned();
    let manifest = serde_json::from_slice(&read_kept("session.json")).unwrap();
    describes_with(&defs["manifest"], &manifest, &["keep", "recipients", "text"]);
    describes(&defs["keep_terms"], &manifest["keep"]);
    let link = payload(&read("chain/00001.jws"), |text| text.split('.').nth(1).unwrap().to_owned());
    describes(&defs["link"], &link);
    describes_with(&defs["linked"], &link["files"][0], &["plain"]);
    let lacks = payload(&read("seal.json"), flattened);
    describes(&defs["file"], &lacks["files"][0]);
    describes(&defs["gap"], &lacks["gaps"][0]);
    let seal = payload(&read_kept("seal.json"), flattened);
    describes_with(&defs["seal"], &seal, &["keep"]);
    describes(&defs["keep"], &seal["keep"]);
    describes(&defs["tombstone"], &payload(&read_kept("expired.json"), flattened));
    let hold = bundle::kinds::hold().sign(&bundle::key()).unwrap();
    describes(&defs["hold"], &payload(&hold, |text| text.split('.').nth(1).unwrap().to_owned()));
    let encrypted = folder.path().join("encrypted");
    bundle::kinds::encrypted(&encrypted);
    let read = |file: &str| fs::read(encrypted.join(file)).unwrap();
    let manifest = serde_json::from_slice(&read("session.json")).unwrap();
    describes_with(&defs["manifest"], &manifest, &["keep", "recipients", "text"]);
    assert!(manifest["recipients"].is_array());
    let link = payload(&read("chain/00001.jws"), |text| text.split('.').nth(1).unwrap().to_owned());
    describes_with(&defs["linked"], &link["files"][0], &["plain"]);
    describes(&defs["linked"]["properties"]["plain"], &link["files"][0]["plain"]);
    let list = serde_json::from_slice(&bundle::kinds::key_list().to_bytes().unwrap()).unwrap();
    describes(&defs["key_list"], &list);
    describes(&defs["key"], &list["keys"][0]);
}

#[test]
fn the_schema_describes_every_type_of_event() {
    let schema = schema();
    let defs = &schema["$defs"];
    let shared = names(&defs["event"]["properties"]);
    assert_eq!(names(&defs["event"]["required"]), shared);
    let listed = defs["event"]["oneOf"].as_array().unwrap();
    assert_eq!(listed.len(), one_of_each().len());
    for (what, listed) in one_of_each().into_iter().zip(listed) {
        let value: Value = serde_json::from_slice(&event(1, 0, what).to_line().unwrap()).unwrap();
        let name = listed["$ref"].as_str().unwrap().strip_prefix("#/$defs/").unwrap();
        let definition = &defs[name];
        assert_eq!(definition["properties"]["type"]["const"], value["type"], "{name}");
        let own: BTreeSet<String> =
            names(&value).into_iter().filter(|member| member == "type" || !shared.contains(member)).collect();
        assert_eq!(names(&definition["properties"]), own, "{name}");
        let may_be_absent = ["found", "redacted", "archive_entries", "quarantined", "stripped_sha256"];
        let required: BTreeSet<String> =
            own.into_iter().filter(|member| !may_be_absent.contains(&member.as_str())).collect();
        assert_eq!(names(&definition["required"]), required, "{name}");
    }
}
