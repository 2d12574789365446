//! A gate in this process whose one desktop is a [`Puppet`]: for what real desktops and real disks do not do on demand.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use async_trait::async_trait;
use axum::http::HeaderMap;
use portcullis_evidence::{Report, SigningKey, verify};
use portcullis_policy::{PolicyFile, PolicySet, Subject};
use portcullis_proxy::files::{Depot, FilesConfig};
use portcullis_proxy::runtime::{Capacity, OnExit, Process, Reach, Runtime, Template, TemplateKind, Warm};
use portcullis_proxy::token::{Revocations, Target, Verifier};
use portcullis_proxy::{
    Aftermath, Bounds, Caller, Enforced, Identify, Journal, Outcome, Plane, PlaneConfig, Session, api,
};
use portcullis_rfb::Size;
use portcullis_vault::{Entry, Folder, Key, Vault, VaultError};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::PATIENCE;
use crate::api::Opened;
use crate::puppet::{Puppet, Puppets, greeting};

/// What everybody may do on a stage.
pub const POLICY: &str = "policy: all\napplies: {}\nallow:\n  control: {}\n  resize: {}\n  paste: {max_bytes: 64 KiB}\n  copy: {max_bytes: 64 KiB}\n";

/// Updates a second that are asked of the desktop.
pub const MAX_FPS: u32 = 30;

/// A gate with the desktop `desk`, without sign-in and without pages.
pub struct Stage {
    policies: watch::Sender<Arc<Enforced>>,
    folder: TempDir,
    plane: Arc<Plane>,
    revocations: Arc<Revocations>,
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub url: String,
    key: Arc<SigningKey>,
    vault: Arc<Cellar>,
    puppets: mpsc::UnboundedReceiver<Puppet>,
}

/// A session on a stage.
pub struct Act {
    /// The session, as the gate holds it.
    pub session: Arc<Session>,
    /// Its name and first ticket.
    pub opened: Opened,
    /// Its desktop.
    pub desktop: Puppet,
}

impl Stage {
    /// A stage whose desktop has this size and greets honestly.
    ///
    /// # Errors
    /// When the machine does not let it start.
    pub async fn start(size: Size) -> anyhow::Result<Self> {
        Self::greeted(size, greeting(size, b"puppet")).await
    }

    /// A stage whose desktop says these bytes before it is asked for pixels.
    ///
    /// # Errors
    /// When the machine does not let it start.
    pub async fn greeted(size: Size, greeting: Vec<u8>) -> anyhow::Result<Self> {
        Self::bounded(size, greeting, Bounds::default()).await
    }

    /// A stage whose gate has these bounds.
    ///
    /// # Errors
    /// When the machine does not let it start.
    pub async fn bounded(size: Size, greeting: Vec<u8>, bounds: Bounds) -> anyhow::Result<Self> {
        let (runtime, puppets) = Puppets::new(greeting);
        // A puppet that hangs up has ended: a test that wants it back brings its own runtime.
        Ok(Self { puppets, ..Self::set(size, Arc::new(runtime), Duration::ZERO, bounds).await? })
    }

    /// A stage whose desktop has this size and greets honestly, under [`POLICY`] with these lines behind it.
    ///
    /// # Errors
    /// When the machine does not let it start, or the policy has faults.
    pub async fn under(size: Size, rules: &str) -> anyhow::Result<Self> {
        let stage = Self::start(size).await?;
        stage.rule(rules)?;
        Ok(stage)
    }

    /// Puts [`POLICY`] with these lines behind it in force, or these alone where they begin a policy of their own.
    ///
    /// # Errors
    /// The policy's faults.
    pub fn rule(&self, rules: &str) -> anyhow::Result<()> {
        self.policies.send_replace(Arc::new(policies(rules)?));
        Ok(())
    }

    /// A stage whose desktop is a runtime's, which calls itself `process`; one whose connection breaks has `absence` to come back.
    ///
    /// # Errors
    /// When the machine does not let it start.
    pub async fn played_by(size: Size, runtime: Arc<dyn Runtime>, absence: Duration) -> anyhow::Result<Self> {
        Self::set(size, runtime, absence, Bounds::default()).await
    }

