//! `[files]`: how files in and out of desktops are carried and scanned.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use portcullis_evidence::Recipients;
use portcullis_proxy::files::{Clamd, Depot, FilesConfig, Quarantine};
use serde::Deserialize;

use crate::data::Data;

/// MiB that any size may be given: a tebibyte.
const LARGEST: u64 = 1 << 20;
/// Seconds that any wait may be given.
const LONGEST: u64 = 86_400;
/// The most days that a quarantined copy is kept: a hundred years.
const MOST_DAYS: u64 = 36_600;
/// Files that may be under way at once.
const MOST: u64 = 1024;

/// `[files]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Files {
    clamd: String,
    scan_seconds: u64,
    largest_mib: u64,
    session_mib: u64,
    keep_free_mib: u64,
    at_once: u64,
    session_at_once: u64,
    idle_seconds: u64,
    resting_seconds: u64,
    quarantine_mib: u64,
    quarantine_days: u64,
}

impl Files {
    /// Refuses what could not work.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        for (key, value, most) in [
            ("scan_seconds", self.scan_seconds, LONGEST),
            ("largest_mib", self.largest_mib, LARGEST),
            ("session_mib", self.session_mib, LARGEST),
            ("at_once", self.at_once, MOST),
            ("session_at_once", self.session_at_once, MOST),
            ("idle_seconds", self.idle_seconds, LONGEST),
            ("resting_seconds", self.resting_seconds, LONGEST),
        ] {
            if !(1..=most).contains(&value) {
                bail!("`files.{key}` must be from 1 to {most}");
            }
        }
        if self.quarantine_mib > LARGEST {
            bail!("`files.quarantine_mib` must be at most {LARGEST}");
        }
        if self.quarantine_days > MOST_DAYS {
            bail!("`files.quarantine_days` must be at most {MOST_DAYS}; 0 is for ever");
        }
        if self.keep_free_mib > LARGEST {
            bail!("`files.keep_free_mib` must be at most {LARGEST}");
        }
        self.scanner().map(drop)
    }

    /// The scanner, where there is one.
    pub(crate) fn scanner(&self) -> anyhow::Result<Option<Clamd>> {
        if self.clamd.is_empty() {
            return Ok(None);
        }
        let within = Duration::from_secs(self.scan_seconds);
        Clamd::at(&self.clamd, within).map(Some).map_err(|error| anyhow!("`files.clamd`: {error}"))
    }

    /// The gate's place for files.
    pub(crate) fn depot(&self, data: &Data, recipients: Option<Recipients>) -> anyhow::Result<Arc<Depot>> {
        let mib = |count: u64| count.saturating_mul(1 << 20);
        let config = FilesConfig {
            recipients: recipients.map(Arc::new),
            scanner: self.scanner()?,
            largest: mib(self.largest_mib),
            session_bytes: mib(self.session_mib),
            keep_free: mib(self.keep_free_mib),
            at_once: usize::try_from(self.at_once)?,
            session_at_once: usize::try_from(self.session_at_once)?,
            idle: Duration::from_secs(self.idle_seconds),
            resting: Duration::from_secs(self.resting_seconds),
            ..self.quarantining(data)
        };
        Depot::open(config).context("the folders for files cannot be made")
    }

    /// The folder of quarantined copies, for a program beside the gate.
    pub(crate) fn quarantine(&self, data: &Data) -> anyhow::Result<Quarantine> {
        Quarantine::open(&self.quarantining(data)).context("quarantined copies cannot be looked through")
    }

    fn quarantining(&self, data: &Data) -> FilesConfig {
        let keep = Duration::from_secs(self.quarantine_days.saturating_mul(86_400));
        FilesConfig {
            quarantine_bytes: self.quarantine_mib.saturating_mul(1 << 20),
            quarantine_keep: Some(keep).filter(|keep| !keep.is_zero()),
            ..FilesConfig::within(data.root())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn checked(text: &str) -> Result<(), String> {
        let config = Config::parse(&format!("[files]\n{text}\n")).map_err(|error| error.to_string())?;
        config.files.check().map_err(|error| error.to_string())
    }

    #[test]
    fn what_could_not_work_is_refused_by_name() {
        checked("clamd = \"unix:/run/clamav/clamd.ctl\"").unwrap();
        checked("clamd = \"127.0.0.1:3310\"").unwrap();
        for (text, word) in [
            ("clamd = \"clamd\"", "`files.clamd`"),
            ("clamd = \"unix:clamd\"", "begins with a slash"),
            ("largest_mib = 0", "files.largest_mib"),
            ("at_once = 5000", "files.at_once"),
            ("quarantine_days = 40000", "files.quarantine_days"),
            ("scanner = \"x\"", "files.scanner"),
        ] {
            let error = checked(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
