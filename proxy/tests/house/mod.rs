//! A plane with one desktop of a runtime that a test brings, and the evidence that it leaves.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use portcullis_evidence::{SigningKey, verify};
use portcullis_policy::{PolicyFile, PolicySet, Subject};
use portcullis_proxy::runtime::{Process, Runtime, Template, TemplateKind};
use portcullis_proxy::token::Verifier;
use portcullis_proxy::{Aftermath, Caller, Identify, Journal, Plane, PlaneConfig, SessionId};
use portcullis_rfb::Size;
use portcullis_vault::Folder;
use tempfile::TempDir;
use tokio::sync::watch;

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

/// A plane with everything that it needs in a folder.
pub(crate) struct House {
    folder: TempDir,
    pub(crate) plane: Arc<Plane>,
    key: Arc<SigningKey>,
}

impl House {
    /// A plane whose desktop `desk`, 64x48, is started by `runtime`, which calls itself `process`.
    pub(crate) fn with(runtime: Arc<dyn Runtime>, absence: Duration) -> Self {
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
            runtimes: vec![runtime],
            recorder: portcullis_recorder::Config::new(at("spool")),
            vault: Arc::new(Folder::open(&at("vault")).unwrap()),
            key: Arc::clone(&key),
            journal: Arc::new(Journal::open(&at("journal")).unwrap()),
            aftermath: Arc::new(Nobody),
            administrators: "administrators".into(),
            most_sessions: 4,
            most_per_subject: 4,
            reconnect: Duration::from_secs(20),
            absence,
            max_fps: 30,
        });
        Self { folder, plane, key }
    }

    /// The events of a session's bundle, which must be sound.
    pub(crate) fn events(&self, session: &SessionId) -> String {
        let bundle = bundle(&self.folder.path().join("vault"), session.as_str());
        let report = verify(&bundle, &[self.key.verifying_key()]);
        assert!(report.is_sound(), "{report}");
        let mut files: Vec<_> =
            std::fs::read_dir(bundle.join("events")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
    }

    /// Recordings that are still in the spool.
    pub(crate) fn spooled(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("spool")).unwrap().count()
    }
}

/// Who may do everything.
pub(crate) fn alice() -> Caller {
    Caller::Person(Subject { name: "alice".into(), groups: Vec::new(), issuer: "local".into() })
}

/// What an honest desktop says until its first update is asked for: version, None, OK, ServerInit of 64x48.
pub(crate) fn greeting() -> Vec<u8> {
    let mut bytes = b"RFB 003.008\n".to_vec();
    bytes.extend([1, 1, 0, 0, 0, 0, 0, 64, 0, 48]);
    bytes.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
    bytes.extend([0, 0, 0, 4]);
    bytes.extend(b"evil");
    bytes
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