    async fn set(size: Size, runtime: Arc<dyn Runtime>, absence: Duration, bounds: Bounds) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("portcullis-stage-").tempdir()?;
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("spool"))?;
        let vault = Arc::new(Cellar { folder: Folder::open(&at("vault"))?, away: AtomicBool::new(false) });
        let key = Arc::new(SigningKey::generate(&[7; 32]));
        let mut recorder = portcullis_recorder::Config::new(at("spool"));
        recorder.segment = Duration::from_secs(1);
        let (policies, followed) = watch::channel(Arc::new(policies("")?));
        let verifier = Verifier::new("portcullis", Vec::new());
        let revocations = Arc::clone(verifier.revocations());
        let plane = Plane::new(PlaneConfig {
            verifier,
            identify: Arc::new(Nobody),
            origins: Vec::new(),
            policies: followed,
            templates: vec![desk(size)],
            runtimes: vec![runtime],
            recorder,
            vault: Arc::clone(&vault) as _,
            key: Arc::clone(&key),
            journal: Arc::new(Journal::open(&at("journal"))?),
            aftermath: Arc::new(Nobody),
            administrators: "administrators".into(),
            most_sessions: 4,
            most_per_subject: 4,
            reconnect: Duration::from_secs(60),
            absence,
            max_fps: MAX_FPS,
            bounds,
            capacity: Capacity::default(),
            egress: Arc::default(),
            recipients: None,
            files: Depot::open(FilesConfig::within(folder.path()))?,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = api::router(Arc::clone(&plane));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let (_, nobody) = mpsc::unbounded_channel();
        Ok(Self { policies, folder, plane, revocations, url, key, vault, puppets: nobody })
    }

    /// Opens a session for alice.
    ///
    /// # Errors
    /// The words of its refusal.
    pub async fn open(&mut self) -> anyhow::Result<Act> {
        let session = self.enter().await?;
        let desktop = self.puppets.recv().await.context("no desktop was started")?;
        let opened = self.ticket(&session)?;
        Ok(Act { session, opened, desktop })
    }

    /// Opens a session for alice whose desktop is no puppet.
    ///
    /// # Errors
    /// The words of its refusal.
    pub async fn enter(&self) -> anyhow::Result<Arc<Session>> {
        enter(Arc::clone(&self.plane)).await
    }

    /// Begins to open a session for alice; its desktop is connected to when this returns, and has said what the stage lets it say.
    ///
    /// # Errors
    /// When no desktop was started.
    pub async fn opening(&mut self) -> anyhow::Result<(JoinHandle<anyhow::Result<Arc<Session>>>, Puppet)> {
        let opening = tokio::spawn(enter(Arc::clone(&self.plane)));
        Ok((opening, self.puppets.recv().await.context("no desktop was started")?))
    }

    /// Revokes a subject for an hour, as the gate does when its list changes.
    ///
    /// # Errors
    /// When too many are.
    pub fn revoke(&self, subject: &str) -> anyhow::Result<()> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let target = Target::Subject { issuer: "local".into(), name: subject.into() };
        self.revocations.revoke(target, now + 3600, now)?;
        self.plane.end_revoked(now);
        Ok(())
    }

    /// A ticket for a further viewer.
    ///
    /// # Errors
    /// When too many are outstanding.
    pub fn ticket(&self, session: &Session) -> anyhow::Result<Opened> {
        let id = session.id.to_string();
        let ticket = self.plane.ticket(session, "")?.as_str().to_owned();
        Ok(Opened { rfb: format!("/sessions/{id}/rfb"), id, ticket, expires: String::new() })
    }

    /// Ends a session, if nothing else has, and waits until its evidence is sealed.
    ///
    /// # Errors
    /// When it is not sealed within [`PATIENCE`], or does not prove.
    pub async fn end(&self, session: &Session) -> anyhow::Result<Record> {
        session.end(Outcome::Ended { by: "the test".into() });
        crate::until("the session is sealed", async || Ok((self.plane.count() == 0).then_some(()))).await?;
        let bundle = find(&self.folder.path().join("vault"), session.id.as_str()).context("no bundle")?;
        let report = verify(&bundle, &[self.key.verifying_key()]);
        ensure!(report.is_sound(), "{report}");
        let events = crate::events(&bundle)?;
        Ok(Record { bundle, report, events })
    }

    /// How the session ended.
    ///
    /// # Errors
    /// When it goes on for [`PATIENCE`].
    pub async fn outcome(&self, session: &Session) -> anyhow::Result<Outcome> {
        timeout(PATIENCE, session.wait_outcome()).await.context("the session goes on")
    }

    /// The vault refuses everything, or no longer.
    pub fn take_vault_away(&self, away: bool) {
        self.vault.away.store(away, Ordering::Relaxed);
    }

    /// Sessions that are live or starting.
    #[must_use]
    pub fn count(&self) -> usize {
        self.plane.count()
    }

    /// The folder of recordings that are not sealed.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.folder.path().join("spool")
    }
}

