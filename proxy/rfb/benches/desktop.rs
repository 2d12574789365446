//! How fast pixels come in: raw frames of 1920x1080 in reads of 64 KiB, parsed, and parsed and put on the screen.

#![allow(clippy::unwrap_used, clippy::as_conversions, reason = "a bench: it may panic, and it divides sizes by times")]

use std::hint::black_box;
use std::time::Instant;

use portcullis_rfb::desktop::{Config, Connection, Event};
use portcullis_rfb::{Change, Screen, Size};

const SIZE: Size = Size::new(1920, 1080);
const READ: usize = 64 * 1024;
const FRAMES: u32 = 200;

fn main() {
    let frame = frame();
    let mut connection = Connection::new(Config::default());
    connection.receive(&greeting()).unwrap();
    let mut screen = Screen::new(SIZE);
    report("memcpy", frame.len(), || drop(black_box(frame.clone())));
    report("parse", frame.len(), || drop(black_box(parse(&mut connection, &frame))));
    report("parse, apply", frame.len(), || {
        screen.apply(&parse(&mut connection, &frame)).unwrap();
    });
}

fn parse(connection: &mut Connection, frame: &[u8]) -> Vec<Change> {
    connection.request_update(true);
    connection.take_output();
    let events = frame.chunks(READ).flat_map(|read| connection.receive(read).unwrap());
    events.fold(Vec::new(), |changes, event| if let Event::Update(update) = event { update } else { changes })
}

fn report(what: &str, bytes: usize, mut run: impl FnMut()) {
    (0..FRAMES / 10).for_each(|_| run());
    let started = Instant::now();
    (0..FRAMES).for_each(|_| run());
    let each = started.elapsed() / FRAMES;
    println!("{what:<14} {each:>10.1?} a frame  {:>6.2} GB/s", bytes as f64 / each.as_nanos() as f64);
}

fn greeting() -> Vec<u8> {
    let mut bytes = b"RFB 003.008\n\x01\x01\0\0\0\0".to_vec();
    bytes.extend(SIZE.width.to_be_bytes());
    bytes.extend(SIZE.height.to_be_bytes());
    bytes.extend([0; 20]);
    bytes
}

fn frame() -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 1, 0, 0, 0, 0];
    bytes.extend(SIZE.width.to_be_bytes());
    bytes.extend(SIZE.height.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend((0..SIZE.area()).flat_map(|pixel| (pixel as u32).wrapping_mul(2_654_435_761).to_le_bytes()));
    bytes
}
