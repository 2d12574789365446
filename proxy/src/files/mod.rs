//! Files in and out of a desktop: taken whole, looked at, judged, put on the record, and only then handed over.
//!
//! Read [`upload`] first: it tells the story of a file on its way in, and [`download`] the same the other way.

mod clamd;
pub(crate) mod download;
mod examine;
pub(crate) mod passage;
mod quarantine;
mod quota;
mod search;
mod spool;
mod stopped;
mod told;
pub(crate) mod tus;
pub(crate) mod upload;

use std::fmt;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use portcullis_evidence::{Recipients, What};
use portcullis_policy::Verdict;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use crate::journal::{About, Journal};
use crate::outcome::Outcome;
use crate::pace::{Pace, Rate};
use crate::runtime::Transfer;
use crate::session::Session;
use crate::tally::Tally;
use quota::Quotas;
use tus::Uploads;

pub use clamd::Clamd;
pub use quarantine::{Copied, Quarantine};
pub use spool::{Reader, Spool, SpoolError, Spooled};
pub(crate) use stopped::{Stopped, unnamed};

/// What is asked about files in one session: more is turned away. Each leaves an event.
const ATTEMPTS: Rate = Rate::new(5, 100);

/// The folder of quarantined copies, below the gate's own.
pub const QUARANTINE: &str = "quarantine";

/// How a gate carries files.
#[derive(Clone)]
pub struct FilesConfig {
    /// Where files lie until their verdict, without names.
    pub spool: PathBuf,
    /// Where quarantined copies lie, encrypted.
    pub quarantine: PathBuf,
    /// Bytes that they may take; a file of which policy wants a copy for which there is no room does not cross.
    pub quarantine_bytes: u64,
    /// How long they are kept; none: for ever.
    pub quarantine_keep: Option<Duration>,
    /// To whom they are encrypted; where there are none no policy may ask for copies.
    pub recipients: Option<Arc<Recipients>>,
    /// What scans files; where there is none no policy may ask for it.
    pub scanner: Option<Clamd>,
    /// The largest file, in bytes, whatever policy says.
    pub largest: u64,
    /// Bytes that may cross in a session each way.
    pub session_bytes: u64,
    /// What stays free of the disk, in bytes: recordings need it.
    pub keep_free: u64,
    /// Files under way at once, in all.
    pub at_once: usize,
    /// Files under way at once, of one session.
    pub session_at_once: usize,
    /// How long a sender may say nothing, or a receiver take nothing.
    pub idle: Duration,
    /// How long an upload in pieces may rest.
    pub resting: Duration,
}

impl FilesConfig {
    /// What holds where an operator says nothing, with folders below this one.
    #[must_use]
    pub fn within(folder: &std::path::Path) -> Self {
        Self {
            spool: folder.join("files"),
            quarantine: folder.join(QUARANTINE),
            quarantine_bytes: 16 << 30,
            quarantine_keep: Some(Duration::from_secs(90 * 86_400)),
            recipients: None,
            scanner: None,
            largest: 16 << 30,
            session_bytes: 64 << 30,
            keep_free: 1 << 30,
            at_once: 16,
            session_at_once: 3,
            idle: Duration::from_secs(30),
            resting: Duration::from_secs(3600),
        }
    }
}

/// The gate's place for files: its configuration, its counters, and how many files are under way.
pub struct Depot {
    pub(crate) config: FilesConfig,
    /// What crossed and what was stopped.
    pub counts: Tally,
    /// Copies of files that policy keeps.
    pub quarantine: Quarantine,
    slots: Arc<Semaphore>,
    journal: OnceLock<Arc<Journal>>,
}

impl Depot {
    /// Makes the folders (mode 0700) where they are missing. Files of an earlier gate had no names, so nothing of them is left.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn open(config: FilesConfig) -> io::Result<Arc<Self>> {
        DirBuilder::new().recursive(true).mode(0o700).create(&config.spool)?;
        let quarantine = Quarantine::open(&config)?;
        // Where the file system knows no unnamed files, one that was killed between making and unnaming its file left a name behind.
        for left in std::fs::read_dir(&config.spool)?.flatten() {
            if left.file_type().is_ok_and(|kind| kind.is_file()) {
                let _ = std::fs::remove_file(left.path());
            }
        }
        let slots = Arc::new(Semaphore::new(config.at_once));
        Ok(Arc::new(Self { config, counts: Tally::files(), quarantine, slots, journal: OnceLock::new() }))
    }

    /// Where is written what no session's record can hold any more.
    pub(crate) fn write_to(&self, journal: Arc<Journal>) {
        let _ = self.journal.set(journal);
    }
}

