//! The session's bundle, shared by who writes events, who writes video and who syncs.
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_evidence::{
    BundleWriter, Encryption, Ending, Event, Manifest, PathInBundle, Sealed, VERSION, What, stamp,
};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::clock::Clock;
use crate::error::{RecordError, spool};
use crate::segment::Finished;

/// Files that may wait for the vault; when as many do, the recording fails: some two hours of segments.
pub(crate) const MAX_WAITING: usize = 4096;
/// The subject of what the gate itself did.
pub(crate) const GATE: &str = "portcullis";

/// The bundle of one session.
pub(crate) struct Bundle {
    folder: PathBuf,
    manifest: Manifest,
    encryption: Option<Encryption>,
    clock: Arc<dyn Clock>,
    open: Mutex<Open>,
    /// The video file that grows, for who syncs it.
    video: Mutex<Option<Arc<File>>>,
    /// The newest init segment of an encrypted bundle that this process has put into the chain: it cannot be read there.
    newest_init: Mutex<Option<Vec<u8>>>,
    /// Something was written since the last sync.
    unsynced: AtomicBool,
}

struct Open {
    writer: BundleWriter,
    /// Finished files on their way to the vault. `None`: they stay where they are.
    finished: Option<mpsc::Sender<PathInBundle>>,
    /// The last segment is closed: no event has a place any more.
    ended: bool,
}

/// Whose doing an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Subject,
    Gate,
}

