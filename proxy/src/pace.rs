//! Token buckets: how often something may happen, with room for a burst; time is handed in.

use std::time::{Duration, Instant};

use serde::Deserialize;

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// A second, on average.
    pub per_second: u32,
    /// At once.
    pub burst: u32,
}

impl Rate {
    /// So often a second on average, and so often at once.
    #[must_use]
    pub const fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second, burst }
    }

    /// A full bucket.
    pub(crate) fn pace(self) -> Pace {
        Pace::new(self.per_second, self.burst)
    }
}

/// A token bucket: `rate` per second on average, `burst` at once.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    interval: Duration,
    burst: u32,
    /// The instant at which the bucket will be full again.
    full_at: Option<Instant>,
}

impl Pace {
    /// A full bucket. A rate of 0 is taken as 1 per second.
    pub(crate) fn new(rate: u32, burst: u32) -> Self {
        Self::every(Duration::from_secs(1) / rate.max(1), burst)
    }

    /// A full bucket that gains one in each interval.
    pub(crate) fn every(interval: Duration, burst: u32) -> Self {
        Self { interval, burst: burst.max(1), full_at: None }
    }

    /// How long to wait until one more may happen; zero when it may happen now.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        let room = self.interval * (self.burst - 1);
        self.full_at.and_then(|full| full.checked_duration_since(now)).unwrap_or_default().saturating_sub(room)
    }

    /// Takes one, whether or not it was due: callers that must not exceed the rate ask [`Pace::wait`] first.
    pub(crate) fn take(&mut self, now: Instant) {
        self.take_many(1, now);
    }

    /// Takes as many, whether or not they were due.
    pub(crate) fn take_many(&mut self, count: u32, now: Instant) {
        let from = self.full_at.filter(|full| *full > now).unwrap_or(now);
        self.full_at = Some(from + self.interval * count);
    }

    /// Takes one if it is due.
    pub(crate) fn try_take(&mut self, now: Instant) -> bool {
        let due = self.wait(now).is_zero();
        if due {
            self.take(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_at_once_and_then_the_rate_holds() {
        let start = Instant::now();
        let mut pace = Pace::new(10, 3);
        assert_eq!((0..5).filter(|_| pace.try_take(start)).count(), 3);
        assert_eq!(pace.wait(start), Duration::from_millis(100));
        let taken = (0..1000u64).filter(|ms| pace.try_take(start + Duration::from_millis(*ms))).count();
        assert!((9..=10).contains(&taken), "{taken} in one second");
    }

    #[test]
    fn rest_refills_no_more_than_the_burst() {
        let start = Instant::now();
        let mut pace = Pace::new(10, 3);
        pace.take(start);
        let later = start + Duration::from_secs(60);
        assert_eq!((0..9).filter(|_| pace.try_take(later)).count(), 3);
    }
}
