//! One-time tickets: what a browser trades its token or sign-in for, and shows once to open a session's WebSocket.
//!
//! A ticket is 32 random bytes, good for 30 s, once, for one session and from one Origin. Only its SHA-256 is kept, so nothing that
//! reads this memory or a dump of it can use one. The lookup by hash needs no constant-time comparison: how far a wrong guess's hash
//! agrees with a stored one tells nothing about the ticket, because no guess can be steered towards a hash. The time is handed in.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// How long a ticket is good.
pub const LIFETIME: Duration = Duration::from_secs(30);
/// Tickets that wait to be redeemed at once. When full, none is issued until one is redeemed or expires.
pub const MAX_TICKETS: usize = 4096;
/// Of them, those of one session: one subject cannot use up everybody's.
pub const MAX_TICKETS_OF_SESSION: usize = 16;
/// Characters of a ticket: 32 bytes in base64url.
const LENGTH: usize = 43;

/// What a ticket is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who asked for it.
    pub subject: String,
    /// The session that it opens.
    pub session: String,
    /// The exact Origin of the request that asked; empty only when that had none.
    pub origin: String,
}

/// A ticket in the clear, to be handed to who asked and to nobody else. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(String);

impl Ticket {
    /// The text: 43 characters of base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(…)")
    }
}

/// Why there is no ticket, or why one opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TicketError {
    /// [`MAX_TICKETS`] wait to be redeemed.
    #[error("too many tickets are outstanding: try again in a few seconds")]
    Full,
    /// [`MAX_TICKETS_OF_SESSION`] of this session wait to be redeemed.
    #[error("too many tickets of this session are outstanding: use one, or try again in half a minute")]
    FullForSession,
    /// It was never issued, or it was used, or it expired long ago.
    #[error("the ticket is unknown or was used before: get a new one")]
    Unknown,
    /// Its 30 s are over.
    #[error("the ticket has expired: get a new one and use it within 30 s")]
    Expired,
    /// It is for another session.
    #[error("the ticket is for another session, and is used up now")]
    WrongSession,
    /// It was issued to a page of another Origin.
    #[error("the ticket was issued to another Origin, and is used up now")]
    WrongOrigin,
}

impl TicketError {
    /// The cause as a short word for events and metrics; it never changes for a cause.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::FullForSession => "full_for_session",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::WrongSession => "wrong_session",
            Self::WrongOrigin => "wrong_origin",
        }
    }
}

/// The tickets that wait to be redeemed.
#[derive(Debug, Default)]
pub struct Tickets {
    waiting: Mutex<HashMap<[u8; 32], Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    grant: Grant,
    expires: Instant,
}

impl Tickets {
    /// Issues a ticket for `grant`, good from `now` for [`LIFETIME`].
    ///
    /// # Errors
    /// [`TicketError::Full`] or [`TicketError::FullForSession`].
    pub fn issue(&self, grant: Grant, now: Instant) -> Result<Ticket, TicketError> {
        let ticket = Ticket(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
        let mut waiting = self.waiting();
        waiting.retain(|_, one| one.expires > now);
        if waiting.len() >= MAX_TICKETS {
            return Err(TicketError::Full);
        }
        if waiting.values().filter(|one| one.grant.session == grant.session).count() >= MAX_TICKETS_OF_SESSION {
            return Err(TicketError::FullForSession);
        }
        waiting.insert(hash(ticket.as_str()), Waiting { grant, expires: now.checked_add(LIFETIME).unwrap_or(now) });
        Ok(ticket)
    }

    /// Redeems a ticket for this session, shown from this Origin.
    ///
    /// INVARIANT: it is taken out before anything about it is checked, in one step: of any number of tries at once one gets it, and
    /// a stolen one that is shown in the wrong place is used up.
    ///
    /// # Errors
    /// Why it opens nothing.
    pub fn redeem(&self, ticket: &str, session: &str, origin: &str, now: Instant) -> Result<Grant, TicketError> {
        if ticket.len() != LENGTH {
            return Err(TicketError::Unknown);
        }
        let taken = self.waiting().remove(&hash(ticket));
        let Waiting { grant, expires } = taken.ok_or(TicketError::Unknown)?;
        if now >= expires {
            return Err(TicketError::Expired);
        }
        if grant.session != session {
            return Err(TicketError::WrongSession);
        }
        if grant.origin != origin {
            return Err(TicketError::WrongOrigin);
        }
        Ok(grant)
    }

    /// Every state between two calls is whole, so a panic elsewhere does not spoil the map.
    fn waiting(&self) -> MutexGuard<'_, HashMap<[u8; 32], Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(ticket: &str) -> [u8; 32] {
    Sha256::digest(ticket.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    const ORIGIN: &str = "https://gate.example";

    fn grant(session: &str) -> Grant {
        Grant { subject: "alice".into(), session: session.into(), origin: ORIGIN.into() }
    }

    #[test]
    fn a_ticket_opens_its_session_once() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let ticket = tickets.issue(grant("s-1"), now).unwrap();
        assert_eq!(ticket.as_str().len(), LENGTH);
        assert_eq!(tickets.redeem(ticket.as_str(), "s-1", ORIGIN, now), Ok(grant("s-1")));
        assert_eq!(tickets.redeem(ticket.as_str(), "s-1", ORIGIN, now), Err(TicketError::Unknown));
    }

    #[test]
    fn of_sixty_four_tries_at_once_exactly_one_wins() {
        const THREADS: usize = 64;
        let (tickets, now) = (Tickets::default(), Instant::now());
        for _ in 0..8 {
            let ticket = tickets.issue(grant("s-1"), now).unwrap();
            let start = Barrier::new(THREADS);
            let attempt = || {
                start.wait();
                tickets.redeem(ticket.as_str(), "s-1", ORIGIN, now)
            };
            let results: Vec<_> = thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(attempt)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
            assert_eq!(results.iter().filter(|result| **result == Err(TicketError::Unknown)).count(), THREADS - 1);
        }
    }

    #[test]
    fn a_stolen_ticket_that_is_shown_in_the_wrong_place_is_burnt() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        for (session, origin, expected) in [
            ("s-2", ORIGIN, TicketError::WrongSession),
            ("s-1", "https://evil.example", TicketError::WrongOrigin),
            ("s-1", "", TicketError::WrongOrigin),
            ("s-1", "https://gate.example:443", TicketError::WrongOrigin),
            ("s-1", "HTTPS://GATE.EXAMPLE", TicketError::WrongOrigin),
        ] {
            let ticket = tickets.issue(grant("s-1"), now).unwrap();
            assert_eq!(tickets.redeem(ticket.as_str(), session, origin, now), Err(expected));
            assert_eq!(tickets.redeem(ticket.as_str(), "s-1", ORIGIN, now), Err(TicketError::Unknown), "burnt");
        }
    }

