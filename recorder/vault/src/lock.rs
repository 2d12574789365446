//! What keeps an object from being changed or removed before its time.
use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;

/// How firmly an object is locked, the firmer one greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockMode {
    /// Only who has a right of its own (`s3:BypassGovernanceRetention`) may remove the object.
    Governance,
    /// Nobody may, not even the owner of the bucket.
    Compliance,
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Governance => "governance",
            Self::Compliance => "compliance",
        })
    }
}

/// A lock that objects get when they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// How firm it is.
    pub mode: LockMode,
    /// For how long from when the object is stored.
    pub keep: Duration,
}

/// What keeps an object, as what stores it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Guarded {
    /// Its lock, and until when.
    pub lock: Option<(LockMode, OffsetDateTime)>,
    /// Whether there is a legal hold on it.
    pub held: bool,
}

impl Lock {
    /// The firmer mode and the longer time of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { mode: self.mode.max(other.mode), keep: self.keep.max(other.keep) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_locks_each_half_counts() {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        let (short, long) =
            (Lock { mode: LockMode::Compliance, keep: days(1) }, Lock { mode: LockMode::Governance, keep: days(9) });
        let both = Lock { mode: LockMode::Compliance, keep: days(9) };
        assert_eq!((short.and(long), long.and(short)), (both, both));
    }
}
