//! Tickets: whatever is shown, only the one that was issued opens anything, once, where it was issued for.
#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use portcullis_proxy::ticket::{Grant, Tickets};

fuzz_target!(|data: (String, String, String)| {
    let (shown, session, origin) = data;
    let (tickets, now) = (Tickets::default(), Instant::now());
    let grant = Grant { subject: "alice".into(), session: "s-1".into(), origin: "https://gate.example".into() };
    let ticket = tickets.issue(grant.clone(), now).expect("there is room");
    assert!(tickets.redeem(&shown, &session, &origin, now).is_err());
    let place = session == grant.session && origin == grant.origin;
    assert_eq!(tickets.redeem(ticket.as_str(), &session, &origin, now).is_ok(), place);
    assert!(tickets.redeem(ticket.as_str(), &grant.session, &grant.origin, now).is_err(), "used up");
});
