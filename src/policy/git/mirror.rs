//! The gate's own bare mirror of one branch: fetched within bounds, kept over restarts, never checked out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::Repository;
use super::remote;
use super::run::{Complaint, Group, Place, run};
use crate::config::Policies;

/// Where the branch's tip is kept after a fetch, and the last good commit, so that it is never collected.
const TIP: &str = "refs/portcullis/tip";
const GOOD: &str = "refs/portcullis/good";
/// What every command in the mirror is told beside what `run.rs` says: small memory, everything durable, what is fetched is checked.
const SETTINGS: [&str; 9] = [
    "core.bigFileThreshold=1m",
    "core.fsync=all",
    "fetch.fsckObjects=true",
    // Packs are kept as they come: what is unpacked into files of its own is many times as large.
    "fetch.unpackLimit=1",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "pack.threads=1",
    "gc.autoDetach=false",
    "maintenance.auto=false",
];
/// How often the limit of one fetch the whole mirror may take.
const ROOM: u64 = 3;
/// Files of packs, three or so for each fetch that brought something, above which they are packed into one.
const MOST_PACKED: usize = 64;
/// Folders in folders that are looked into for the mirror's size.
const DEEPEST: usize = 6;

/// A mirror of the repository that the configuration names.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Mirror {
    place: Place,
    path: PathBuf,
    config: Policies,
}

impl Mirror {
    /// The mirror in a folder of the gate's, made where it is missing or no repository any more, or is wanted anew.
    ///
    /// # Errors
    /// When git is not there or the folder cannot be written.
    pub(in crate::policy) fn open(folder: &Path, config: &Policies, anew: bool) -> anyhow::Result<Self> {
        let path = folder.join("mirror.git");
        // The one repository of this machine that is asked is the one that is configured, whoever owns it.
        fs::write(folder.join("gitconfig"), "[safe]\n\tdirectory = *\n")
            .with_context(|| format!("{} cannot be written", folder.display()))?;
        let mirror = Self { place: Place::Mirror(path.clone()), path, config: config.clone() };
        if anew || mirror.place.ask(&["rev-parse", "--is-bare-repository"], &[]).is_err() {
            if mirror.path.exists() {
                fs::remove_dir_all(&mirror.path).context("what is left of a mirror cannot be removed")?;
            }
            mirror.place.ask(&["init", "--quiet", "--bare", "--template=", "--initial-branch=none"], &[])?;
        }
        Ok(mirror)
    }

    /// Fetches the branch, and nothing else, and returns the full name of its tip.
    ///
    /// # Errors
    /// When the repository cannot be reached, has no such branch, or sends more or longer than it may.
    pub(in crate::policy) async fn fetch(&self) -> anyhow::Result<String> {
        self.unlock();
        self.make_room().await?;
        let Policies { repository, branch, .. } = &self.config;
        let refs = format!("+refs/heads/{branch}:{TIP}");
        self.bounded(&[
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--no-write-fetch-head",
            "--no-show-forced-updates",
            "--refmap=",
            "--",
            repository,
            &refs,
        ])
        .await?;
        let mirror = self.clone();
        tokio::task::spawn_blocking(move || mirror.commit(TIP)).await?
    }

    /// Whether a commit is another one or comes after it.
    ///
    /// # Errors
    /// When git cannot be asked. A commit that the mirror does not have is one that nothing descends from.
    pub(in crate::policy) fn descends(&self, commit: &str, from: &str) -> anyhow::Result<bool> {
        if self.commit(from).is_err() {
            return Ok(false);
        }
        let mut command = self.place.command();
        command.args(["merge-base", "--is-ancestor", from, commit]);
        let said = run(command, &[])?;
        match said.status.code() {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => bail!("git merge-base failed: {}", said.complaint),
        }
    }

    /// A commit as it is signed: headers and message.
    ///
    /// # Errors
    /// When it is not there.
    pub(in crate::policy) fn raw(&self, commit: &str) -> anyhow::Result<Vec<u8>> {
        self.place.ask(&["cat-file", "commit", commit], &[])
    }

