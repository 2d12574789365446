//! ZRLE, byte by byte, and every way in which it is refused.

use super::encoders::{Deflater, Encoder, Picture};
use super::*;

fn body(data: &[u8]) -> Vec<u8> {
    let packed = Deflater::new().pack(data);
    [&(packed.len() as u32).to_be_bytes()[..], &packed].concat()
}

fn shown(width: u16, height: u16, data: &[u8]) -> Vec<[u8; 4]> {
    decoded(Encoding::ZRLE, width, height, &body(data))
}

fn refused(width: u16, height: u16, data: &[u8]) -> String {
    refused_body(Encoding::ZRLE, width, height, &body(data))
}

const A: [u8; 4] = [1, 2, 3, 0];
const B: [u8; 4] = [4, 5, 6, 0];
const C: [u8; 4] = [7, 8, 9, 0];

#[test]
fn raw_and_solid() {
    assert_eq!(shown(3, 1, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), [A, B, C]);
    assert_eq!(shown(5, 7, &[1, 4, 5, 6]), [B; 35]);
}

#[test]
fn packed_palettes() {
    #[rustfmt::skip]
    assert_eq!(
        shown(9, 2, &[
            2, 1, 2, 3, 4, 5, 6,                // two colours
            0b1000_0000, 0b1111_1111,           // a bit each, the leftmost highest; bits beyond the width mean nothing
            0b0000_0000, 0b0111_1111,
        ]),
        [[B, A, A, A, A, A, A, A, B], [A; 9]].concat()
    );
    #[rustfmt::skip]
    assert_eq!(
        shown(5, 1, &[
            3, 1, 2, 3, 4, 5, 6, 7, 8, 9,       // three colours
            0b00_01_10_01, 0b10_11_11_11,       // two bits each
        ]),
        [A, B, C, B, C]
    );
    let five = [&[5, 1, 2, 3, 4, 5, 6, 7, 8, 9], &[0; 6][..], &[0x01, 0x2f]].concat();
    assert_eq!(shown(3, 1, &five), [A, B, C]);
    let sixteen = [vec![16], vec![9; 48], vec![0xf0, 0x0f]].concat();
    assert_eq!(shown(4, 1, &sixteen), [[9, 9, 9, 0]; 4]);
}

#[test]
fn runs() {
    assert_eq!(shown(6, 1, &[128, 1, 2, 3, 0, 4, 5, 6, 3, 7, 8, 9, 0]), [A, B, B, B, B, C]);
    // 255 means that there is more: 1 + 255 + 44, 1 + 255 + 0 and 1 + 255 + 255 + 1.
    assert_eq!(shown(60, 5, &[128, 1, 2, 3, 255, 44]), [A; 300]);
    assert_eq!(shown(4, 64, &[128, 4, 5, 6, 255, 0]), [B; 256]);
    assert_eq!(shown(16, 32, &[128, 4, 5, 6, 255, 255, 1]), [B; 512]);
    #[rustfmt::skip]
    assert_eq!(
        shown(4, 2, &[
            130, 1, 2, 3, 4, 5, 6,              // a palette of two
            0, 1, 0x80, 3, 0x81, 1,             // one, one, four, two
        ]),
        [A, B, A, A, A, A, B, B]
    );
    let most = [vec![255], vec![9; 127 * 3], vec![126, 126]].concat();
    assert_eq!(shown(2, 1, &most), [[9, 9, 9, 0]; 2]);
}

#[test]
fn tiles_from_the_left_and_from_the_top() {
    let colour = |n: u8| [n, n, n, 0];
    let data = (0..6).flat_map(|n| [1, n, n, n]).collect::<Vec<u8>>();
    let wanted = Picture::new(129, 65, |x, y| colour((x / 64 + y / 64 * 3) as u8));
    assert_eq!(shown(129, 65, &data), wanted.pixels);
}

#[test]
fn one_stream_for_all_rectangles() {
    let picture = Picture::random(70, 70, 9, 3);
    let mut encoder = Encoder::new();
    let mut connection = ready_for(ALL, 70, 70);
    let place = Rect::new(0, 0, 70, 70);
    let rects: Vec<Vec<u8>> = (0..4).map(|way| rect(place, Encoding::ZRLE, &encoder.zrle(&picture, &[way]))).collect();
    let wanted = Change::Pixels { rect: place, pixels: picture.pixels.concat() };
    assert_eq!(changes(&mut connection, &update(&rects)), vec![wanted; 4]);
    // The first again is not what the stream goes on with.
    let error = connection.receive(&update(&[rect(Rect::new(0, 0, 1, 1), Encoding::ZRLE, &body(&[1, 1, 1, 1]))]));
    assert!(error.unwrap_err().reason.starts_with("its zlib data is damaged"));
}

#[test]
fn subencodings_without_meaning() {
    for unused in (17..=127).chain([129]) {
        let reason = refused(8, 8, &[&[unused], &[0; 600][..]].concat());
        assert_eq!(reason, format!("tile 8x8+0+0 has the unused subencoding {unused}"));
    }
}

#[test]
fn indices_beyond_the_palette() {
    assert_eq!(
        refused(4, 1, &[3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0b00_01_10_11]),
        "tile 4x1+0+0 has index 3 of a palette of 3"
    );
    let fifteen = [vec![15], vec![0; 45], vec![0x0f]].concat();
    assert_eq!(refused(2, 1, &fifteen), "tile 2x1+0+0 has index 15 of a palette of 15");
    assert_eq!(refused(1, 1, &[130, 1, 2, 3, 4, 5, 6, 2]), "tile 1x1+0+0 has index 2 of a palette of 2");
    assert_eq!(refused(9, 1, &[130, 1, 2, 3, 4, 5, 6, 0xff, 8]), "tile 9x1+0+0 has index 127 of a palette of 2");
}

#[test]
fn runs_beyond_their_tile() {
    assert_eq!(refused(4, 1, &[128, 1, 2, 3, 4]), "tile 4x1+0+0 has a run of 5 where 4 pixels are left");
    let palette = [1, 1, 9, 9, 130, 1, 2, 3, 4, 5, 6, 0, 0x81, 3];
    assert_eq!(refused(66, 2, &palette[4..]), "tile 64x2+0+0 is where its zlib data ends");
    let second = [&[1, 1, 1, 1][..], &palette[4..]].concat();
    assert_eq!(refused(66, 2, &second), "tile 2x2+64+0 has a run of 4 where 3 pixels are left");
    // A length that never ends, within what its bytes may be.
    let endless = [&[128, 1, 2, 3][..], &[255; 60_000]].concat();
    assert_eq!(refused(64, 64, &endless), "tile 64x64+0+0 has a run of 4336 where 4096 pixels are left");
}

#[test]
fn a_length_over_what_the_rectangle_needs() {
    // One tile of one pixel: 382 bytes of palette and 4, an eighth more and the slack.
    assert_eq!(refused_body(Encoding::ZRLE, 1, 1, &1459u32.to_be_bytes()), "1459 bytes, where 1458 are enough for 1x1");
    for length in [u32::MAX, 0x8000_0000, 32 * 1024 * 1024 + 1] {
        let reason = refused_body(Encoding::ZRLE, 3840, 2160, &length.to_be_bytes());
        assert_eq!(reason, format!("{length} bytes, where 33554432 are enough for 3840x2160"));
    }
}

#[test]
fn nothing_at_all() {
    assert_eq!(refused_body(Encoding::ZRLE, 1, 1, &[0; 4]), "tile 1x1+0+0 is where its zlib data ends");
    assert_eq!(refused(1, 1, &[]), "tile 1x1+0+0 is where its zlib data ends");
}
