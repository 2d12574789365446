//! Slows down guesses at the password of one account, without letting a stranger keep its owner out.
//!
//! An account has one bucket for all the places that nobody has signed in to it from, and one for each place that somebody has: who
//! guesses from elsewhere empties the first, and its owner comes in by the second. Nothing is ever locked.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::throttle::{Bucket, Rate, network};

/// Guesses at one account from places that it does not know: this many at once, then one every half minute.
const STRANGERS: Rate = Rate { burst: 10.0, per_second: 1.0 / 30.0 };
/// Attempts from a place where its password was typed right.
const KNOWN: Rate = Rate { burst: 10.0, per_second: 1.0 / 5.0 };
/// Accounts, and places, that are told apart: of more of them the fullest bucket is forgotten.
const MOST: usize = 4096;

/// The buckets.
#[derive(Default)]
pub(crate) struct Pace(Mutex<Buckets>);

#[derive(Default)]
struct Buckets {
    accounts: HashMap<String, Bucket>,
    places: HashMap<(String, IpAddr), Bucket>,
}

impl Pace {
    /// Takes an attempt at this account, or says how long to wait for the next.
    pub(crate) fn attempt(&self, name: &str, peer: Option<IpAddr>, now: Instant) -> Result<(), Duration> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Buckets { accounts, places } = &mut *guard;
        let place = peer.map(|peer| (name.to_owned(), network(peer)));
        if let Some(bucket) = place.and_then(|place| places.get_mut(&place)) {
            return bucket.take(KNOWN, now);
        }
        make_room(accounts, STRANGERS, now);
        accounts.entry(name.to_owned()).or_insert_with(|| Bucket::full(STRANGERS, now)).take(STRANGERS, now)
    }

    /// Remembers where the password was typed right.
    pub(crate) fn succeeded(&self, name: &str, peer: Option<IpAddr>, now: Instant) {
        let Some(peer) = peer else { return };
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut guard.places, KNOWN, now);
        guard.places.insert((name.to_owned(), network(peer)), Bucket::full(KNOWN, now));
    }
}

/// Forgets what matters least once there is no room: buckets that are full are as good as new ones, and then any.
fn make_room<K: Hash + Eq + Clone>(buckets: &mut HashMap<K, Bucket>, rate: Rate, now: Instant) {
    if buckets.len() >= MOST {
        let full = buckets.iter().find(|(_, bucket)| bucket.is_full(rate, now)).or_else(|| buckets.iter().next());
        full.map(|(key, _)| key.clone()).and_then(|key| buckets.remove(&key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: u32) -> Option<IpAddr> {
        Some(IpAddr::V4(n.into()))
    }

    #[test]
    fn guesses_from_everywhere_are_held_and_the_owner_comes_in() {
        let (pace, start) = (Pace::default(), Instant::now());
        pace.attempt("alice", peer(7), start).unwrap();
        pace.succeeded("alice", peer(7), start);
        let guessed = (100..1000).filter(|n| pace.attempt("alice", peer(*n), start).is_ok()).count();
        assert_eq!(guessed, 9);
        let wait = pace.attempt("alice", peer(1), start).unwrap_err();
        assert!(wait > Duration::from_secs(29) && wait < Duration::from_secs(31), "{wait:?}");
        assert!(pace.attempt("alice", peer(7), start).is_ok(), "the owner, from where they were");
        assert!(pace.attempt("bob", peer(1), start).is_ok(), "another account");
        assert!(pace.attempt("alice", peer(1), start + Duration::from_secs(31)).is_ok(), "it is never locked");
    }

    #[test]
    fn a_known_place_has_its_limit_too_and_memory_is_bounded() {
        let (pace, start) = (Pace::default(), Instant::now());
        pace.succeeded("alice", peer(7), start);
        assert_eq!((0..50).filter(|_| pace.attempt("alice", peer(7), start).is_ok()).count(), 10);
        for n in 0..10_000 {
            let _ = pace.attempt(&n.to_string(), peer(1), start);
            pace.succeeded("alice", peer(n), start);
        }
        let buckets = pace.0.lock().unwrap();
        assert!(buckets.accounts.len() <= MOST && buckets.places.len() <= MOST);
    }
}
