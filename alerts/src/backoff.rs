//! Waits between two tries: doubled from try to try, with chance in them so that many gates do not come back at once.

use std::time::Duration;

use rand::RngExt;

/// The first wait.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait that is not asked for.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest wait that a receiver may ask for (`Retry-After`).
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// The wait after so many failures in a row (from 1), at least as long as the receiver asked for.
pub(crate) fn wait(failures: u32, asked: Option<Duration>) -> Duration {
    let doubled = FIRST.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX)).min(LONGEST);
    let chance: f64 = rand::rng().random_range(0.5..1.0);
    doubled.mul_f64(chance).max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_their_bound() {
        for (failures, most) in [(1, 500), (2, 1000), (5, 8000), (8, 60_000), (40, 60_000), (u32::MAX, 60_000)] {
            let wait = wait(failures, None);
            let most = Duration::from_millis(most);
            assert!(wait <= most && wait >= most / 2, "{failures}: {wait:?}");
        }
        assert_eq!(wait(1, Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(wait(1, Some(Duration::MAX)), LONGEST_ASKED);
    }
}
