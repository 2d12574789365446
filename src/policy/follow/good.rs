//! The last good commit, on disk, so that it outlives the gate.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::config::Policies;

/// Bytes of the file; one that is longer was not written by a gate.
const MOST_BYTES: u64 = 64 * 1024;
const NAME: &str = "good.json";

/// The last good commit, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Good {
    repository: String,
    branch: String,
    folder: String,
    /// Its full name.
    pub(super) commit: String,
    /// Who signed it, where only signed commits counted.
    pub(super) signer: Option<String>,
}

impl Good {
    pub(super) fn of(config: &Policies, commit: &str, signer: Option<String>) -> Self {
        let Policies { repository, branch, folder, .. } = config.clone();
        Self { repository, branch, folder, commit: commit.to_owned(), signer }
    }

    /// What is in the data folder, if it is of this repository, branch and folder.
    ///
    /// # Errors
    /// When there is a file and it cannot be read: which commit was the last good one must not be forgotten by accident.
    pub(super) fn load(data: &Path, config: &Policies) -> anyhow::Result<Option<Self>> {
        let path = data.join(NAME);
        let place = || format!("{} cannot be read; remove it to begin anew", path.display());
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(place),
        };
        let mut text = String::new();
        file.take(MOST_BYTES).read_to_string(&mut text).with_context(place)?;
        let good: Self = serde_json::from_str(&text).with_context(place)?;
        let same = good == Self::of(config, &good.commit, good.signer.clone());
        if !same {
            tracing::warn!(
                repository = good.repository,
                branch = good.branch,
                folder = good.folder,
                "another repository, branch or folder is followed than before: its history begins anew"
            );
        }
        Ok(same.then_some(good))
    }

    /// Writes it whole or not at all, and returns when it is on disk.
    ///
    /// # Errors
    /// When the disk is full or broken; what was there before is still there.
    pub(super) fn store(&self, data: &Path) -> anyhow::Result<()> {
        let (path, new) = (data.join(NAME), data.join("good.new"));
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(format!("{}\n", serde_json::to_string(self)?).as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &path)?;
        File::open(data)?.sync_all()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn it_is_read_back_for_the_same_repository_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::parse("[policies]\nrepository = \"/srv/a\"\n").unwrap().policies;
        assert_eq!(Good::load(folder.path(), &config).unwrap(), None);
        let good = Good::of(&config, "abc", Some("ann".to_owned()));
        good.store(folder.path()).unwrap();
        assert_eq!(Good::load(folder.path(), &config).unwrap(), Some(good));
        config.folder = "gate".into();
        assert_eq!(Good::load(folder.path(), &config).unwrap(), None);
        std::fs::write(folder.path().join(NAME), "{").unwrap();
        assert!(Good::load(folder.path(), &config).is_err());
    }
}
