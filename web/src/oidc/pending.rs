//! Sign-ins that have begun and are at a provider: each is taken once, within ten minutes, by the browser that began it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use openidconnect::PkceCodeVerifier;

use crate::secret::Hash;

/// How long somebody may be at the provider.
pub(crate) const LASTS: Duration = Duration::from_secs(10 * 60);
/// Sign-ins that may be under way: more than the throttle lets begin in that time. A further one takes the place of the oldest.
const MOST: usize = 8192;

/// What has to be remembered until somebody comes back.
pub(crate) struct Pending {
    /// At which provider.
    pub(crate) provider: String,
    /// The hash of the cookie of the browser that began.
    pub(crate) browser: Hash,
    pub(crate) nonce: String,
    pub(crate) verifier: PkceCodeVerifier,
    /// Where the provider sends the browser: part of what it checks.
    pub(crate) redirect: String,
    /// The path of a page of ours to go on to.
    pub(crate) to: String,
    /// The sign-in that this one takes the place of. A cookie of SameSite=Strict does not come back with the browser.
    pub(crate) before: Option<Hash>,
    pub(crate) began: Instant,
}

/// By the hash of the state.
#[derive(Default)]
pub(crate) struct Pendings(Mutex<HashMap<Hash, Pending>>);

impl Pendings {
    pub(crate) fn add(&self, state: Hash, pending: Pending) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = pending.began;
        if all.len() >= MOST {
            all.retain(|_, one| now.saturating_duration_since(one.began) < LASTS);
        }
        if all.len() >= MOST {
            let oldest = all.iter().min_by_key(|(_, one)| one.began).map(|(state, _)| *state);
            oldest.and_then(|state| all.remove(&state));
        }
        all.insert(state, pending);
    }

    /// INVARIANT: a state is good once: whoever names it takes it.
    pub(crate) fn take(&self, state: &Hash, now: Instant) -> Option<Pending> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(state).filter(|one| now.saturating_duration_since(one.began) < LASTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(began: Instant) -> Pending {
        Pending {
            provider: "corp".into(),
            browser: [0; 32],
            nonce: String::new(),
            verifier: PkceCodeVerifier::new("v".repeat(43)),
            redirect: String::new(),
            to: "/".into(),
            before: None,
            began,
        }
    }

    fn state(n: usize) -> Hash {
        let mut state = [0; 32];
        state[..8].copy_from_slice(&n.to_be_bytes());
        state
    }

    #[test]
    fn a_state_is_taken_once_and_in_time() {
        let (all, start) = (Pendings::default(), Instant::now());
        all.add(state(1), pending(start));
        all.add(state(2), pending(start));
        assert!(all.take(&state(3), start).is_none());
        assert!(all.take(&state(1), start).is_some());
        assert!(all.take(&state(1), start).is_none());
        assert!(all.take(&state(2), start + LASTS).is_none());
    }

    #[test]
    fn they_are_bounded_and_the_oldest_give_way() {
        let (all, start) = (Pendings::default(), Instant::now());
        for n in 0..=MOST {
            all.add(state(n), pending(start + Duration::from_millis(u64::try_from(n).unwrap())));
        }
        let later = start + Duration::from_secs(9);
        assert_eq!(all.0.lock().unwrap().len(), MOST);
        assert!(all.take(&state(0), later).is_none() && all.take(&state(MOST), later).is_some());
    }
}
