//! What a viewer sends after its handshake: any bytes, in any pieces, mean the same; updates between them are encoded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::pieces;
use portcullis_rfb::viewer::{Config, Connection, Event};
use portcullis_rfb::{Change, Limits, Rect, Screen, Size};

const SIZE: Size = Size { width: 40, height: 30 };

fn connection() -> Connection {
    let mut rfb = Connection::new(Config { name: "desk".into(), size: SIZE, limits: Limits::default(), jpeg: true });
    assert!(matches!(rfb.receive(b"RFB 003.008\n\x01\x01").as_deref(), Ok([Event::Ready { .. }])), "the handshake");
    rfb
}

/// The bytes taken in pieces, with the screen painted after each of them where `screen` is given.
fn outcome(bytes: &[u8], seed: u8, mut screen: Option<Screen>) -> (Vec<Event>, Option<String>) {
    let mut rfb = connection();
    let mut events = Vec::new();
    for piece in pieces(bytes, seed) {
        match rfb.receive(piece) {
            Ok(more) => events.extend(more),
            Err(error) => return (events, Some(error.to_string())),
        }
        if let Some(screen) = &mut screen {
            let rect = Rect::new(u16::from(piece[0] % 20), u16::from(seed % 20), 9, 7);
            let pixels = [piece[0], seed, 7, 0].repeat(9 * 7);
            screen.apply(&[Change::Pixels { rect, pixels }]).expect("it fits");
            rfb.grant_refresh();
            if rfb.wants_update() && let Err(error) = rfb.update(screen) {
                return (events, Some(error.to_string()));
            }
            rfb.take_output();
        }
    }
    (events, None)
}

fuzz_target!(|data: &[u8]| {
    let [mode, bytes @ ..] = data else { return };
    let (events, end) = outcome(bytes, 0, None);
    let (again, other) = outcome(bytes, mode | 1, None);
    assert_eq!(end, other);
    assert!(if end.is_some() { again.starts_with(&events) } else { again == events });
    for event in &events {
        if let Event::Pointer(pointer) = event {
            assert!(pointer.buttons & 0x80 == 0 && pointer.at.x < SIZE.width && pointer.at.y < SIZE.height);
        }
    }
    if mode & 6 == 6 {
        outcome(bytes, mode | 1, Some(Screen::new(SIZE)));
    }
});
