//! RRE, byte by byte, and every way in which it is refused.

use super::encoders::Picture;
use super::*;

fn refused(width: u16, height: u16, body: &[u8]) -> String {
    refused_body(Encoding::RRE, width, height, body)
}

/// A subrectangle in the colour 4, 5, 6.
fn subrect(x: u16, y: u16, width: u16, height: u16) -> Vec<u8> {
    [vec![4, 5, 6, 0x80], [x, y, width, height].iter().flat_map(|n| n.to_be_bytes()).collect()].concat()
}

#[test]
fn a_background_and_subrectangles() {
    let body = [&[0, 0, 0, 2, 1, 2, 3, 0xff][..], &subrect(0, 0, 2, 1), &[7, 8, 9, 1, 0, 1, 0, 0, 0, 2, 0, 2]];
    let wanted = Picture::new(3, 3, |x, y| match (x, y) {
        (1.., 0..2) => [7, 8, 9, 0],
        (0, 0) => [4, 5, 6, 0],
        _ => [1, 2, 3, 0],
    });
    assert_eq!(decoded(Encoding::RRE, 3, 3, &body.concat()), wanted.pixels);
    assert_eq!(decoded(Encoding::RRE, 2, 1, &[0, 0, 0, 0, 1, 2, 3, 4]), [[1, 2, 3, 0]; 2]);
}

#[test]
fn more_subrectangles_than_pixels() {
    for (count, width, height) in [(5u32, 2, 2), (u32::MAX, 3840, 2160), (0x2000_0001, 64, 64), (0x8000_0000, 1, 1)] {
        let body = [&count.to_be_bytes()[..], &[0; 4]].concat();
        assert_eq!(refused(width, height, &body), format!("{count} subrectangles in {width}x{height}"));
    }
    let all: Vec<u8> = (0..4).flat_map(|n| subrect(n % 2, n / 2, 1, 1)).collect();
    let body = [&[0, 0, 0, 4, 1, 2, 3, 4][..], &all].concat();
    assert_eq!(decoded(Encoding::RRE, 2, 2, &body), [[4, 5, 6, 0]; 4]);
}

#[test]
fn subrectangles_beyond_their_rectangle() {
    for (x, y, width, height) in [
        (0, 0, 5, 1),
        (0, 0, 1, 5),
        (4, 0, 1, 1),
        (0, 4, 1, 1),
        (3, 3, 2, 1),
        (65535, 65535, 65535, 65535),
        (1, 0, 65535, 1),
        (0, 0, 0, 1),
        (0, 0, 1, 0),
    ] {
        let body = [&[0, 0, 0, 1, 0, 0, 0, 0][..], &subrect(x, y, width, height)].concat();
        let rect = Rect::new(x, y, width, height);
        assert_eq!(refused(4, 4, &body), format!("subrectangle {rect} is empty or not within 4x4"));
    }
}

#[test]
fn subrectangles_that_paint_over_each_other_are_counted() {
    let body = [&[0, 0, 0x10, 0, 0, 0, 0, 0][..], &subrect(0, 0, 256, 256).repeat(0x1000)].concat();
    assert_eq!(refused(256, 256, &body), "over 4 times the screen since the last request");
}
