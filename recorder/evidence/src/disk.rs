//! The steps that a writer takes on the file system, one by one, so that a test can stop or spoil each of them.
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FallocateFlags;

/// A step that changes the file system, or makes a change durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A folder is made.
    MakeFolder(PathBuf),
    /// A file is made, or emptied if it is there.
    Create(PathBuf),
    /// So many bytes are appended to a file.
    Append(PathBuf, usize),
    /// A file is cut to a length in bytes.
    Truncate(PathBuf, u64),
    /// A file's bytes are made durable.
    Sync(PathBuf),
    /// A folder's names are made durable.
    SyncFolder(PathBuf),
    /// A file takes another's name, replacing it.
    Rename(PathBuf, PathBuf),
    /// A file is removed.
    Remove(PathBuf),
}

/// What becomes of a [`Step`].
#[derive(Debug)]
pub enum Fate {
    /// It is taken.
    Proceed,
    /// It is not taken, and said to be: a sync on a disk that only exists for a test.
    Pretend,
    /// It fails and changes nothing.
    Fail(io::Error),
    /// An append writes only so many of its bytes and then fails; any other step fails.
    Tear(usize, io::Error),
}

/// Decides the fate of each step, before it is taken: a disk that runs full, a process that is killed.
pub trait Mishaps: Send + Sync {
    /// What becomes of `step`.
    fn fate(&self, step: &Step) -> Fate;
}

/// The file system as a writer uses it. New files have mode 0600, new folders 0700.
#[derive(Clone, Default)]
pub struct Disk {
    mishaps: Option<Arc<dyn Mishaps>>,
}

impl Disk {
    /// A disk on which `mishaps` befall; for tests.
    #[must_use]
    pub fn with(mishaps: Arc<dyn Mishaps>) -> Self {
        Self { mishaps: Some(mishaps) }
    }

    pub(crate) fn make_folder(&self, path: &Path) -> io::Result<()> {
        let make = || std::fs::DirBuilder::new().mode(0o700).create(path);
        self.take(|| Step::MakeFolder(path.to_owned()), make)
    }

    pub(crate) fn create(&self, path: &Path) -> io::Result<File> {
        self.take(|| Step::Create(path.to_owned()), || Ok(()))?;
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        file.set_len(0)?;
        Ok(file)
    }

    /// A file that is there, to append to; no step, since it changes nothing.
    pub(crate) fn open(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().append(true).open(path)
    }

    pub(crate) fn append(&self, file: &mut File, path: &Path, bytes: &[u8]) -> io::Result<()> {
        match self.fate(|| Step::Append(path.to_owned(), bytes.len())) {
            Fate::Proceed => file.write_all(bytes),
            Fate::Pretend => Ok(()),
            Fate::Fail(error) => Err(error),
            Fate::Tear(length, error) => {
                file.write_all(bytes.get(..length).unwrap_or(bytes))?;
                Err(error)
            }
        }
    }

    /// Takes the blocks of so many bytes at the end of an empty file; false where they have to be written, as this file system might not keep
    /// what it only promised. A step as an append is.
    pub(crate) fn allocate(&self, file: &mut File, path: &Path, bytes: u64) -> io::Result<bool> {
        if !keeps_promises(file) {
            return Ok(false);
        }
        match self.fate(|| Step::Append(path.to_owned(), usize::try_from(bytes).unwrap_or(usize::MAX))) {
            Fate::Proceed => Ok(rustix::fs::fallocate(file, FallocateFlags::empty(), 0, bytes).map(|()| true)?),
            Fate::Pretend => Ok(true),
            Fate::Fail(error) | Fate::Tear(_, error) => Err(error),
        }
    }

    pub(crate) fn truncate(&self, file: &File, path: &Path, length: u64) -> io::Result<()> {
        self.take(|| Step::Truncate(path.to_owned(), length), || file.set_len(length))
    }

    /// Data and length, not times: what fdatasync does.
    pub(crate) fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        self.take(|| Step::Sync(path.to_owned()), || file.sync_data())
    }

    pub(crate) fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.take(|| Step::SyncFolder(path.to_owned()), || File::open(path)?.sync_all())
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.take(|| Step::Rename(from.to_owned(), to.to_owned()), || std::fs::rename(from, to))
    }

    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        self.take(|| Step::Remove(path.to_owned()), || std::fs::remove_file(path))
    }

    fn take(&self, step: impl FnOnce() -> Step, act: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        match self.fate(step) {
            Fate::Proceed => act(),
            Fate::Pretend => Ok(()),
            Fate::Fail(error) | Fate::Tear(_, error) => Err(error),
        }
    }

    fn fate(&self, step: impl FnOnce() -> Step) -> Fate {
        self.mishaps.as_ref().map_or(Fate::Proceed, |mishaps| mishaps.fate(&step()))
    }
}

/// Whether blocks that were allocated are there when they are written to: ext4, XFS and tmpfs hold them; one that compresses or copies on
/// write may want others.
fn keeps_promises(file: &File) -> bool {
    const HOLD: [u64; 3] = [0xef53, 0x5846_5342, 0x0102_1994];
    rustix::fs::fstatfs(file).is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| HOLD.contains(&kind)))
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").field("mishaps", &self.mishaps.is_some()).finish()
    }
}