impl Bundle {
    pub(crate) fn new(
        writer: BundleWriter,
        clock: Arc<dyn Clock>,
        finished: Option<mpsc::Sender<PathInBundle>>,
    ) -> Self {
        Self {
            folder: writer.dir().to_owned(),
            manifest: writer.manifest().clone(),
            encryption: writer.encryption().cloned(),
            clock,
            open: Mutex::new(Open { writer, finished, ended: false }),
            video: Mutex::new(None),
            newest_init: Mutex::new(None),
            unsynced: AtomicBool::new(false),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// To whom the bundle is encrypted, and what covers it until it is.
    pub(crate) fn encryption(&self) -> Option<&Encryption> {
        self.encryption.as_ref()
    }

    /// Whether this is the newest init segment in the chain of an encrypted bundle; one of another process's is not known.
    pub(crate) fn is_newest_init(&self, header: &[u8]) -> bool {
        self.newest_init.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(header)
    }

    /// Who has said that the session is closed.
    pub(crate) fn closed_by(&self) -> Option<String> {
        self.open().writer.closed_by().map(str::to_owned)
    }

    /// The highest revision in the segments that are closed, as far as it is known.
    pub(crate) fn revisions(&self) -> u64 {
        self.open().writer.revisions()
    }

    /// The open segment has this revision.
    pub(crate) fn recorded(&self, revision: u64) {
        self.open().writer.recorded(revision);
    }

    /// Appends an event; when this returns, being killed does not lose it.
    pub(crate) fn event(&self, by: By, policy: &str, rule: &str, what: What) -> Result<u64, RecordError> {
        let mut open = self.open();
        if open.ended {
            return Err(RecordError::Closed);
        }
        let subject = match by {
            By::Subject => self.manifest.subject.clone(),
            By::Gate => GATE.to_owned(),
        };
        let seq = open.writer.next_seq();
        let event = Event {
            v: VERSION,
            seq,
            at_us: self.clock.now_us().max(open.writer.at_us()),
            time: stamp(OffsetDateTime::now_utc()),
            session: self.manifest.id.clone(),
            subject,
            policy: policy.to_owned(),
            rule: rule.to_owned(),
            what,
        };
        self.wrote();
        open.writer.event(&event).map_err(RecordError::Bundle)?;
        Ok(seq)
    }

    /// An event of the recorder's own, under the policy and rule that permitted the session.
    pub(crate) fn own_event(&self, what: What) -> Result<(), RecordError> {
        self.event(By::Gate, &self.manifest.policy, &self.manifest.rule, what).map(drop)
    }

    /// The number and the beginning of the open segment, and of the newest init segment in the chain.
    pub(crate) fn standing(&self) -> (u32, u64, u32) {
        let writer = &self.open().writer;
        (writer.segment(), writer.from_us(), writer.newest_init())
    }

    /// Something was written that is not synced.
    pub(crate) fn wrote(&self) {
        self.unsynced.store(true, Ordering::Release);
    }

    /// The video file that grows from now on.
    pub(crate) fn growing(&self, file: Option<Arc<File>>) {
        *self.video() = file;
    }

    /// Closes the open segment, whose video is finished, and sends its files on their way. `last`: nothing follows.
    pub(crate) fn close_segment(&self, to_us: u64, video: Finished, last: bool) -> Result<(), RecordError> {
        self.growing(None);
        if let Some(encryption) = &self.encryption {
            return self.close_encrypted(encryption, to_us, video, last);
        }
        self.sync_events()?;
        let mut open = self.open();
        let from_us = open.writer.from_us();
        let written = open.writer.close_segment(from_us, to_us, &video.files).map_err(RecordError::Bundle)?;
        open.ended = last;
        open.send(written)
    }

    fn close_encrypted(
        &self,
        encryption: &Encryption,
        to_us: u64,
        video: Finished,
        last: bool,
    ) -> Result<(), RecordError> {
        // While this takes its time, events are still written.
        let store = |(path, plain): &(PathInBundle, Vec<u8>)| encryption.store(&self.folder, *path, plain);
        let stored: Result<Vec<_>, _> = video.plain.iter().map(store).collect();
        let stored = stored.map_err(RecordError::Bundle)?;
        let mut open = self.open();
        let from_us = open.writer.from_us();
        let written = open.writer.close_encrypted(from_us, to_us, &stored).map_err(RecordError::Bundle)?;
        open.ended = last;
        let init = video.plain.into_iter().find(|(path, _)| matches!(path, PathInBundle::Init(_)));
        if let Some((_, header)) = init {
            *self.newest_init.lock().unwrap_or_else(PoisonError::into_inner) = Some(header);
        }
        if let Some(covered) = video.covered {
            fs::remove_file(&covered).map_err(spool("remove", &covered))?;
        }
        open.send(written)
    }

    /// Makes durable what was written until now; costs nothing when nothing was.
    pub(crate) fn sync(&self) -> Result<(), RecordError> {
        if !self.unsynced.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let video = self.video().clone();
        if let Some(file) = video {
            file.sync_data().map_err(spool("sync", &self.folder))?;
        }
        self.sync_events()?;
        let mut open = self.open();
        if open.ended { Ok(()) } else { open.writer.sync().map_err(RecordError::Bundle) }
    }

    /// Asks the disk to hold the open events file, without keeping those waiting who write events: what
    /// [`BundleWriter::sync`] does afterwards, with the bundle locked, finds next to nothing to do.
    fn sync_events(&self) -> Result<(), RecordError> {
        let n = self.open().writer.segment();
        let path = PathInBundle::Events(n).under(&self.folder);
        match File::open(&path) {
            Ok(file) => file.sync_data().map_err(spool("sync", &path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(spool("open", &path)(error)),
        }
    }

    /// Gives back the room that was kept for the last words of a session whose disk is full.
    pub(crate) fn release_room(&self) -> Result<(), RecordError> {
        self.open().writer.release_room().map_err(RecordError::Bundle)
    }

    /// Seals the bundle, whose last segment is closed, and sends the last files on their way.
    pub(crate) fn seal(&self, ending: Ending) -> Result<Sealed, RecordError> {
        let mut open = self.open();
        let sealed = open.writer.seal(ending).map_err(RecordError::Bundle)?;
        open.send(sealed.written.clone())?;
        open.finished = None;
        Ok(sealed)
    }

    /// Nothing more is written by way of this: the folder is left to recovery.
    pub(crate) fn retire(&self) {
        let mut open = self.open();
        open.ended = true;
        open.finished = None;
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn video(&self) -> MutexGuard<'_, Option<Arc<File>>> {
        self.video.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn send(&self, paths: Vec<PathInBundle>) -> Result<(), RecordError> {
        let Some(finished) = &self.finished else { return Ok(()) };
        paths.into_iter().try_for_each(|path| match finished.try_send(path) {
            Err(TrySendError::Full(_)) => Err(RecordError::Backlog(MAX_WAITING)),
            // Nobody takes files any more: who stopped doing so has said why.
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
        })
    }
}
