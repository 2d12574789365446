//! Writing a bundle: events, links, index and seal, such that a crash between any two steps can be recovered from.
//!
//! What is made durable when (a power cut keeps it; being killed loses nothing that was written at all):
//! - `session.json` and the folders before [`BundleWriter::create`] returns;
//! - events by [`BundleWriter::sync`], which the recorder calls each second; until then they are in the page cache;
//! - a segment's events and video (encrypted ones for the first time here: what covers them until then does not outlive the machine), and the names of both, before its link is written; the link before
//!   [`BundleWriter::close_segment`] returns;
//! - the index of a running session never: it is derived from the chain;
//! - final index and `SHA256SUMS` before the seal is written; the seal before [`BundleWriter::seal`] returns.
//!
//! INVARIANT: a link, a seal, a manifest appears whole or not at all (written as `.part`, synced, renamed).

mod encrypting;
mod error;
mod reopening;
mod room;
mod sealing;
mod segment;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use encrypting::Encryption;
pub use error::WriteError;
use error::failed;
pub use reopening::{Left, Reopened};
pub use room::ROOM_BYTES;
pub use sealing::Sealed;

use crate::cover::CoveredLog;
use crate::digest::Digest;
use crate::disk::Disk;
use crate::event::{Event, EventError};
use crate::history::History;
use crate::key::SigningKey;
use crate::manifest::Manifest;
use crate::path::PathInBundle;
use crate::playlist::Segment;

/// The name under which a file is written before it takes its own.
pub(crate) const PART: &str = ".part";

/// The one writer of a bundle in a local folder. Blocking; used by one thread at a time.
#[derive(Debug)]
pub struct BundleWriter {
    disk: Disk,
    dir: PathBuf,
    key: Arc<SigningKey>,
    manifest: Manifest,
    /// SHA-256 of the last link's file; of the manifest's before the first.
    last: Digest,
    segments: Vec<Segment>,
    newest_init: u32,
    history: History,
    /// Of an encrypted bundle, as long as its key is there.
    encryption: Option<Encryption>,
    open: Option<OpenEvents>,
    state: Usable,
}

/// Where the events of the open segment are.
#[derive(Debug)]
enum OpenEvents {
    Clear(ClearEvents),
    Covered(CoveredLog),
}

/// The events file of the open segment.
#[derive(Debug)]
struct ClearEvents {
    file: File,
    /// Length of the whole lines in it.
    bytes: u64,
    /// Something was written since the last sync.
    dirty: bool,
    /// Its name is durable.
    named: bool,
}

/// Whether the writer may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Usable {
    Yes,
    Sealed,
    /// It is not known what is on the disk: a sync failed, or a torn line could not be cut off.
    Broken,
}

/// How a writer uses its disk.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The disk; in tests one with mishaps.
    pub disk: Disk,
    /// How much room is kept in reserve, in bytes; see [`BundleWriter::release_room`].
    pub room_bytes: u64,
    /// To whom events and video are encrypted: just those whom the manifest names.
    pub encryption: Option<Encryption>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { disk: Disk::default(), room_bytes: ROOM_BYTES, encryption: None }
    }
}

impl BundleWriter {
    /// Begins a bundle in the folder `dir`, which is made, or is there and empty. The manifest is durable on return.
    ///
    /// # Errors
    /// [`WriteError::NotEmpty`], [`WriteError::Manifest`], [`WriteError::Key`] when the manifest names another key, or the disk's.
    pub fn create(dir: &Path, manifest: &Manifest, key: Arc<SigningKey>) -> Result<Self, WriteError> {
        Self::create_with(dir, manifest, key, Settings::default())
    }

