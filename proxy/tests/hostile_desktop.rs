//! A hostile desktop, scripted: whatever it sends ends its session with a reason, the evidence is sealed and proves, the plane lives on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use portcullis_evidence::{SigningKey, verify};
use portcullis_policy::{PolicyFile, PolicySet, Subject};
use portcullis_proxy::runtime::{Desktop, Process, Runtime, RuntimeError, Template, TemplateKind};
use portcullis_proxy::token::Verifier;
use portcullis_proxy::{Aftermath, Caller, Identify, Journal, Outcome, Plane, PlaneConfig, SessionId};
use portcullis_rfb::Size;
use portcullis_vault::Folder;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::time::timeout;

/// A runtime whose one desktop says what it is told to: at once, and when it is first asked for pixels.
struct Scripted(Vec<u8>, Vec<u8>);

struct Puppet(Vec<u8>, Vec<u8>);

/// FramebufferUpdateRequest of the whole 64x48 screen, not incremental.
const REQUEST: [u8; 10] = [3, 0, 0, 0, 0, 0, 0, 64, 0, 48];

#[async_trait]
impl Runtime for Scripted {
    fn name(&self) -> &'static str {
        "process"
    }

    async fn start(&self, _: &Template, _: &SessionId) -> Result<Box<dyn Desktop>, RuntimeError> {
        Ok(Box::new(Puppet(self.0.clone(), self.1.clone())))
    }

    async fn reap(&self) -> Result<usize, RuntimeError> {
        Ok(0)
    }
}

#[async_trait]
impl Desktop for Puppet {
    fn socket(&self) -> &Path {
        Path::new("/nowhere")
    }

    async fn connect(&self) -> Result<UnixStream, RuntimeError> {
        let (near, mut far) = UnixStream::pair().unwrap();
        let (script, attack) = (self.0.clone(), self.1.clone());
        tokio::spawn(async move {
            let _ = far.write_all(&script).await;
            let (mut heard, mut buffer, mut attacked) = (Vec::new(), [0; 4096], false);
            // It stays on the line and reads, as a desktop does; what ends the session is what it says once it is asked for pixels.
            while let Ok(count @ 1..) = far.read(&mut buffer).await {
                heard.extend_from_slice(&buffer[..count]);
                if !attacked && heard.windows(REQUEST.len()).any(|window| window == REQUEST) {
                    attacked = true;
                    let _ = far.write_all(&attack).await;
                }
            }
        });
        Ok(near)
    }

    async fn ended(&self) -> String {
        std::future::pending().await
    }

    async fn destroy(&self) {}
}

struct Nobody;

#[async_trait]
impl Identify for Nobody {
    async fn identify(&self, _: &HeaderMap) -> Option<Subject> {
        None
    }
}

#[async_trait]
impl Aftermath for Nobody {
    async fn opened(&self, _: &str) {}
    async fn sealed(&self, _: &str) {}
}

struct House {
    folder: TempDir,
    plane: Arc<Plane>,
    key: Arc<SigningKey>,
}

fn house(script: Vec<u8>, attack: Vec<u8>) -> House {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("spool")).unwrap();
    let policy =
        PolicyFile { name: "all.yaml".into(), text: "policy: all\napplies: {}\nallow:\n  control: {}\n".into() };
    let (_, policies) = watch::channel(Arc::new(PolicySet::parse(&[policy]).unwrap()));
    let key = Arc::new(SigningKey::generate(&[7; 32]));
    let template = Template {
        name: "desk".into(),
        title: "Desk".into(),
        description: String::new(),
        icon: String::new(),
        size: Size { width: 64, height: 48 },
        kind: TemplateKind::Process(Process { programs: Vec::new(), network: false, user: None }),
    };
    let plane = Plane::new(PlaneConfig {
        verifier: Verifier::new("portcullis", Vec::new()),
        identify: Arc::new(Nobody),
        origins: Vec::new(),
        policies,
        templates: vec![template],
        runtimes: vec![Arc::new(Scripted(script, attack))],
        recorder: portcullis_recorder::Config::new(at("spool")),
        vault: Arc::new(Folder::open(&at("vault")).unwrap()),
        key: Arc::clone(&key),
        journal: Arc::new(Journal::open(&at("journal")).unwrap()),
        aftermath: Arc::new(Nobody),
        administrators: "administrators".into(),
        most_sessions: 4,
        most_per_subject: 4,
        reconnect: Duration::from_secs(20),
        max_fps: 30,
        limits: portcullis_rfb::Limits::default(),
    });
    House { folder, plane, key }
}

