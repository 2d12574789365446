//! A session's folder under the run folder: where its socket lies, and what its runtime notes beside it.
//!
//! `<run>/<session>/` belongs to the gate; `rfb/` in it is the one place of the machine that the desktop may write to.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::RuntimeError;
use super::account::Account;
use super::socket::SOCKET;
use crate::SessionId;

/// Most entries that are removed from `rfb/`; a desktop that left more leaves a folder behind, and a line in the log.
const MAX_LEFTOVERS: usize = 1000;

/// One session's folder; removed by [`SessionFolder::remove`].
#[derive(Debug)]
pub(super) struct SessionFolder {
    path: PathBuf,
}

impl SessionFolder {
    /// Makes `<run>/<session>` with an `rfb/` for `account`, and marks it as the `runtime`'s.
    pub(super) fn create(
        run: &Path,
        session: &SessionId,
        runtime: &str,
        account: &Account,
    ) -> Result<Self, RuntimeError> {
        let folder = Self { path: run.join(session.to_string()) };
        folder.prepare(run, runtime, account).map_err(|source| {
            folder.remove();
            folder.failure(source)
        })?;
        Ok(folder)
    }

    fn prepare(&self, run: &Path, runtime: &str, account: &Account) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(run)?;
        make(&self.path, 0o700)?;
        File::create_new(self.path.join(runtime))?;
        make(&self.rfb(), 0o700)?;
        if account.other {
            chown(self.rfb(), Some(account.uid), Some(account.gid))?;
        }
        Ok(())
    }

    /// Folders of earlier sessions that are marked as the `runtime`'s; none when there is no run folder yet.
    pub(super) fn left_behind(run: &Path, runtime: &str) -> Result<Vec<Self>, RuntimeError> {
        let failed = |source| RuntimeError::Folder { path: run.to_owned(), source };
        let entries = match fs::read_dir(run) {
            Ok(entries) => entries,
            Err(none) if none.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(failed(source)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.join(runtime).is_file() {
                found.push(Self { path });
            }
        }
        Ok(found)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The desktop's name.
    pub(super) fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The folder that the desktop sees as `/run/egress`, read-only, where it has a way out.
    pub(super) fn egress(&self) -> PathBuf {
        self.path.join("egress")
    }

    /// The folder that the desktop sees as `/run/rfb`.
    pub(super) fn rfb(&self) -> PathBuf {
        self.path.join("rfb")
    }

    /// Where the desktop's socket is to lie.
    pub(super) fn socket(&self) -> PathBuf {
        self.rfb().join(SOCKET)
    }

    /// Makes a folder in it that everybody may read, for what the desktop is shown.
    pub(super) fn make(&self, name: &str) -> Result<PathBuf, RuntimeError> {
        let made = self.path.join(name);
        make(&made, 0o755).map_err(|source| self.failure(source))?;
        Ok(made)
    }

    /// What to say when something in it fails.
    pub(super) fn failure(&self, source: io::Error) -> RuntimeError {
        RuntimeError::Folder { path: self.path.clone(), source }
    }

    /// Takes `rfb/` from the desktop once its socket is there, so that it cannot fill the disk with it. Only root can.
    pub(super) fn close_rfb(&self) {
        if rustix::process::geteuid().is_root()
            && let Err(error) = chown(self.rfb(), Some(0), Some(0))
        {
            tracing::warn!(folder = %self.path.display(), %error, "the desktop's socket folder stays writable");
        }
    }

    /// Removes the folder. `rfb/` may hold anything, so it is cleared one level deep only; what cannot be removed is left, and said.
    pub(super) fn remove(&self) {
        if let Err(error) = self.try_remove()
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(folder = %self.path.display(), %error, "a session's folder could not be removed");
        }
    }

    fn try_remove(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.rfb()).into_iter().flatten().take(MAX_LEFTOVERS) {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() { fs::remove_dir(path)? } else { fs::remove_file(path)? }
        }
        match fs::remove_dir(self.rfb()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => fs::remove_dir_all(&self.path),
        }
    }
}

fn make(folder: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    fn folder(run: &Path) -> SessionFolder {
        let me = Account { uid: 0, gid: 0, other: false };
        SessionFolder::create(run, &SessionId::generate(), "process", &me).unwrap()
    }

    #[test]
    fn removal_follows_no_link_and_leaves_nothing() {
        let place = TempDir::new().unwrap();
        let (kept, run) = (place.path().join("kept"), place.path().join("run"));
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "").unwrap();
        let folder = folder(&run);
        symlink(&kept, folder.rfb().join("link")).unwrap();
        fs::write(folder.rfb().join("file"), "").unwrap();
        fs::create_dir(folder.rfb().join("empty")).unwrap();

        folder.remove();
        assert!(kept.join("file").is_file() && !folder.path().exists());
        folder.remove();
    }

    #[test]
    fn what_is_too_deep_is_left_and_found_again() {
        let place = TempDir::new().unwrap();
        let folder = folder(place.path());
        fs::create_dir_all(folder.rfb().join("a/b")).unwrap();
        folder.remove();
        assert_eq!(SessionFolder::left_behind(place.path(), "process").unwrap().len(), 1);
        assert_eq!(SessionFolder::left_behind(place.path(), "docker").unwrap().len(), 0);
    }

    #[test]
    fn one_session_has_one_folder() {
        let place = TempDir::new().unwrap();
        let (session, me) = (SessionId::generate(), Account { uid: 0, gid: 0, other: false });
        SessionFolder::create(place.path(), &session, "process", &me).unwrap();
        assert!(matches!(
            SessionFolder::create(place.path(), &session, "process", &me),
            Err(RuntimeError::Folder { .. })
        ));
    }
}
