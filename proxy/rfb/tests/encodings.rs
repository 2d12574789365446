//! The desktop's side against real desktops in each encoding: what they show is what was painted on them, pixel by pixel.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod harness;

use std::cell::Cell;
use std::os::unix::net::UnixStream;

use harness::painter::{blocks, office, photo};
use harness::{Gate, Qemu, Xvnc};
use portcullis_rfb::desktop::{Config, Encodings, Jpeg};
use portcullis_rfb::wire::Encoding;
use portcullis_rfb::{Point, Pointer, Size};

const SIZE: Size = Size::new(400, 300);

/// Each alone, and all of them as they are asked for.
const LOSSLESS: [(&str, Encodings); 6] = [
    ("Raw", Encodings::local()),
    ("Tight", Encodings::of(&[Encoding::TIGHT], Jpeg::Refused)),
    ("ZRLE", Encodings::of(&[Encoding::ZRLE], Jpeg::Refused)),
    ("Hextile", Encodings::of(&[Encoding::HEXTILE], Jpeg::Refused)),
    ("RRE", Encodings::of(&[Encoding::RRE], Jpeg::Refused)),
    ("all", Encodings::remote(Jpeg::Refused)),
];

fn gate(socket: UnixStream, encodings: Encodings) -> Gate {
    let mut gate = Gate::new(socket, Config { encodings, ..Config::default() });
    gate.until("the handshake", |gate| gate.connection.is_ready());
    // Xvnc paints the cursor into the frame as long as the pointer is not where its viewer has put it.
    gate.connection.pointer(Pointer::new(0, Point::new(200, 150)));
    gate
}

/// The upper half of one picture and the lower half of another.
fn halves(upper: &[u8], lower: &[u8]) -> Vec<u8> {
    let half = upper.len() / 2;
    [&upper[..half], &lower[half..]].concat()
}

fn shows(gate: &Gate, picture: &[u8]) -> bool {
    gate.screen.pixels() == picture
}

/// Peak signal-to-noise ratio of what is shown, in dB.
fn psnr(gate: &Gate, picture: &[u8]) -> f64 {
    let squares: f64 = gate.screen.pixels().iter().zip(picture).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
    let mean = squares / (picture.len() / 4 * 3) as f64;
    10.0 * (255.0 * 255.0 / mean).log10()
}

/// Connects, and watches pictures one after the other.
fn watch(desktop: &Xvnc, name: &str, encodings: Encodings, connect: impl Fn(&Xvnc) -> UnixStream) {
    let (blocks, office, photo) = (blocks(SIZE), office(SIZE), photo(SIZE));
    let mut painter = desktop.painter();
    painter.paint(SIZE, &blocks);
    let mut gate = gate(connect(desktop), encodings);
    gate.until(name, |gate| shows(gate, &blocks));
    let compressed = gate.bytes < blocks.len() / 4;
    assert_eq!(compressed, name != "Raw", "{} bytes in {name}: it was not used", gate.bytes);
    for picture in [halves(&office, &photo), photo.clone(), halves(&photo, &office)] {
        painter.paint(SIZE, &picture);
        gate.until(name, |gate| shows(gate, &picture));
    }
}

#[test]
fn xvnc_in_each_encoding() {
    let desktop = Xvnc::start("400x300");
    for (name, encodings) in LOSSLESS {
        watch(&desktop, name, encodings, Xvnc::connect);
    }
}

#[test]
fn x11vnc_in_each_encoding() {
    let desktop = Xvnc::start("400x300");
    for (name, encodings) in LOSSLESS {
        let process = Cell::new(None);
        watch(&desktop, name, encodings, |desktop| {
            let (ended, socket) = desktop.x11vnc();
            process.set(Some(ended));
            socket
        });
    }
}

#[test]
fn qemu_in_each_encoding() {
    let desktop = Qemu::start();
    let mut raw = gate(desktop.connect(), Encodings::local());
    let written = |gate: &Gate| gate.screen.pixels().as_chunks::<4>().0.windows(2).any(|pair| pair[0] != pair[1]);
    raw.until("a screen", written);
    for (name, encodings) in LOSSLESS {
        let mut gate = gate(desktop.connect(), encodings);
        gate.until(name, |gate| shows(gate, raw.screen.pixels()));
        // It has no RRE, and falls back to Raw.
        let compressed = gate.bytes < raw.screen.pixels().len() / 4;
        assert_eq!(compressed, !["Raw", "RRE"].contains(&name), "{} bytes in {name}: it was not used", gate.bytes);
    }
}

#[test]
fn photographs_as_jpeg() {
    let desktop = Xvnc::start("400x300");
    let picture = photo(SIZE);
    desktop.painter().paint(SIZE, &picture);
    for (level, least) in [(0, 20.0), (3, 25.0), (6, 30.0), (9, 35.0)] {
        let (_process, socket) = desktop.x11vnc();
        for (name, socket) in [("x11vnc", socket), ("Xvnc", desktop.connect())] {
            let mut gate = gate(socket, Encodings::remote(Jpeg::Quality(level)));
            gate.until("a photograph", |gate| gate.screen.revision() > 0 && psnr(gate, &picture) > least);
            assert!(!shows(&gate, &picture), "{name}: no JPEG was sent at level {level}");
            assert!(gate.bytes * 3 < picture.len(), "{name}: {} bytes at level {level}", gate.bytes);
        }
    }
}
