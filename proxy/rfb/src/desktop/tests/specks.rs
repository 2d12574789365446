//! As many rectangles as an update counts, each of a pixel or four, byte by byte: time is linear in bytes in every encoding.

use super::encoders::{Deflater, compact};
use super::*;

/// Rectangles of `width` x 1 all over the largest screen, with the bodies that `body` makes of their numbers.
fn take_linear_time(encoding: Encoding, width: u16, mut body: impl FnMut([u8; 4]) -> Vec<u8>) {
    let mut connection = ready_for(ALL, 3840, 2160);
    let place = |n: u32| Rect::new((n % 3800) as u16, (n / 3800) as u16, width, 1);
    let specks: Vec<Vec<u8>> = (0..65535).map(|n| rect(place(n), encoding, &body(n.to_be_bytes()))).collect();
    let bytes = update(&specks);
    let started = std::time::Instant::now();
    let events: Vec<Event> = bytes.iter().flat_map(|byte| connection.receive(&[*byte]).unwrap()).collect();
    assert!(matches!(&events[..], [Event::Update(changes)] if changes.len() == 65535));
    // A parser that began anew with each byte would look at 10^12 of them.
    assert!(started.elapsed().as_secs() < 20, "{encoding}: {:?}", started.elapsed());
}

#[test]
fn tight() {
    take_linear_time(Encoding::TIGHT, 4, |[_, a, b, c]| vec![0x80, a, b, c]);
    let mut deflater = Deflater::new();
    take_linear_time(Encoding::TIGHT, 4, |number| {
        let packed = deflater.pack(&number.repeat(3));
        [vec![0], compact(packed.len()), packed].concat()
    });
    take_linear_time(Encoding::TIGHT, 4, |_| {
        let packed = Deflater::new().pack(&[0; 12]);
        [vec![0x0f], compact(packed.len()), packed].concat()
    });
}

#[test]
fn zrle() {
    let mut deflater = Deflater::new();
    take_linear_time(Encoding::ZRLE, 1, |[_, a, b, c]| {
        let packed = deflater.pack(&[1, a, b, c]);
        [&(packed.len() as u32).to_be_bytes()[..], &packed].concat()
    });
}

#[test]
fn hextile_and_rre() {
    take_linear_time(Encoding::HEXTILE, 1, |[_, a, b, c]| vec![2, a, b, c, 0]);
    take_linear_time(Encoding::RRE, 1, |[_, a, b, c]| vec![0, 0, 0, 1, 0, 0, 0, 0, a, b, c, 0, 0, 0, 0, 0, 0, 1, 0, 1]);
}
