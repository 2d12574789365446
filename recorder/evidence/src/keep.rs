//! How long a recording is kept: what was asked at its start, and until when that is once it has ended.
use serde::{Deserialize, Serialize};
use time::Duration;

use crate::stamp;

/// The longest that a recording is kept, in seconds: a hundred years.
pub const MAX_KEEP_SECONDS: u64 = 36_600 * 86_400;

/// How a recording is locked in the vault until it need not be kept any more, the firmer one greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepLock {
    /// Not at all.
    #[default]
    None,
    /// Only who has a right of its own may lift it.
    Governance,
    /// Nobody may lift it.
    Compliance,
}

/// `keep` of a manifest: what policy and configuration asked for when the session began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepTerms {
    /// How it is locked until then.
    pub lock: KeepLock,
    /// For how many seconds from its end on it is kept at least; at most [`MAX_KEEP_SECONDS`].
    pub seconds: u64,
}

/// `keep` of a seal: until when the recording is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// How it is locked until then.
    pub lock: KeepLock,
    /// Wall-clock time before which it does not go.
    pub until: String,
}

impl KeepTerms {
    /// The firmer lock and the longer time of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { lock: self.lock.max(other.lock), seconds: self.seconds.max(other.seconds) }
    }

    /// What comes of them when the session has `ended`.
    pub(crate) fn from(self, ended: &str) -> Option<Keep> {
        let span = Duration::seconds(i64::try_from(self.seconds.min(MAX_KEEP_SECONDS)).ok()?);
        let until = stamp::parse(ended)?.checked_add(span).filter(|until| until.year() <= 9999)?;
        Some(Keep { lock: self.lock, until: stamp::stamp(until) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_from_the_end() {
        let terms = KeepTerms { lock: KeepLock::Compliance, seconds: 86_400 };
        let longer = KeepTerms { lock: KeepLock::None, seconds: 2 * 86_400 };
        let keep = terms.and(longer).from("2026-02-28T12:00:00.000001Z").unwrap();
        assert_eq!(keep, Keep { lock: KeepLock::Compliance, until: "2026-03-02T12:00:00.000001Z".to_owned() });
        assert_eq!(terms.from("soon"), None);
        assert_eq!(terms.from("9999-12-31T12:00:00.000001Z"), None, "no time of this format");
    }
}
