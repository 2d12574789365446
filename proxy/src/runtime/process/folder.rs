//! A session's folder under the run folder: what the jail reads, where its socket lies, and the note of what runs.
//!
//! `<run>/<session>/` belongs to the gate; `etc/` is shown to the desktop read-only; `rfb/` is the one place it may write.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::account::Account;
use crate::runtime::template::Process;
use crate::runtime::{RuntimeError, socket};

/// The file with the processes of the desktop, for the gate that comes after a killed one.
pub(super) const LEDGER: &str = "desktop.json";
/// Most entries that are removed from `rfb/`; a desktop that left more leaves a folder behind, and a line in the log.
const MAX_LEFTOVERS: usize = 1000;

/// One session's folder; removed by [`SessionFolder::remove`].
pub(super) struct SessionFolder {
    path: PathBuf,
}

impl SessionFolder {
    /// Makes `<run>/<session>` with everything that the jail shows its desktop.
    pub(super) fn create(
        run: &Path,
        session: &str,
        account: &Account,
        process: &Process,
    ) -> Result<Self, RuntimeError> {
        let folder = Self { path: run.join(session) };
        folder.fill(run, account, process).map_err(|source| {
            folder.remove();
            RuntimeError::Folder { path: folder.path.clone(), source }
        })?;
        Ok(folder)
    }

    fn fill(&self, run: &Path, account: &Account, process: &Process) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(run)?;
        make(&self.path, 0o700)?;
        make(&self.rfb(), 0o700)?;
        if account.other {
            chown(self.rfb(), Some(account.uid), Some(account.gid))?;
        }
        make(&self.etc(), 0o755)?;
        for (name, text) in [
            ("desktop.sh", include_str!("../../../../images/desktop/desktop.sh")),
            ("openbox.xml", include_str!("../../../../images/desktop/openbox.xml")),
            ("Xdefaults", include_str!("../../../../images/desktop/Xdefaults")),
            ("programs.sh", &programs(&process.programs)),
            ("passwd", &format!("desktop:x:{}:{}:desktop:{HOME}:/bin/bash\n", account.uid, account.gid)),
            ("group", &format!("desktop:x:{}:\n", account.gid)),
        ] {
            let file = self.etc().join(name);
            fs::write(&file, text)?;
            fs::set_permissions(&file, Permissions::from_mode(0o644))?;
        }
        Ok(())
    }

    /// Folders of earlier sessions in `run`; none when there is no such folder yet.
    pub(super) fn left_behind(run: &Path) -> Result<Vec<Self>, RuntimeError> {
        let failed = |source| RuntimeError::Folder { path: run.to_owned(), source };
        let entries = match fs::read_dir(run) {
            Ok(entries) => entries,
            Err(none) if none.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(failed(source)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.join("etc/desktop.sh").is_file() {
                found.push(Self { path });
            }
        }
        Ok(found)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What the jail shows at `/run/desktop`, read-only.
    pub(super) fn etc(&self) -> PathBuf {
        self.path.join("etc")
    }

    /// What the jail shows at `/run/rfb`.
    pub(super) fn rfb(&self) -> PathBuf {
        self.path.join("rfb")
    }

    /// Where the desktop's socket is to lie.
    pub(super) fn socket(&self) -> PathBuf {
        self.rfb().join(socket::SOCKET)
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

/// The home of the desktop's user, inside its jail.
pub(super) const HOME: &str = "/home/desktop";

fn make(folder: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(mode))
}

/// The shell text that starts the template's programs in order and notes the end of each.
fn programs(commands: &[Vec<String>]) -> String {
    let mut text = String::from(
        "start() { ( \"$@\" </dev/null >/dev/null 2>&1; echo \"portcullis: $1 ended with status $?\" >&2 ) & }\n",
    );
    for command in commands {
        text.push_str("start");
        for word in command {
            text.push_str(" '");
            text.push_str(&word.replace('\'', r"'\''"));
            text.push('\'');
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_reach_the_program_as_they_are_written() {
        let command =
            ["printf", "%s|", "a b", "it's", "$HOME `id` \\ \"", "line\nbreak", ""].map(str::to_owned).to_vec();
        let script = programs(&[command]).replace(
            "( \"$@\" </dev/null >/dev/null 2>&1; echo \"portcullis: $1 ended with status $?\" >&2 ) &",
            "\"$@\"; ",
        );
        let said = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8(said.stdout).unwrap(), "a b|it's|$HOME `id` \\ \"|line\nbreak||");
    }
}
