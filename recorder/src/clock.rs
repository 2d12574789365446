//! The media clock: microseconds since a session's start, never falling.
use std::time::{Duration, Instant};

/// A media clock. Tests bring their own.
pub(crate) trait Clock: Send + Sync {
    /// Microseconds since the session's start.
    fn now_us(&self) -> u64;
}

/// The clock of a live session: monotonic, indifferent to steps of the wall clock.
pub(crate) struct SinceStart(Instant);

impl SinceStart {
    pub(crate) fn now() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SinceStart {
    fn now_us(&self) -> u64 {
        micros(self.0.elapsed())
    }
}

/// A duration in whole microseconds.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
