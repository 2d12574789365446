//! What a desktop sends after its handshake: any bytes, in any pieces, mean the same, fit the screen, and cost no more than their bound.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::pieces;
use portcullis_rfb::desktop::{Config, Connection, Encodings, Event, Jpeg};
use portcullis_rfb::{Change, Limits, Screen, Size};

/// Bits of the first byte: all encodings are asked for; the screen is that of a machine at its start.
const REMOTE: u8 = 1;
const LARGE: u8 = 4;

fn size(mode: u8) -> Size {
    if mode & LARGE == 0 { Size { width: 64, height: 48 } } else { Size { width: 720, height: 400 } }
}

fn connection(mode: u8) -> Connection {
    let limits = Limits { framebuffer: Size { width: 800, height: 600 }, ..Limits::default() };
    let encodings = if mode & REMOTE == 0 { Encodings::local() } else { Encodings::remote(Jpeg::Quality(6)) };
    let mut rfb = Connection::new(Config { limits, encodings, ..Config::default() });
    let mut handshake = b"RFB 003.008\n\x01\x01\0\0\0\0".to_vec();
    handshake.extend(size(mode).width.to_be_bytes());
    handshake.extend(size(mode).height.to_be_bytes());
    handshake.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(matches!(rfb.receive(&handshake).as_deref(), Ok([Event::Ready { .. }])), "the handshake");
    rfb.request_update(false);
    rfb
}

/// What came of the bytes: the events, and how it ended.
fn outcome(bytes: &[u8], mode: u8, seed: u8) -> (Vec<Event>, Option<String>) {
    let mut rfb = connection(mode);
    let mut events = Vec::new();
    for piece in pieces(bytes, seed) {
        match rfb.receive(piece) {
            Ok(more) => events.extend(more),
            Err(error) => return (events, Some(error.to_string())),
        }
    }
    (events, None)
}

fuzz_target!(|data: &[u8]| {
    let [mode, bytes @ ..] = data else { return };
    let (events, end) = outcome(bytes, *mode, 0);
    let (again, other) = outcome(bytes, *mode, mode | 2);
    assert_eq!(end, other);
    // Whole, an error hides the events that came with it; in pieces they were told before.
    assert!(if end.is_some() { again.starts_with(&events) } else { again == events });
    let mut screen = Screen::new(size(*mode));
    for event in again {
        if let Event::Update(changes) = event {
            screen.apply(&changes).expect("what was parsed fits the screen");
            for change in &changes {
                if let Change::Pixels { pixels, .. } = change {
                    assert!(pixels.chunks_exact(4).all(|pixel| pixel[3] == 0), "the fourth byte crosses");
                }
            }
        }
    }
});