    /// As [`BundleWriter::create`], with other settings.
    ///
    /// # Errors
    /// As [`BundleWriter::create`].
    pub fn create_with(
        dir: &Path,
        manifest: &Manifest,
        key: Arc<SigningKey>,
        settings: Settings,
    ) -> Result<Self, WriteError> {
        let bytes = manifest.to_bytes().map_err(WriteError::Manifest)?;
        if manifest.key != key.kid() {
            return Err(WriteError::Key);
        }
        let Settings { disk, room_bytes, encryption } = settings;
        let names = encryption.as_ref().map(|encryption| encryption.recipients().names()).unwrap_or_default();
        if manifest.recipients != names {
            return Err(WriteError::Encryption);
        }
        make_folders(&disk, dir)?;
        let writer = Self {
            disk,
            dir: dir.to_owned(),
            key,
            manifest: manifest.clone(),
            last: Digest::of(&bytes),
            segments: Vec::new(),
            newest_init: 0,
            history: History::default(),
            encryption,
            open: None,
            state: Usable::Yes,
        };
        writer.reserve_room(room_bytes)?;
        let file = writer.write_part(&[&bytes])?;
        writer.sync_part(&file)?;
        writer.publish_part(PathInBundle::Session)?;
        writer.sync_folder(None)?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            writer.disk.sync_folder(parent).map_err(failed("sync", parent))?;
        }
        Ok(writer)
    }

    /// Appends an event to the open segment, with a plain write: a killed process loses nothing, [`BundleWriter::sync`] makes it durable.
    /// After an error the event is not in the file.
    ///
    /// # Errors
    /// [`WriteError::Order`] when `seq` does not rise or `at_us` falls, [`WriteError::Session`], [`WriteError::Event`],
    /// [`WriteError::Full`] after [`crate::MAX_LINKS`] segments, or the disk's.
    pub fn event(&mut self, event: &Event) -> Result<(), WriteError> {
        self.usable()?;
        let n = self.next()?;
        if event.session != self.manifest.id {
            return Err(WriteError::Session);
        }
        self.history.follows(event.seq, event.at_us).map_err(WriteError::Order)?;
        let line = event.to_line().map_err(WriteError::Event)?;
        let length = u64::try_from(line.len()).map_err(|_| WriteError::Event(EventError::TooLong))?;
        self.open_events(n)?;
        let covered = self.covered_path(n);
        let path = PathInBundle::Events(n).under(&self.dir);
        let open = match self.open.as_mut() {
            Some(OpenEvents::Clear(open)) => open,
            Some(OpenEvents::Covered(log)) => {
                log.append(&covered, &line).map_err(|error| {
                    if error.kind() == io::ErrorKind::BrokenPipe {
                        self.state = Usable::Broken;
                    }
                    failed("append to", &covered)(error)
                })?;
                return self.history.event(event).map_err(WriteError::Order);
            }
            None => return Err(WriteError::Broken),
        };
        if let Err(error) = self.disk.append(&mut open.file, &path, &line) {
            // What was torn is cut off again, which needs no space.
            if self.disk.truncate(&open.file, &path, open.bytes).is_err() {
                self.state = Usable::Broken;
            }
            return Err(failed("append to", &path)(error));
        }
        open.bytes = open.bytes.saturating_add(length);
        open.dirty = true;
        self.history.event(event).map_err(WriteError::Order)
    }

    /// Makes the events so far durable; nothing is done when they are.
    ///
    /// # Errors
    /// The disk's; after a failed sync the writer is [`WriteError::Broken`].
    pub fn sync(&mut self) -> Result<(), WriteError> {
        self.usable()?;
        let path = PathInBundle::Events(self.segment()).under(&self.dir);
        let Some(OpenEvents::Clear(open)) = self.open.as_mut() else { return Ok(()) };
        let folder = self.dir.join("events");
        let synced = match open.dirty {
            true => self.disk.sync(&open.file, &path).map_err(failed("sync", &path)),
            false => Ok(()),
        };
        let named = synced.and_then(|()| match open.named {
            true => Ok(()),
            false => self.disk.sync_folder(&folder).map_err(failed("sync", &folder)),
        });
        match named {
            Ok(()) => (open.dirty, open.named) = (false, true),
            // The kernel may have dropped what it could not write and would say yes the next time.
            Err(_) => self.state = Usable::Broken,
        }
        named
    }

    /// The number of the open segment, from 1: its video goes to `video/<n>.m4s`.
    #[must_use]
    pub fn segment(&self) -> u32 {
        self.links().saturating_add(1)
    }

    /// The `seq` that the next event should have.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.history.seq.saturating_add(1)
    }

    /// `at_us` of the last event, below which the next one's may not fall; 0 before the first.
    #[must_use]
    pub fn at_us(&self) -> u64 {
        self.history.at_us
    }

    /// Where the open segment begins: the end of the last link, in microseconds.
    #[must_use]
    pub fn from_us(&self) -> u64 {
        self.segments.last().map_or(0, |segment| segment.to_us)
    }

    /// The number of the newest init segment in a link; 0 when there is none.
    #[must_use]
    pub fn newest_init(&self) -> u32 {
        self.newest_init
    }

    /// The subject of the last event that says that the session is closed, in any segment.
    #[must_use]
    pub fn closed_by(&self) -> Option<&str> {
        self.history.closed_by.as_deref()
    }

    /// The highest revision of the screen that [`BundleWriter::recorded`] was told of. Opened anew, a clear bundle does not know it.
    #[must_use]
    pub fn revisions(&self) -> u64 {
        self.history.revisions
    }

    /// Notes the newest revision of the screen in the open segment, for an encrypted bundle whose open segment may be lost.
    pub fn recorded(&mut self, revision: u64) {
        self.history.revisions = self.history.revisions.max(revision);
    }

    /// To whom the bundle is encrypted, and what covers it until it is; `None` when it is clear.
    #[must_use]
    pub fn encryption(&self) -> Option<&Encryption> {
        self.encryption.as_ref()
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The bundle's folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn links(&self) -> u32 {
        self.segments.last().map_or(0, |segment| segment.n)
    }

    fn usable(&self) -> Result<(), WriteError> {
        match self.state {
            Usable::Yes => Ok(()),
            Usable::Sealed => Err(WriteError::Sealed),
            Usable::Broken => Err(WriteError::Broken),
        }
    }

    /// The number of the open segment, if there may be one more.
    fn next(&self) -> Result<u32, WriteError> {
        Some(self.segment()).filter(|n| *n <= crate::MAX_LINKS).ok_or(WriteError::Full)
    }

    fn open_events(&mut self, n: u32) -> Result<(), WriteError> {
        if self.open.is_some() {
            return Ok(());
        }
        self.open = Some(match &self.encryption {
            Some(encryption) => OpenEvents::Covered(self.covered_events(n, encryption.key())?),
            None => {
                let path = PathInBundle::Events(n).under(&self.dir);
                let file = self.disk.create(&path).map_err(failed("create", &path))?;
                OpenEvents::Clear(ClearEvents { file, bytes: 0, dirty: false, named: false })
            }
        });
        Ok(())
    }

    fn write_part(&self, chunks: &[&[u8]]) -> Result<File, WriteError> {
        let path = self.dir.join(PART);
        let mut file = self.disk.create(&path).map_err(failed("create", &path))?;
        for chunk in chunks {
            self.disk.append(&mut file, &path, chunk).map_err(failed("write", &path))?;
        }
        Ok(file)
    }

    fn sync_part(&self, file: &File) -> Result<(), WriteError> {
        let path = self.dir.join(PART);
        self.disk.sync(file, &path).map_err(failed("sync", &path))
    }

    fn publish_part(&self, to: PathInBundle) -> Result<(), WriteError> {
        let to = to.under(&self.dir);
        self.disk.rename(&self.dir.join(PART), &to).map_err(failed("name", &to))
    }

    fn sync_folder(&self, folder: Option<&str>) -> Result<(), WriteError> {
        let path = folder.map_or_else(|| self.dir.clone(), |folder| self.dir.join(folder));
        self.disk.sync_folder(&path).map_err(failed("sync", &path))
    }
}

fn make_folders(disk: &Disk, dir: &Path) -> Result<(), WriteError> {
    match std::fs::read_dir(dir) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(WriteError::NotEmpty(dir.to_owned()));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            disk.make_folder(dir).map_err(failed("make", dir))?;
        }
        Err(error) => return Err(failed("read", dir)(error)),
    }
    for folder in ["chain", "events", "video"] {
        let path = dir.join(folder);
        disk.make_folder(&path).map_err(failed("make", &path))?;
    }
    Ok(())
}