    #[test]
    fn no_origin_is_a_binding_too() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let unbound = Grant { origin: String::new(), ..grant("s-1") };
        let ticket = tickets.issue(unbound.clone(), now).unwrap();
        assert_eq!(tickets.redeem(ticket.as_str(), "s-1", ORIGIN, now), Err(TicketError::WrongOrigin));
        let ticket = tickets.issue(unbound.clone(), now).unwrap();
        assert_eq!(tickets.redeem(ticket.as_str(), "s-1", "", now), Ok(unbound));
    }

    #[test]
    fn a_ticket_is_good_for_thirty_seconds() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let last = now + LIFETIME - Duration::from_nanos(1);
        let ticket = tickets.issue(grant("s-1"), now).unwrap();
        assert!(tickets.redeem(ticket.as_str(), "s-1", ORIGIN, last).is_ok());
        let ticket = tickets.issue(grant("s-1"), now).unwrap();
        assert_eq!(tickets.redeem(ticket.as_str(), "s-1", ORIGIN, now + LIFETIME), Err(TicketError::Expired));
    }

    #[test]
    fn other_texts_are_unknown() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let ticket = tickets.issue(grant("s-1"), now).unwrap();
        let near = format!("{}=", ticket.as_str());
        let long = "A".repeat(1 << 20);
        for text in ["", "x", &"A".repeat(LENGTH), &near, &near[..LENGTH - 1], &ticket.as_str().to_lowercase(), &long] {
            assert_eq!(tickets.redeem(text, "s-1", ORIGIN, now), Err(TicketError::Unknown), "{:.50}", text);
        }
        assert!(tickets.redeem(ticket.as_str(), "s-1", ORIGIN, now).is_ok(), "wrong guesses burn nothing");
    }

    #[test]
    fn the_store_is_bounded_and_the_expired_make_room() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        for number in 0..MAX_TICKETS {
            tickets.issue(grant(&format!("s-{}", number / MAX_TICKETS_OF_SESSION)), now).unwrap();
        }
        assert_eq!(tickets.issue(grant("one more"), now), Err(TicketError::Full));
        tickets.issue(grant("one more"), now + LIFETIME).unwrap();
        assert_eq!(tickets.waiting().len(), 1, "all the expired are gone");
    }

    #[test]
    fn one_session_cannot_use_up_the_store() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let first = tickets.issue(grant("s-1"), now).unwrap();
        for _ in 1..MAX_TICKETS_OF_SESSION {
            tickets.issue(grant("s-1"), now).unwrap();
        }
        assert_eq!(tickets.issue(grant("s-1"), now), Err(TicketError::FullForSession));
        assert!(tickets.issue(grant("s-2"), now).is_ok());
        tickets.redeem(first.as_str(), "s-1", ORIGIN, now).unwrap();
        assert!(tickets.issue(grant("s-1"), now).is_ok());
    }

    #[test]
    fn neither_the_ticket_nor_the_store_shows_it() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let (one, other) = (tickets.issue(grant("s-1"), now).unwrap(), tickets.issue(grant("s-1"), now).unwrap());
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), "Ticket(…)");
        assert!(!format!("{tickets:?}").contains(one.as_str()));
    }
}
