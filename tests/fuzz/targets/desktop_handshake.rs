//! A desktop's handshake, for each kind of security: any bytes, in any pieces, mean the same, and no secret leaves before its time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::pieces;
use portcullis_rfb::desktop::{Config, Connection, Event, Login, Security, VncPassword};

const PASSWORD: &[u8] = b"hunter12";

fn security(mode: u8) -> Security {
    let vnc = VncPassword::new(PASSWORD).expect("a password");
    match mode % 5 {
        0 => Security::None,
        1 => Security::VncAuth(vnc),
        2 => Security::X509None,
        3 => Security::X509Vnc(vnc),
        _ => Security::X509Plain(Login::new("ann", PASSWORD).expect("a login")),
    }
}

/// What came of a conversation: events, the error that ended it, what was said in clear and what within TLS.
#[derive(Debug, PartialEq)]
struct Outcome {
    events: Vec<Event>,
    end: Option<String>,
    clear: Vec<u8>,
    within: Vec<u8>,
}

fn outcome(mode: u8, clear: &[u8], within: &[u8], seed: u8) -> Outcome {
    let mut rfb = Connection::new(Config { security: security(mode), ..Config::default() });
    let mut outcome = Outcome { events: Vec::new(), end: None, clear: Vec::new(), within: Vec::new() };
    for piece in pieces(clear, seed) {
        match rfb.receive(piece) {
            Ok(events) => outcome.events.extend(events),
            Err(error) => {
                outcome.end = Some(error.to_string());
                return outcome;
            }
        }
        outcome.clear.extend(rfb.take_output());
    }
    if outcome.events != [Event::StartTls] {
        return outcome;
    }
    rfb.secured();
    outcome.within.extend(rfb.take_output());
    for piece in pieces(within, seed) {
        match rfb.receive(piece) {
            Ok(events) => outcome.events.extend(events),
            Err(error) => {
                outcome.end = Some(error.to_string());
                return outcome;
            }
        }
        outcome.within.extend(rfb.take_output());
    }
    outcome
}

fuzz_target!(|data: &[u8]| {
    let [mode, cut, bytes @ ..] = data else { return };
    let (clear, within) = bytes.split_at(usize::from(*cut).min(bytes.len()));
    let whole = outcome(*mode, clear, within, 0);
    let again = outcome(*mode, clear, within, mode | 2);
    assert_eq!(whole.end, again.end);
    if whole.end.is_none() {
        assert_eq!(whole, again);
    }
    let says = |said: &[u8]| said.windows(PASSWORD.len()).any(|window| window == PASSWORD);
    assert!(!says(&again.clear), "the password in clear");
    if security(*mode).vencrypt_type().is_some() {
        // Version, type, VeNCrypt's version, sub-type: there is no room for an answer to a challenge.
        assert!(again.clear.len() <= 12 + 1 + 2 + 4, "more than the negotiation in clear");
        assert!(!again.events.iter().any(|event| matches!(event, Event::Ready { .. })) || again.events[0] == Event::StartTls);
    }
});
