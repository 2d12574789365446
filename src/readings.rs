//! What is read off the pictures of recordings in a gate that runs: one recording at a time, at the lowest priority, once it is sealed and never while it runs.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use portcullis_evidence::{Digest, Listing, Reading, ReadingKind, Source, VERSION, Verdict, stamp, verify_at};
use portcullis_proxy::Enforced;
use portcullis_proxy::outcome::chain;
use portcullis_recorder::{Reader, ReaderError, ReaderSettings, Work, read_text, thumbnail};
use portcullis_vault::keeping::Keeper;
use portcullis_vault::{Key, Stored, VaultError};
use portcullis_web::{Portal, Unread};
use time::OffsetDateTime;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// How long it is waited for a recording that is sealed before the index is asked all the same.
const PAUSE: Duration = Duration::from_secs(30);
/// The kindest that a thread can be to all others.
const NICEST: i32 = 19;

/// Reads what is to be read, in a thread of its own.
pub(crate) struct Readings {
    sealed: Arc<Notify>,
    stop: Arc<AtomicBool>,
    warning: JoinHandle<()>,
}

struct Worker {
    portal: Portal,
    keeper: Arc<Keeper>,
    settings: ReaderSettings,
    reader: Option<Reader>,
    runtime: Handle,
    sealed: Arc<Notify>,
    stop: Arc<AtomicBool>,
}

/// What was read of one recording: the file, and what its statement says of it.
struct Read {
    bytes: Vec<u8>,
    lines: u64,
    work: Work,
    until_ms: Option<u64>,
    tool: &'static str,
    settings: String,
}

impl Readings {
    /// Begins with what earlier runs left; `sealed` tells of further recordings. Says what policy asks for and this machine cannot do.
    pub(crate) fn start(
        settings: ReaderSettings,
        portal: Portal,
        keeper: Arc<Keeper>,
        policies: watch::Receiver<Arc<Enforced>>,
        sealed: Arc<Notify>,
    ) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            portal,
            keeper,
            settings: settings.clone(),
            reader: None,
            runtime: Handle::current(),
            sealed: Arc::clone(&sealed),
            stop: Arc::clone(&stop),
        };
        std::thread::Builder::new().name("readings".into()).spawn(move || worker.run())?;
        Ok(Self { sealed, stop, warning: tokio::spawn(warn(policies, settings)) })
    }

    /// Lets it end; what it leaves half-done, the next start does anew.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.sealed.notify_one();
        self.warning.abort();
    }
}

impl Worker {
    fn run(mut self) {
        // Of this thread alone, and of what it starts.
        if let Err(error) = rustix::process::setpriority_process(None, NICEST) {
            tracing::debug!(%error, "the thread that reads recordings is as important as others");
        }
        if let Err(error) = self.runtime.block_on(self.portal.try_readings_again()) {
            tracing::warn!(error = chain(&error), "readings that failed are not tried again");
        }
        while !self.stop.load(Ordering::Relaxed) {
            match self.runtime.block_on(self.portal.next_unread()) {
                Ok(Some(unread)) => self.one(&unread),
                Ok(None) => self.pause(),
                Err(error) => {
                    tracing::warn!(error = chain(&error), "it is not known what is to be read");
                    self.pause();
                }
            }
        }
    }

    fn pause(&self) {
        let _ = self.runtime.block_on(async { tokio::time::timeout(PAUSE, self.sealed.notified()).await });
    }

    /// Reads one, and keeps why it could not be.
    fn one(&mut self, unread: &Unread) {
        let (recording, kind) = (unread.place.id(), unread.kind.name());
        let done = self.done(unread);
        if self.stop.load(Ordering::Relaxed) {
            return;
        }
        match done {
            Ok(()) => tracing::info!(recording, kind, "read off a recording's pictures"),
            Err(error) => {
                let reason = format!("{error:#}");
                match self.runtime.block_on(self.portal.reading_failed(unread, &reason)) {
                    Ok(again) => {
                        tracing::warn!(recording, kind, reason, again, "nothing was read off a recording's pictures")
                    }
                    Err(error) => {
                        tracing::error!(
                            recording,
                            kind,
                            error = chain(&error),
                            "the index does not say that a reading failed"
                        );
                        self.pause();
                    }
                }
            }
        }
    }

