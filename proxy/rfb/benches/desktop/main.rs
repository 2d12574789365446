//! How fast pixels come in: raw frames of 1920x1080 in reads of 64 KiB, parsed, and parsed and put on the screen; and what a real
//! Xvnc sends of two pictures in Raw, Tight and ZRLE, decoded by the gate and by vnc-rs in turn.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a bench: it may panic, and it divides sizes by times"
)]

#[path = "../../tests/harness/mod.rs"]
mod harness;
mod players;
mod recorded;

use std::hint::black_box;
use std::time::{Duration, Instant};

use portcullis_rfb::desktop::{Config, Connection, Event};
use portcullis_rfb::wire::Encoding;
use portcullis_rfb::{Change, Screen, Size};
use vnc::VncEncoding;

const SIZE: Size = Size::new(1920, 1080);
const READ: usize = 64 * 1024;
const FRAMES: u32 = 200;
/// How often each recording is played by each.
const ROUNDS: usize = 15;

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
    drop(screen);
    beside_vnc_rs();
}

/// What is asked for, and what vnc-rs calls it: of JPEG it passes the bytes on, so there is nothing to compare.
const WISHES: [(&str, &[Encoding], Option<VncEncoding>); 4] = [
    ("Raw", &[Encoding::RAW], Some(VncEncoding::Raw)),
    ("Tight", &[Encoding::TIGHT, Encoding::RAW], Some(VncEncoding::Tight)),
    ("ZRLE", &[Encoding::ZRLE, Encoding::RAW], Some(VncEncoding::Zrle)),
    ("JPEG", &[Encoding::TIGHT, Encoding::RAW, Encoding(Encoding::JPEG_QUALITY_0.0 + 6)], None),
];

/// Each recording played by both in turn; the middle of their times.
fn beside_vnc_rs() {
    println!("\npicture  sent as  KB a frame  portcullis ms  vnc-rs ms  ratio");
    let desktop = harness::Xvnc::start(&SIZE.to_string());
    for (name, picture) in [("office", harness::painter::office(SIZE)), ("photo", harness::painter::photo(SIZE))] {
        desktop.painter().paint(SIZE, &picture);
        for (sent_as, wishes, theirs) in WISHES {
            let session = recorded::session(desktop.connect(), wishes);
            let (mut ours, mut others) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                ours.push(players::gate(&session));
                others.extend(theirs.map(|encoding| players::vnc_rs(&session, encoding)));
            }
            let bytes = session.len() / 1000 / recorded::FRAMES as usize;
            print!("{name:<8} {sent_as:<8} {bytes:>10} {:>14.2}", middle(&mut ours));
            match theirs {
                Some(_) => println!(" {:>10.2} {:>6.2}", middle(&mut others), middle(&mut ours) / middle(&mut others)),
                None => println!(" {:>10} {:>6}", "-", "-"),
            }
        }
    }
}

/// Milliseconds a frame.
fn middle(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0 / f64::from(recorded::FRAMES)
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