impl fmt::Debug for Depot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Depot").field("spool", &self.config.spool).finish_non_exhaustive()
    }
}

/// A session's part: its desktop's folder, what it has left of its quotas, and the uploads that come in pieces.
pub(crate) struct Files {
    pub(crate) depot: Arc<Depot>,
    pub(crate) uploads: Uploads,
    transfer: OnceLock<Arc<dyn Transfer>>,
    slots: Arc<Semaphore>,
    quotas: Mutex<Quotas>,
    attempts: Mutex<Pace>,
    /// Files under way: a session's record waits a moment for them.
    under_way: TaskTracker,
    /// Quarantined copies so far.
    copies: AtomicU64,
}

/// A place among the files that are under way.
pub(crate) struct Slot {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Files {
    pub(crate) fn new(depot: Arc<Depot>) -> Self {
        Self {
            uploads: Uploads::default(),
            transfer: OnceLock::new(),
            slots: Arc::new(Semaphore::new(depot.config.session_at_once)),
            quotas: Mutex::default(),
            attempts: Mutex::new(ATTEMPTS.pace()),
            under_way: TaskTracker::new(),
            copies: AtomicU64::new(0),
            depot,
        }
    }

    /// The desktop is there, and has this folder.
    pub(crate) fn reach(&self, folder: Option<Arc<dyn Transfer>>) {
        if let Some(folder) = folder {
            let _ = self.transfer.set(folder);
        }
    }

    /// The desktop's folder.
    ///
    /// # Errors
    /// [`Stopped::NoFolder`] where it has none.
    pub(crate) fn folder(&self) -> Result<Arc<dyn Transfer>, Stopped> {
        self.transfer.get().cloned().ok_or(Stopped::NoFolder)
    }

    /// A place for one more file under way.
    ///
    /// # Errors
    /// [`Stopped::Busy`] when there are as many as there may be, or they are asked for too fast.
    pub(crate) fn slot(&self) -> Result<Slot, Stopped> {
        let own = Arc::clone(&self.slots).try_acquire_owned();
        let all = Arc::clone(&self.depot.slots).try_acquire_owned();
        match (own, all) {
            (Ok(own), Ok(all)) => Ok(Slot { _own: own, _all: all }),
            _ => Err(Stopped::Busy("as many files as may be are under way; wait for one of them")),
        }
    }

    /// Counts one more question about a file.
    ///
    /// # Errors
    /// [`Stopped::Busy`] when there are too many.
    pub(crate) fn attempt(&self) -> Result<(), Stopped> {
        let taken = self.attempts.lock().unwrap_or_else(PoisonError::into_inner).try_take(Instant::now());
        if taken { Ok(()) } else { Err(Stopped::Busy("files are asked for too fast; wait a moment")) }
    }

    /// Resolves when no file is under way any more; for a session that has ended.
    pub(crate) async fn settled(&self) {
        self.under_way.close();
        self.under_way.wait().await;
    }

    /// Puts what became of a file on its session's record. What that does not take any more is on the gate's journal, as what did not cross.
    ///
    /// # Errors
    /// [`Stopped::Ended`]: in strict mode what cannot be recorded does not cross, and its session ends.
    fn note(&self, session: &Session, verdict: &Verdict, what: What) -> Result<(), Stopped> {
        let noted = session.note_numbered(verdict, what.clone());
        if matches!(noted, Ok(Some(_))) {
            return Ok(());
        }
        if let Some(journal) = self.depot.journal.get() {
            let (rule, policy) = (verdict.rule.to_string(), verdict.revision.to_string());
            let subject = session.permit.subject.name.as_str();
            let about = About { subject, session: session.id.as_str(), policy: &policy, rule: &rule };
            journal.note(about, if noted.is_err() { stopped::unrecorded(what) } else { what });
        }
        noted.map(drop).map_err(|outcome: Outcome| {
            session.end(outcome);
            Stopped::Ended
        })
    }

    fn quotas(&self) -> MutexGuard<'_, Quotas> {
        self.quotas.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