    fn done(&mut self, unread: &Unread) -> anyhow::Result<()> {
        // Another gate, or an earlier run of this one, may have read it.
        if self.runtime.block_on(self.portal.take_reading(unread))? {
            return Ok(());
        }
        let vault = Arc::clone(&self.keeper.vault);
        let source = Stored::new(vault, unread.place.key().clone(), self.runtime.clone());
        let report = verify_at(&source, &self.keeper.trust);
        if !matches!(report.verdict(), Verdict::Sound | Verdict::GapDeclared) {
            bail!("the recording is not sound: {}", report.verdict());
        }
        let listing = Listing::read(&source)?;
        let of = listing.sealed.context("the recording has no seal")?;
        let read = self.read(unread.kind, &source, &listing)?;
        let reading = Reading {
            v: VERSION,
            session: listing.manifest.id.clone(),
            kind: unread.kind,
            of,
            made: stamp(OffsetDateTime::now_utc()),
            tool: format!("{}, portcullis {}", read.tool, env!("CARGO_PKG_VERSION")),
            settings: read.settings,
            bytes: u64::try_from(read.bytes.len())?,
            sha256: Digest::of(&read.bytes),
            lines: read.lines,
            pictures: read.work.pictures,
            regions: read.work.regions,
            failed: read.work.failed,
            pixels: read.work.pixels,
            shown: read.work.shown,
            until_ms: read.until_ms,
        };
        let statement = reading.sign(&self.keeper.key)?;
        self.store(unread, &unread.kind.file(&reading.sha256), &read.bytes)?;
        match self.store(unread, &unread.kind.statement(), &statement) {
            // Another gate was faster: its statement counts.
            Err(VaultError::AlreadyDiffers { .. }) | Ok(()) => {}
            Err(error) => return Err(error.into()),
        }
        let guarded = self.runtime.block_on(self.keeper.guard_derived(&unread.place, OffsetDateTime::now_utc()));
        guarded.context("it is stored, and not locked or held as the recording is")?;
        if !self.runtime.block_on(self.portal.take_reading(unread))? {
            bail!("it is stored, and not found again");
        }
        tracing::debug!(recording = unread.place.id(), work = ?read.work, "read");
        Ok(())
    }

    fn read(&mut self, kind: ReadingKind, source: &dyn Source, listing: &Listing) -> anyhow::Result<Read> {
        if kind == ReadingKind::Thumbnail {
            let (bytes, work) = thumbnail(source, listing, &self.stop)?;
            let settings = "the picture with most edges".to_owned();
            return Ok(Read { bytes, lines: 0, work, until_ms: None, tool: "mjpeg of libavcodec", settings });
        }
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => Reader::open(&self.settings)?,
        };
        let text = read_text(source, listing, self.reader.insert(reader), &self.stop);
        if text.is_err() {
            // Whatever is wrong with it is looked for anew.
            self.reader = None;
        }
        let text = text?;
        let mut bytes = Vec::new();
        for line in &text.lines {
            bytes.extend(line.to_line()?);
        }
        let lines = u64::try_from(text.lines.len())?;
        let (work, until_ms, settings) = (text.work, text.until_ms, text.settings);
        Ok(Read { bytes, lines, work, until_ms, tool: "tesseract", settings })
    }

    fn store(&self, unread: &Unread, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        let failed = |key: &str, source| VaultError::Storage { action: "store", key: key.to_owned(), source };
        let key = unread.place.readings().and_then(|folder| Key::new(format!("{folder}/{name}")));
        let key = key.map_err(|error| failed(name, std::io::Error::other(error)))?;
        let written = tempfile::NamedTempFile::new().and_then(|mut file| file.write_all(bytes).map(|()| file));
        let file = written.map_err(|error| failed(key.as_str(), error))?;
        self.runtime.block_on(self.keeper.vault.put(&key, file.path()))
    }
}

/// Says at the start, and whenever other policies come into force, that a policy asks for what this machine cannot do.
async fn warn(mut policies: watch::Receiver<Arc<Enforced>>, settings: ReaderSettings) {
    loop {
        let rule = policies.borrow_and_update().text_reader().map(|stated| stated.rule.to_string());
        if let Some(rule) = rule {
            let settings = settings.clone();
            let tried = tokio::task::spawn_blocking(move || Reader::open(&settings).map(drop)).await;
            if let Ok(Err(error)) = tried {
                tracing::error!(
                    rule,
                    error = chain(&error),
                    mend = mend(&error),
                    "policy asks that the text on the screen be read, and it cannot be"
                );
            }
        }
        if policies.changed().await.is_err() {
            return;
        }
    }
}

fn mend(error: &ReaderError) -> &'static str {
    match error {
        ReaderError::Missing(_) => "apt-get install tesseract-ocr bubblewrap util-linux",
        ReaderError::Language(_) | ReaderError::Refused(_) => {
            "install the language (tesseract-ocr-…), or see `text` in the configuration"
        }
    }
}