/// A sealed recording that was proved.
#[derive(Debug)]
pub struct Record {
    /// Its bundle.
    pub bundle: PathBuf,
    /// What proving it found.
    pub report: Report,
    /// Its events.
    pub events: Vec<serde_json::Value>,
}

impl Record {
    /// The events of one type.
    #[must_use]
    pub fn of_type(&self, kind: &str) -> Vec<&serde_json::Value> {
        crate::of_type(&self.events, kind)
    }
}

async fn enter(plane: Arc<Plane>) -> anyhow::Result<Arc<Session>> {
    let alice = Subject { name: "alice".into(), groups: Vec::new(), issuer: "local".into() };
    let opened = plane.open(&Caller::Person(alice), "desk").await;
    opened.map_err(|refusal| anyhow::anyhow!("{refusal}"))
}

fn policies(rules: &str) -> anyhow::Result<Enforced> {
    let text = if rules.starts_with("policy:") { rules.to_owned() } else { format!("{POLICY}{rules}") };
    let policy = PolicyFile { name: "all.yaml".into(), text };
    PolicySet::parse(&[policy]).and_then(Enforced::compile).map_err(|faults| anyhow::anyhow!("{faults:?}"))
}

fn desk(size: Size) -> Template {
    Template {
        name: "desk".into(),
        title: "Desk".into(),
        description: String::new(),
        icon: String::new(),
        size,
        kind: TemplateKind::Process(Process {
            programs: Vec::new(),
            network: false,
            user: None,
            transfer_mib: 256,
            pids: 4096,
        }),
        egress: Reach::Deny,
        warm: Warm::default(),
        on_exit: OnExit::End,
        home: None,
    }
}

fn find(folder: &Path, session: &str) -> Option<PathBuf> {
    let folders = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    folders.into_iter().find_map(|path| {
        if path.file_name().is_some_and(|name| name == session) { Some(path) } else { find(&path, session) }
    })
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

/// A vault that can be taken away.
struct Cellar {
    folder: Folder,
    away: AtomicBool,
}

impl Cellar {
    fn check(&self, key: &Key) -> portcullis_vault::Result<()> {
        if self.away.load(Ordering::Relaxed) { Err(VaultError::NoSpace(key.clone())) } else { Ok(()) }
    }
}

#[async_trait]
impl Vault for Cellar {
    async fn put(&self, key: &Key, from: &Path) -> portcullis_vault::Result<()> {
        self.check(key)?;
        self.folder.put(key, from).await
    }

    async fn replace(&self, key: &Key, from: &Path) -> portcullis_vault::Result<()> {
        self.check(key)?;
        self.folder.replace(key, from).await
    }

    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> portcullis_vault::Result<bytes::Bytes> {
        self.folder.read(key, range).await
    }

    async fn len(&self, key: &Key) -> portcullis_vault::Result<Option<u64>> {
        self.folder.len(key).await
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> portcullis_vault::Result<Vec<Entry>> {
        self.folder.list(prefix, after, limit).await
    }
}
