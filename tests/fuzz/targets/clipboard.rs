//! Extended clipboard messages to either side: any body, in any pieces, means the same, and is read in one form within its limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::pieces;
use portcullis_rfb::clipboard::{Delivery, Event as Clipboard};
use portcullis_rfb::{Limits, Size, desktop, viewer};

/// So that texts at the limit are within reach.
const MOST: u32 = 300;

/// The flags of a message that the first byte chooses: an action, text or not, and another bit.
fn flags(mode: u8) -> u32 {
    let action = 1 << (24 + u32::from(mode & 7));
    action | u32::from(mode >> 3 & 1) | u32::from(mode >> 4 & 1) << (mode >> 5)
}

/// Messages: each begins with two bytes, its mode and its length.
fn messages(kind: u8, mut data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let [mode, length, rest @ ..] = data {
        let (body, behind) = rest.split_at(usize::from(*length).min(rest.len()));
        let size = -i32::try_from(body.len() + 4).expect("short");
        bytes.extend([kind, 0, 0, 0]);
        bytes.extend(size.to_be_bytes());
        bytes.extend(flags(*mode).to_be_bytes());
        bytes.extend(body);
        data = behind;
    }
    bytes
}

fn limits() -> Limits {
    Limits { clipboard_text: MOST, ..Limits::default() }
}

/// All that a desktop's messages become, once it has been asked; its error; and what was said to it.
fn of_desktop(bytes: &[u8], seed: u8) -> (Vec<desktop::Event>, Option<String>) {
    let mut rfb = desktop::Connection::new(desktop::Config { limits: limits(), ..desktop::Config::default() });
    let mut handshake = b"RFB 003.008\n\x01\x01\0\0\0\0\0\x40\0\x30".to_vec();
    handshake.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    handshake.extend([3, 0, 0, 0, 0xff, 0xff, 0xff, 0xf8, 0x1f, 0, 0, 1, 0, 0, 0, 0]);
    rfb.receive(&handshake).expect("the handshake and caps");
    assert_eq!(rfb.cut_text(&"held".into()), Delivery::Offered);
    while rfb.request_cut_text() {}
    let mut events = Vec::new();
    for piece in pieces(bytes, seed) {
        match rfb.receive(piece) {
            Ok(more) => events.extend(more),
            Err(error) => return (events, Some(error.to_string())),
        }
        assert!(rfb.take_output().len() < 1024, "it made us say much");
    }
    (events, None)
}

fn of_viewer(bytes: &[u8], seed: u8) -> (Vec<viewer::Event>, Option<String>) {
    let size = Size { width: 40, height: 30 };
    let config = viewer::Config { name: "desk".into(), size, limits: limits(), jpeg: false };
    let mut rfb = viewer::Connection::new(config);
    rfb.receive(b"RFB 003.008\n\x01\x01\x02\0\0\x01\xc0\xa1\xe5\xce").expect("the handshake and encodings");
    assert_eq!(rfb.cut_text(&"held".into()), Delivery::Offered);
    while rfb.request_cut_text() {}
    let mut events = Vec::new();
    for piece in pieces(bytes, seed) {
        match rfb.receive(piece) {
            Ok(more) => events.extend(more),
            Err(error) => return (events, Some(error.to_string())),
        }
        assert!(rfb.take_output().len() < 1024, "it made us say much");
    }
    (events, None)
}

fn check(event: &Clipboard) {
    if let Clipboard::Text(text) = event {
        assert!(text.bytes() <= u64::from(MOST) && !text.as_str().contains(['\r', '\0']));
    }
}

fuzz_target!(|data: &[u8]| {
    let [seed, data @ ..] = data else { return };
    let bytes = messages(3, data);
    let (events, end) = of_desktop(&bytes, 0);
    let (again, other) = of_desktop(&bytes, seed | 1);
    assert_eq!(end, other);
    assert!(if end.is_some() { again.starts_with(&events) } else { again == events });
    for event in &again {
        if let desktop::Event::Clipboard(event) = event {
            check(event);
        }
    }
    let bytes = messages(6, data);
    let (events, end) = of_viewer(&bytes, 0);
    let (again, other) = of_viewer(&bytes, seed | 1);
    assert_eq!(end, other);
    assert!(if end.is_some() { again.starts_with(&events) } else { again == events });
    for event in &again {
        if let viewer::Event::Clipboard(event) = event {
            check(event);
        }
    }
});
