//! Conversations with a scripted desktop: what it writes is built here, what is said to it is compared byte for byte.

mod clipboard;
mod encoders;
mod handshake;
mod hextile;
mod hostile;
mod jpeg;
mod messages;
mod rre;
mod security;
mod specks;
mod split;
mod streams;
mod tight;
mod updates;
mod writers;
mod zrle;

use super::*;
use crate::clipboard::Delivery;
use crate::geometry::{Point, Rect};
use crate::wire::Encoding;

/// What every conversation says once ServerInit has come.
const CANONICAL: [u8; 56] = canonical();

#[rustfmt::skip]
const fn canonical() -> [u8; 56] {
    [
        0, 0, 0, 0,                     // SetPixelFormat, padding
        32, 24, 0, 1,                   // bits-per-pixel, depth, big-endian-flag, true-colour-flag
        0, 255, 0, 255, 0, 255,         // red-max, green-max, blue-max
        16, 8, 0, 0, 0, 0,              // red-shift, green-shift, blue-shift, padding
        2, 0, 0, 8,                     // SetEncodings, padding, number-of-encodings
        0, 0, 0, 1,                     // CopyRect
        0, 0, 0, 0,                     // Raw
        0xff, 0xff, 0xff, 0x11,         // Cursor, -239
        0xff, 0xff, 0xfe, 0xcc,         // ExtendedDesktopSize, -308
        0xff, 0xff, 0xff, 0x21,         // DesktopSize, -223
        0xff, 0xff, 0xff, 0x20,         // LastRect, -224
        0xff, 0xff, 0xfe, 0xfe,         // QEMU Extended Key Event, -258
        0xc0, 0xa1, 0xe5, 0xce,         // Extended Clipboard
    ]
}

/// ServerInit of a desktop with a pixel format that nobody wants.
fn server_init(width: u16, height: u16, name: &[u8]) -> Vec<u8> {
    let mut bytes = [width.to_be_bytes(), height.to_be_bytes()].concat();
    bytes.extend([8, 8, 1, 0xff, 0, 7, 0, 7, 0, 3, 0, 3, 6, 1, 2, 3]);
    bytes.extend((name.len() as u32).to_be_bytes());
    bytes.extend(name);
    bytes
}

/// What a 3.8 desktop with security None writes until it awaits messages.
fn greeting(width: u16, height: u16) -> Vec<u8> {
    [b"RFB 003.008\n\x01\x01\0\0\0\0".to_vec(), server_init(width, height, b"desk")].concat()
}

/// Everything that is decoded.
const ALL: Encodings = Encodings::remote(Jpeg::Quality(6));

/// A connection to a desktop of this size, its handshake done and its output taken.
fn ready(width: u16, height: u16) -> Connection {
    ready_for(Encodings::local(), width, height)
}

/// The same with a desktop that is asked for these.
fn ready_for(encodings: Encodings, width: u16, height: u16) -> Connection {
    let mut connection = Connection::new(Config { encodings, ..Config::default() });
    let events = connection.receive(&greeting(width, height)).unwrap();
    assert_eq!(events, [Event::Ready { size: Size::new(width, height), name: "desk".to_owned() }]);
    connection.take_output();
    connection
}

/// A rectangle of an update.
fn rect(rect: Rect, encoding: Encoding, body: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = [rect.x, rect.y, rect.width, rect.height].iter().flat_map(|n| n.to_be_bytes()).collect();
    bytes.extend(encoding.0.to_be_bytes());
    bytes.extend(body);
    bytes
}

/// An update that counts its rectangles as `count`.
fn update_of(count: u16, rects: &[Vec<u8>]) -> Vec<u8> {
    [vec![0, 0], count.to_be_bytes().to_vec(), rects.concat()].concat()
}

/// An update of these rectangles.
fn update(rects: &[Vec<u8>]) -> Vec<u8> {
    update_of(rects.len() as u16, rects)
}

/// The body of an ExtendedDesktopSize with these screen ids.
fn layout(ids: &[u32]) -> Vec<u8> {
    let mut bytes = vec![ids.len() as u8, 0xaa, 0xaa, 0xaa];
    for id in ids {
        bytes.extend(id.to_be_bytes());
        bytes.extend([0xee; 12]);
    }
    bytes
}

/// The changes of one update that is all of `bytes`.
fn changes(connection: &mut Connection, bytes: &[u8]) -> Vec<Change> {
    let mut events = connection.receive(bytes).unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
    match events.remove(0) {
        Event::Update(changes) => changes,
        other => panic!("{other:?} is not an update"),
    }
}

/// The pixels of a rectangle of this size on a desktop of the same, in one piece and byte by byte.
fn decoded(encoding: Encoding, width: u16, height: u16, body: &[u8]) -> Vec<[u8; 4]> {
    let place = Rect::new(0, 0, width, height);
    let bytes = update(&[rect(place, encoding, body)]);
    let at_once = changes(&mut ready_for(ALL, width, height), &bytes);
    let mut connection = ready_for(ALL, width, height);
    let one_by_one: Vec<Event> = bytes.iter().flat_map(|byte| connection.receive(&[*byte]).unwrap()).collect();
    assert_eq!(one_by_one, [Event::Update(at_once.clone())]);
    match &at_once[..] {
        [Change::Pixels { rect, pixels }] if *rect == place => pixels.as_chunks().0.to_vec(),
        other => panic!("{other:?}"),
    }
}

/// Field and reason of the refusal of a rectangle of this size on a desktop of the same.
fn refused_body(encoding: Encoding, width: u16, height: u16, body: &[u8]) -> String {
    let error =
        refusal_by(|| ready_for(ALL, width, height), &update(&[rect(Rect::new(0, 0, width, height), encoding, body)]));
    assert_eq!((error.message, error.field), ("FramebufferUpdate", format!("rectangle 0 {encoding}")));
    error.reason
}

/// The refusal of these bytes by a desktop of 64x48, the same in any chunking.
fn refusal(bytes: &[u8]) -> ProtocolError {
    refusal_by(|| ready(64, 48), bytes)
}

/// The refusal of these bytes by connections that are alike, the same in any chunking.
fn refusal_by(ready: impl Fn() -> Connection, bytes: &[u8]) -> ProtocolError {
    let at_once = ready().receive(bytes).unwrap_err();
    let mut connection = ready();
    let one_by_one = bytes.iter().find_map(|byte| connection.receive(&[*byte]).err());
    assert_eq!(one_by_one.as_ref(), Some(&at_once));
    assert_eq!(connection.receive(b"").unwrap_err(), at_once, "broken stays broken");
    at_once
}
