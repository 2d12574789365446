//! Slows down sign-in attempts: one token bucket for all of them, one for each peer address, and one for each account.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Attempts of all peers together: this many at once, then one each second.
const ALL: Rate = Rate { burst: 100.0, per_second: 1.0 };

/// Attempts of one peer: this many at once, then one every three seconds.
const PEER: Rate = Rate { burst: 20.0, per_second: 1.0 / 3.0 };

/// The same of sign-ins that begin at a provider: nothing is guessed by these, and everybody comes at nine.
const WAYS: Rate = Rate { burst: 400.0, per_second: 10.0 };
const WAYS_PEER: Rate = Rate { burst: 30.0, per_second: 1.0 };

/// Peers that are told apart. When so many are short of attempts at the same time, further ones are
/// held by the bucket for all alone.
const MAX_PEERS: usize = 1024;

/// So many at once, and then so many a second.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) burst: f64,
    pub(crate) per_second: f64,
}

/// The buckets; shared by all requests.
pub(crate) struct Throttle {
    buckets: Mutex<Buckets>,
    all: Rate,
    peer: Rate,
}

struct Buckets {
    all: Bucket,
    peers: HashMap<IpAddr, Bucket>,
}

impl Throttle {
    /// Full buckets, for guesses of links and passwords.
    pub(crate) fn new(now: Instant) -> Self {
        Throttle::at(ALL, PEER, now)
    }

    /// Full buckets, for sign-ins that begin at a provider.
    pub(crate) fn of_ways(now: Instant) -> Self {
        Throttle::at(WAYS, WAYS_PEER, now)
    }

    fn at(all: Rate, peer: Rate, now: Instant) -> Self {
        Throttle { buckets: Mutex::new(Buckets { all: Bucket::full(all, now), peers: HashMap::new() }), all, peer }
    }

    /// Takes one attempt, or says how long to wait for the next. An attempt that is refused costs nothing.
    pub(crate) fn attempt(&self, peer: Option<IpAddr>, now: Instant) -> Result<(), Duration> {
        let mut guard = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Buckets { all, peers } = &mut *guard;
        let rate = self.peer;
        let peer = peer.map(network).filter(|peer| make_room(peers, peer, rate, now));
        let Some(peer) = peer else { return all.take(self.all, now) };
        let bucket = peers.entry(peer).or_insert_with(|| Bucket::full(rate, now));
        bucket.wait(rate, now).map_or(Ok(()), Err)?;
        all.take(self.all, now)?;
        bucket.take(rate, now)
    }
}

/// Whether `peer` has a bucket or may have one; peers with a full bucket are forgotten to make room.
fn make_room(peers: &mut HashMap<IpAddr, Bucket>, peer: &IpAddr, rate: Rate, now: Instant) -> bool {
    if peers.contains_key(peer) || peers.len() < MAX_PEERS {
        return true;
    }
    peers.retain(|_, bucket| !bucket.is_full(rate, now));
    peers.len() < MAX_PEERS
}

/// What counts as one peer: an IPv4 address, or the /64 that an IPv6 host can pick addresses from.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

/// A token bucket.
#[derive(Clone, Copy)]
pub(crate) struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    pub(crate) fn full(rate: Rate, now: Instant) -> Self {
        Bucket { tokens: rate.burst, at: now }
    }

    pub(crate) fn is_full(&self, rate: Rate, now: Instant) -> bool {
        self.tokens_at(rate, now) >= rate.burst
    }

    fn tokens_at(&self, rate: Rate, now: Instant) -> f64 {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * rate.per_second;
        (self.tokens + gained).min(rate.burst)
    }

    /// How long until a token is there; `None` when one is.
    fn wait(&self, rate: Rate, now: Instant) -> Option<Duration> {
        let missing = 1.0 - self.tokens_at(rate, now);
        (missing > 0.0).then(|| Duration::from_secs_f64(missing / rate.per_second))
    }

    /// Takes a token, or says how long to wait for the next.
    pub(crate) fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        self.wait(rate, now).map_or(Ok(()), Err)?;
        *self = Bucket { tokens: self.tokens_at(rate, now) - 1.0, at: now };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: u32) -> Option<IpAddr> {
        Some(IpAddr::V4(n.into()))
    }

    #[test]
    fn a_peer_has_its_burst_and_then_waits() {
        let start = Instant::now();
        let throttle = Throttle::new(start);
        for _ in 0..20 {
            assert_eq!(throttle.attempt(peer(1), start), Ok(()));
        }
        let wait = throttle.attempt(peer(1), start).unwrap_err();
        assert!(wait > Duration::from_millis(2900) && wait <= Duration::from_millis(3001), "{wait:?}");
        assert_eq!(throttle.attempt(peer(2), start), Ok(()), "another peer is not held by the first");
        assert_eq!(throttle.attempt(peer(1), start + Duration::from_millis(3001)), Ok(()));
        assert!(throttle.attempt(peer(1), start + Duration::from_millis(3002)).is_err());
    }

    #[test]
    fn all_peers_together_have_a_limit_and_memory_is_bounded() {
        let start = Instant::now();
        let throttle = Throttle::new(start);
        let let_in = (0..5000).filter(|n| throttle.attempt(peer(*n), start).is_ok()).count();
        assert_eq!(let_in, 100);
        assert!(throttle.buckets.lock().unwrap().peers.len() <= MAX_PEERS);
        assert!(throttle.attempt(None, start).is_err());
        assert_eq!(throttle.attempt(None, start + Duration::from_secs(2)), Ok(()));
    }

    #[test]
    fn ipv6_counts_by_its_64_and_mapped_ipv4_as_ipv4() {
        let [one, same, other, mapped, plain] =
            ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1", "::ffff:10.0.0.1", "10.0.0.1"]
                .map(|text| network(text.parse().unwrap()));
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_eq!(mapped, plain);
    }
}
