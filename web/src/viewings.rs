//! Which viewings are on the record already, so that a player that asks for the next segment is not told as a new viewing.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::audit::Part;
use crate::secret::Hash;

/// A viewing goes on while something of it is asked for within this time.
const LASTS: Duration = Duration::from_secs(30 * 60);

/// Viewings that are remembered. When so many go on at once all are forgotten: the record then tells some
/// viewings twice, and none not at all.
const MAX_VIEWINGS: usize = 4096;

/// One sign-in looking at something.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Viewing {
    pub(crate) sign_in: Hash,
    pub(crate) at: At,
}

/// What is looked at.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum At {
    /// One part of one recording.
    Recording { id: String, part: Part },
    /// What a search for this finds.
    Search { query: BTreeMap<String, String> },
}

/// The viewings that go on.
#[derive(Default)]
pub(crate) struct Viewings(Mutex<HashMap<Viewing, Instant>>);

impl Viewings {
    /// Whether this viewing is on the record; if so, it goes on.
    pub(crate) fn goes_on(&self, viewing: &Viewing, now: Instant) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(viewing) {
            Some(last) if now.saturating_duration_since(*last) < LASTS => {
                *last = now;
                true
            }
            _ => false,
        }
    }

    /// Remembers a viewing that has been put on the record.
    pub(crate) fn begin(&self, viewing: Viewing, now: Instant) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_VIEWINGS {
            all.retain(|_, last| now.saturating_duration_since(*last) < LASTS);
        }
        if all.len() >= MAX_VIEWINGS {
            all.clear();
        }
        all.insert(viewing, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewing(n: usize) -> Viewing {
        Viewing { sign_in: [7; 32], at: At::Recording { id: n.to_string(), part: Part::Video } }
    }

    #[test]
    fn a_viewing_is_new_once_and_again_after_a_pause() {
        let (viewings, start) = (Viewings::default(), Instant::now());
        assert!(!viewings.goes_on(&viewing(1), start));
        viewings.begin(viewing(1), start);
        assert!(viewings.goes_on(&viewing(1), start + LASTS / 2));
        assert!(viewings.goes_on(&viewing(1), start + LASTS));
        assert!(!viewings.goes_on(&viewing(1), start + LASTS * 2));
        assert!(!viewings.goes_on(&Viewing { at: At::Search { query: BTreeMap::new() }, ..viewing(1) }, start));
        assert!(!viewings.goes_on(&Viewing { sign_in: [8; 32], ..viewing(1) }, start));
    }

    #[test]
    fn memory_is_bounded() {
        let (viewings, start) = (Viewings::default(), Instant::now());
        for n in 0..MAX_VIEWINGS * 2 + 5 {
            viewings.begin(viewing(n), start);
        }
        assert!(viewings.0.lock().unwrap().len() <= MAX_VIEWINGS);
    }
}
