//! `[retention]`: how long recordings are kept and when they go, as an operator writes it.

use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;

/// The most days that a recording is kept: a hundred years.
const MOST_DAYS: u64 = 36_600;
/// The most hours between two looks: a month.
const MOST_HOURS: u64 = 744;

/// `[retention]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retention {
    keep_days: u64,
    every_hours: u64,
    pub(crate) dry_run: bool,
    replace_after_days: u64,
}

impl Retention {
    /// Refuses what could not be meant.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        if self.keep_days > MOST_DAYS {
            bail!("`retention.keep_days` must be at most {MOST_DAYS}; 0 is for ever");
        }
        if self.replace_after_days > MOST_DAYS {
            bail!("`retention.replace_after_days` must be at most {MOST_DAYS}; 0 is never");
        }
        if self.every_hours > MOST_HOURS {
            bail!("`retention.every_hours` must be at most {MOST_HOURS}; 0 is never");
        }
        Ok(())
    }

    /// How long recordings are kept of which no policy says; `None`: for ever.
    pub(crate) fn keep(&self) -> Option<Duration> {
        (self.keep_days > 0).then(|| Duration::from_secs(self.keep_days.saturating_mul(86_400)))
    }

    /// How long after its end the video of a recording that was encoded anew stays at least; `None`: always.
    pub(crate) fn replace_after(&self) -> Option<Duration> {
        (self.replace_after_days > 0).then(|| Duration::from_secs(self.replace_after_days.saturating_mul(86_400)))
    }

    /// How often is looked for what is due; `None`: never.
    pub(crate) fn every(&self) -> Option<Duration> {
        (self.every_hours > 0).then(|| Duration::from_secs(self.every_hours.saturating_mul(3600)))
    }
}
