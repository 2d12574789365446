//! Hextile, byte by byte, and every way in which it is refused.

use super::encoders::Picture;
use super::*;

fn shown(width: u16, height: u16, body: &[u8]) -> Vec<[u8; 4]> {
    decoded(Encoding::HEXTILE, width, height, body)
}

fn refused(width: u16, height: u16, body: &[u8]) -> String {
    refused_body(Encoding::HEXTILE, width, height, body)
}

const A: [u8; 4] = [1, 2, 3, 0];
const B: [u8; 4] = [4, 5, 6, 0];

#[test]
fn raw() {
    assert_eq!(shown(2, 1, &[1, 1, 2, 3, 255, 4, 5, 6, 7]), [A, B]);
    // The other bits mean nothing then.
    assert_eq!(shown(2, 1, &[31, 1, 2, 3, 255, 4, 5, 6, 7]), [A, B]);
}

#[test]
fn subrectangles_of_one_colour_and_of_many() {
    #[rustfmt::skip]
    let one = shown(4, 2, &[
        2 | 4 | 8,                              // background, foreground, subrectangles
        1, 2, 3, 9, 4, 5, 6, 9,                 // pixels, with something in the byte that is no colour
        2, 0x00, 0x00, 0x21, 0x10,              // one at 0,0 of 1x1, one at 2,1 of 2x1
    ]);
    assert_eq!(one, [B, A, A, A, A, A, B, B]);
    #[rustfmt::skip]
    let many = shown(4, 1, &[
        2 | 8 | 16,                             // background, subrectangles, coloured
        1, 2, 3, 9,
        2, 4, 5, 6, 8, 0x00, 0x10, 7, 7, 7, 8, 0x10, 0x00,
    ]);
    assert_eq!(many, [B, [7, 7, 7, 0], A, A]);
    // None of them, although they are announced; colours without any.
    assert_eq!(shown(1, 1, &[2 | 8, 1, 2, 3, 9, 0]), [A]);
    assert_eq!(shown(1, 1, &[2 | 4, 1, 2, 3, 9, 4, 5, 6, 9]), [A]);
    assert_eq!(shown(1, 1, &[2 | 16, 1, 2, 3, 9]), [A]);
}

#[test]
fn colours_last_until_the_next() {
    let body = [
        &[2 | 4 | 8, 1, 2, 3, 0, 4, 5, 6, 0, 1, 0x00, 0x0f][..], // the first column
        &[8, 1, 0xf0, 0x00],                                     // the last pixel of the first row
        &[1],                                                    // raw
        &[7; 16 * 16 * 4],
        &[0], // the background
    ];
    let wanted = Picture::new(64, 16, |x, y| match (x, y) {
        (0, _) | (31, 0) => B,
        (32..48, _) => [7, 7, 7, 0],
        _ => A,
    });
    assert_eq!(shown(64, 16, &body.concat()), wanted.pixels);
}

#[test]
fn tiles_from_the_left_and_from_the_top() {
    let body: Vec<u8> = (0..6).flat_map(|n| [2, n, n, n, 0]).collect();
    let wanted = Picture::new(33, 17, |x, y| {
        let n = (x / 16 + y / 16 * 3) as u8;
        [n, n, n, 0]
    });
    assert_eq!(shown(33, 17, &body), wanted.pixels);
}

#[test]
fn masks_without_meaning() {
    for unknown in [32, 64, 128, 33, 255] {
        assert_eq!(refused(1, 1, &[unknown]), format!("tile 1x1+0+0 with mask {unknown:#04x} has unknown bits"));
    }
    for both in [4 | 16, 2 | 4 | 8 | 16] {
        let reason = format!("tile 1x1+0+0 with mask {both:#04x} has both one foreground and many");
        assert_eq!(refused(1, 1, &[both, 0, 0]), reason);
    }
}

#[test]
fn colours_that_were_never_told() {
    assert_eq!(refused(1, 1, &[0]), "tile 1x1+0+0 with mask 0x00 has no background");
    assert_eq!(refused(1, 1, &[8]), "tile 1x1+0+0 with mask 0x08 has no background");
    assert_eq!(refused(1, 1, &[2 | 8, 0, 0, 0, 0, 1]), "tile 1x1+0+0 with mask 0x0a has no foreground");
    // Nor do a raw tile or those of another rectangle tell any.
    assert_eq!(refused(17, 1, &[&[1], &[9; 64][..], &[0]].concat()), "tile 1x1+16+0 with mask 0x00 has no background");
    let first = rect(Rect::new(0, 0, 1, 1), Encoding::HEXTILE, &[2, 1, 1, 1, 1]);
    let second = rect(Rect::new(0, 0, 1, 1), Encoding::HEXTILE, &[0]);
    assert!(refusal_by(|| ready_for(ALL, 1, 1), &update(&[first, second])).reason.ends_with("has no background"));
}

#[test]
fn subrectangles_beyond_their_tile() {
    for (place, size, rect) in
        [(0x00, 0x40, "5x1+0+0"), (0x00, 0x03, "1x4+0+0"), (0x40, 0x00, "1x1+4+0"), (0xff, 0xff, "16x16+15+15")]
    {
        let body = [2 | 4 | 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, place, size];
        assert_eq!(refused(4, 3, &body), format!("tile 4x3+0+0 with mask 0x0e has a subrectangle {rect}"));
    }
    // The last tile is smaller than the one before it.
    let body = [&[2 | 4 | 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x00][..], &[8, 1, 0x10, 0x00]].concat();
    assert_eq!(refused(17, 16, &body), "tile 1x16+16+0 with mask 0x08 has a subrectangle 1x1+1+0");
}

#[test]
fn subrectangles_that_paint_over_each_other_are_counted() {
    // Five whole screens of one tile, of which one is the background's.
    let body = [&[2 | 4 | 8, 0, 0, 0, 0, 0, 0, 0, 0, 255][..], &[0x00, 0xff].repeat(255)].concat();
    let tiles = body.repeat(16 * 16);
    let reason = refused(256, 256, &tiles);
    assert_eq!(reason, "over 4 times the screen since the last request");
}
