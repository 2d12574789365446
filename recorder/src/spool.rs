//! A session's folder in the spool: what is not yet in the vault, and who works on it.
//!
//! ```text
//! <id>/boot            the boot id of the machine that records
//! <id>/lock            locked as long as a process works here; a killed one's lock is gone
//! <id>/key             of an encrypted recording: the path, in the machine's memory, of the key that covers what follows
//! <id>/handover.ring   the hand-over log
//! <id>/base-a, base-b  snapshots of the screen, see the hand-over log
//! <id>/bundle/         the bundle as it will lie in the vault
//! .done-<id>/          one that is in the vault and was being removed
//! ```
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{RecordError, spool};
use crate::keys;

/// The mark of a folder whose content is in the vault.
const DONE: &str = ".done-";

/// A session's folder, locked.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    lock: Arc<File>,
}

impl Spool {
    /// Makes the folder of a session that has none.
    pub(crate) fn create(root: &Path, id: &str) -> Result<Self, RecordError> {
        let folder = root.join(id);
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(root).map_err(spool("make", root))?;
        match builder.recursive(false).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(RecordError::Taken(folder)),
            made => {
                made.map_err(spool("make", &folder))?;
                let held = Self::open(folder.clone())?.ok_or(RecordError::Taken(folder))?;
                let boot = held.boot();
                fs::write(&boot, boot_id()).map_err(spool("write", &boot))?;
                Ok(held)
            }
        }
    }

    /// Locks the folder that a killed gate left; `None` when a live one works there.
    pub(crate) fn open(folder: PathBuf) -> Result<Option<Self>, RecordError> {
        let path = folder.join("lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let lock = lock.map_err(spool("open", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { folder, lock: Arc::new(lock) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(spool("lock", &path)(error)),
        }
    }

    /// The lock, to be held by whoever works in the folder: it is open to recovery when the last one lets go.
    pub(crate) fn lock(&self) -> Arc<File> {
        Arc::clone(&self.lock)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn ring(&self) -> PathBuf {
        self.folder.join("handover.ring")
    }

    pub(crate) fn bundle(&self) -> PathBuf {
        self.folder.join("bundle")
    }

    /// Whether the machine was started anew since: then it was not just the gate that was killed.
    pub(crate) fn is_from_another_boot(&self) -> bool {
        fs::read_to_string(self.boot()).is_ok_and(|boot| boot != boot_id())
    }

    fn boot(&self) -> PathBuf {
        self.folder.join("boot")
    }

    /// Removes the folder, whose content is in the vault. It changes its name first: half of it is never taken for a session.
    pub(crate) fn remove(self) -> Result<(), RecordError> {
        // What is sealed needs no key any more; only this folder knows where it is.
        keys::forget(&self.folder).map_err(spool("forget the key of", &self.folder))?;
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        let done = self.folder.with_file_name(format!("{DONE}{name}"));
        fs::rename(&self.folder, &done).map_err(spool("rename", &self.folder))?;
        match fs::remove_dir_all(&done) {
            // Whoever looks through the spool removes what has this name, too.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(spool("remove", &done)),
        }
    }
}

/// Linux's name for the time since the machine was started.
fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

/// The folders of sessions in a spool, sorted by name. What was being removed when a gate was killed is removed now.
pub(crate) fn sessions(root: &Path) -> Result<Vec<PathBuf>, RecordError> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(spool("read", root))?,
    };
    for entry in entries {
        let entry = entry.map_err(spool("read", root))?;
        let path = entry.path();
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        if entry.file_name().to_string_lossy().starts_with(DONE) {
            match fs::remove_dir_all(&path) {
                // Whoever gave it that name is at it, too.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.map_err(spool("remove", &path))?,
            }
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_gone_when_done() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().join("spool");
        assert!(sessions(&root).unwrap().is_empty());
        let held = Spool::create(&root, "a").unwrap();
        assert!(matches!(Spool::create(&root, "a"), Err(RecordError::Taken(_))));
        assert!(Spool::open(root.join("a")).unwrap().is_none(), "locked");
        fs::create_dir(held.bundle()).unwrap();
        drop(held);
        fs::create_dir(root.join(".done-b")).unwrap();
        fs::write(root.join("stray"), "").unwrap();
        assert_eq!(sessions(&root).unwrap(), [root.join("a")]);
        assert!(!root.join(".done-b").exists());
        Spool::open(root.join("a")).unwrap().unwrap().remove().unwrap();
        assert!(sessions(&root).unwrap().is_empty() && !root.join("a").exists());
    }
}