    /// Keeps a commit from being collected.
    ///
    /// # Errors
    /// When it is not there or the disk is full.
    pub(in crate::policy) fn keep(&self, commit: &str) -> anyhow::Result<()> {
        self.place.ask(&["-c", "core.fsync=all", "update-ref", GOOD, commit], &[]).map(drop)
    }

    /// The files of the configured folder.
    pub(in crate::policy) fn files(&self) -> Repository {
        let folder = &self.config.folder;
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        Repository { place: self.place.clone(), prefix }
    }

    fn commit(&self, name: &str) -> anyhow::Result<String> {
        self.files().commit(name)
    }

    /// Runs a command that writes to the mirror, within time and size. It is ended with all that it started when nobody waits for it any more.
    async fn bounded(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let Policies { max_mib, fetch_seconds, .. } = self.config;
        let mut command = self.place.bounded(max_mib.saturating_mul(1024 * 1024));
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.args(arguments);
        remote::equip(&mut command, &self.config)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut command = tokio::process::Command::from(command);
        let mut child = command.process_group(0).spawn().context("git cannot be started: is it installed?")?;
        let leader = Leader(child.id().map(Group::led_by));
        let mut stderr = child.stderr.take();
        let mut complaint = Complaint::default();
        let ended = timeout(Duration::from_secs(fetch_seconds), async {
            let mut bytes = [0; 1024];
            while let Some(stderr) = stderr.as_mut() {
                match stderr.read(&mut bytes).await? {
                    0 => break,
                    count => complaint.add(bytes.get(..count).unwrap_or_default()),
                }
            }
            child.wait().await
        });
        let Ok(status) = ended.await else { bail!("it took longer than `policies.fetch_seconds`, {fetch_seconds} s") };
        leader.forget();
        let (status, said) = (status?, complaint.shown());
        // A child of git's that ran into its limits says nothing itself; these are the words of those who waited for it.
        let bounds = ["signal 25", "File too large", "index-pack", "out of memory"];
        ensure!(
            status.success() || !bounds.iter().any(|word| said.contains(word)),
            "it may send more than the {max_mib} MiB of `policies.max_mib`, or nothing that is sound: {said}"
        );
        ensure!(status.success(), "git {} failed: {said}", arguments.first().unwrap_or(&""));
        Ok(())
    }

    /// Removes locks that a killed git left behind: nobody else writes here.
    fn unlock(&self) {
        for folder in ["", "refs/portcullis", "objects/pack"] {
            let entries = fs::read_dir(self.path.join(folder)).into_iter().flatten().flatten();
            for path in entries.map(|entry| entry.path()) {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if name.ends_with(".lock") || name == "gc.pid" || name.starts_with("tmp_") {
                    let _ = fs::remove_file(&path);
                }
            }
        }
    }

    /// Packs many packs into one, and drops what nothing leads to any more, before the mirror becomes larger than it may be.
    async fn make_room(&self) -> anyhow::Result<()> {
        let most = self.config.max_mib.saturating_mul(1024 * 1024).saturating_mul(ROOM);
        let packed = fs::read_dir(self.path.join("objects/pack")).map_or(0, Iterator::count);
        if packed > MOST_PACKED || size(&self.path, DEEPEST) > most {
            self.bounded(&["gc", "--prune=now", "--quiet"]).await.context("the mirror cannot be packed")?;
        }
        let bytes = size(&self.path, DEEPEST);
        ensure!(bytes <= most, "the mirror has {bytes} bytes, over {ROOM} times `policies.max_mib`: raise it");
        Ok(())
    }
}

impl std::fmt::Display for Mirror {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Policies { repository, branch, folder, .. } = &self.config;
        write!(f, "{repository} {branch}")?;
        if folder.is_empty() { Ok(()) } else { write!(f, ":{folder}") }
    }
}

/// Ends a child's group if it is dropped before the child was waited for.
struct Leader(Option<Group>);

impl Leader {
    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            group.end();
        }
    }
}

/// Bytes of the files in a folder and those below it.
fn size(folder: &Path, depth: usize) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.fold(0, |sum: u64, entry| {
        let bytes = match entry.metadata() {
            Ok(found) if found.is_dir() && depth > 0 => size(&entry.path(), depth.saturating_sub(1)),
            Ok(found) => found.len(),
            Err(_) => 0,
        };
        sum.saturating_add(bytes)
    })
}