fn alice() -> Caller {
    Caller::Person(Subject { name: "alice".into(), groups: Vec::new(), issuer: "local".into() })
}

/// What an honest desktop says until its first update is asked for: version, None, OK, ServerInit of 64x48.
fn greeting() -> Vec<u8> {
    let mut bytes = b"RFB 003.008\n".to_vec();
    bytes.extend([1, 1, 0, 0, 0, 0, 0, 64, 0, 48]);
    bytes.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
    bytes.extend([0, 0, 0, 4]);
    bytes.extend(b"evil");
    bytes
}

fn rectangle(x: u16, y: u16, width: u16, height: u16, encoding: i32) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 1];
    for field in [x, y, width, height] {
        bytes.extend(field.to_be_bytes());
    }
    bytes.extend(encoding.to_be_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn every_violation_ends_the_session_with_a_reason() {
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("X5 a colour map", vec![1, 0, 0, 0, 0xff, 0xff], "SetColourMapEntries"),
        ("S9 cut text of 4 GiB", vec![3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], "ServerCutText"),
        ("S9 cut text of i32::MIN", vec![3, 0, 0, 0, 0x80, 0, 0, 0], "ServerCutText"),
        ("C7 a file transfer", vec![7; 16], ""),
        ("C9 audio", vec![255, 1, 0, 2, 0, 0, 0, 4], ""),
        ("a rectangle beyond the screen", rectangle(60, 0, 8, 8, 0), "FramebufferUpdate"),
        ("S4 a rectangle without area", rectangle(0, 0, 0, 8, 0), "FramebufferUpdate"),
        ("an encoding that was not asked for", rectangle(0, 0, 8, 8, 16), "FramebufferUpdate"),
        ("D2 a screen of 65535x65535", rectangle(0, 0, 0xffff, 0xffff, -223), "FramebufferUpdate"),
        ("CVE-2019-15695 a cursor of 65535x65535", rectangle(0, 0, 0xffff, 0xffff, -239), "FramebufferUpdate"),
        (
            "a copy from beyond the screen",
            [rectangle(0, 0, 8, 8, 1), vec![0xff, 0xff, 0, 0]].concat(),
            "FramebufferUpdate",
        ),
    ];
    for (name, attack, word) in cases {
        let house = house(greeting(), attack);
        let session = house.plane.open(&alice(), "desk").await.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let outcome =
            timeout(Duration::from_secs(20), session.wait_outcome()).await.unwrap_or_else(|_| panic!("{name}"));
        let Outcome::Violation { side: "desktop", reason } = &outcome else { panic!("{name}: {outcome}") };
        assert!(reason.contains(word), "{name}: {reason}");
        house.plane.shut_down(Duration::from_secs(20)).await;
        assert_eq!(house.plane.count(), 0, "{name}");
        let bundle = bundle(&house.folder.path().join("vault"), session.id.as_str());
        let report = verify(&bundle, &[house.key.verifying_key()]);
        assert!(report.is_sound(), "{name}: {report}");
        let events = std::fs::read_to_string(bundle.join("events/00001.jsonl")).unwrap();
        assert!(
            events.contains("\"type\":\"protocol_violation\"") && events.contains("\"side\":\"desktop\""),
            "{name}: {events}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_of_garbage_opens_nothing() {
    let cases: [(&str, Vec<u8>); 4] = [
        ("garbage", vec![0xee; 64]),
        ("another product", b"RFB 005.000\n".to_vec()),
        ("no way to authenticate that was agreed", b"RFB 003.008\n\x01\x02".to_vec()),
        ("no security type and a reason of 4 GiB", b"RFB 003.008\n\x00\xff\xff\xff\xff".to_vec()),
    ];
    for (name, script) in cases {
        let house = house(script, Vec::new());
        let refused = house.plane.open(&alice(), "desk").await;
        assert!(refused.is_err(), "{name}");
        assert_eq!(house.plane.count(), 0, "{name}: its place is given back");
        let sealed = std::fs::read_dir(house.folder.path().join("spool")).unwrap().count();
        assert_eq!(sealed, 0, "{name}: what was recorded of it is sealed and out of the spool");
    }
}

fn bundle(folder: &Path, session: &str) -> PathBuf {
    find(folder, session).unwrap_or_else(|| panic!("no bundle of {session}"))
}

fn find(folder: &Path, session: &str) -> Option<PathBuf> {
    let folders = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    folders.into_iter().find_map(|path| {
        if path.file_name().is_some_and(|name| name == session) { Some(path) } else { find(&path, session) }
    })
}
