//! The data folder: its places, made private, and locked to one gate at a time.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};

/// The places within a data folder.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    root: PathBuf,
}

impl Data {
    /// The folder, made with mode 0700 where it is missing.
    pub(crate) fn open(root: &Path) -> anyhow::Result<Self> {
        let data = Self { root: root.to_owned() };
        for folder in [root.to_owned(), data.keys(), data.spool(), data.vault(), data.journal(), data.run()] {
            private(&folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        }
        Ok(data)
    }

    /// The folder as it is, made or not: for reading.
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Holds the folder for this process until the file is dropped.
    pub(crate) fn lock(&self) -> anyhow::Result<File> {
        let path = self.root.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            bail!("another gate is using {}; stop it, or choose another folder with --data", self.root.display());
        }
        Ok(file)
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.root.join("spool")
    }

    pub(crate) fn vault(&self) -> PathBuf {
        self.root.join("vault")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// How far each destination of events is.
    pub(crate) fn alerts(&self) -> PathBuf {
        self.root.join("alerts")
    }

    /// Where desktops have their sockets; each sees its own folder alone, mounted into its jail or container.
    pub(crate) fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The mirror of the repository that policies come from, made where it is missing.
    pub(crate) fn policy(&self) -> anyhow::Result<PathBuf> {
        let folder = self.root.join("policy");
        private(&folder).with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        Ok(folder)
    }

    /// Where files lie until their verdict, and where quarantined copies do.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn revoked(&self) -> PathBuf {
        self.root.join("revoked.jsonl")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("portcullis.db")
    }
}

fn private(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
