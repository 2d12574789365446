//! Tight, byte by byte, and every way in which it is refused.

use super::encoders::{Deflater, Encoder, Picture, compact};
use super::*;

fn shown(width: u16, height: u16, body: &[u8]) -> Vec<[u8; 4]> {
    decoded(Encoding::TIGHT, width, height, body)
}

fn refused(width: u16, height: u16, body: &[u8]) -> String {
    refused_body(Encoding::TIGHT, width, height, body)
}

/// Data that is deflated as the first piece of its stream, with its length.
fn deflated(data: &[u8]) -> Vec<u8> {
    let packed = Deflater::new().pack(data);
    [compact(packed.len()), packed].concat()
}

#[test]
fn a_fill_of_any_width() {
    assert_eq!(shown(3, 2, &[0x80, 1, 2, 3]), [[3, 2, 1, 0]; 6]);
    assert_eq!(shown(3000, 1, &[0x80, 1, 2, 3]), [[3, 2, 1, 0]; 3000]);
}

#[test]
fn short_data_comes_as_it_is() {
    #[rustfmt::skip]
    assert_eq!(
        shown(3, 1, &[
            0x00,                               // stream 0, copy
            1, 2, 3, 4, 5, 6, 7, 8, 9,          // red, green, blue
        ]),
        [[3, 2, 1, 0], [6, 5, 4, 0], [9, 8, 7, 0]]
    );
    #[rustfmt::skip]
    assert_eq!(
        shown(9, 2, &[
            0x50, 1,                            // stream 1, a filter: palette
            1, 10, 20, 30, 40, 50, 60,          // two colours
            0b1000_0000, 0b1111_1111,           // bits beyond the width mean nothing
            0b0000_0001, 0b0111_1111,
        ]),
        (0..18).map(|n| if [0, 8, 16].contains(&n) { [60, 50, 40, 0] } else { [30, 20, 10, 0] }).collect::<Vec<_>>()
    );
    #[rustfmt::skip]
    assert_eq!(
        shown(2, 2, &[
            0x40, 1,                            // stream 0, a filter: palette
            2, 1, 1, 1, 2, 2, 2, 3, 3, 3,       // three colours
            0, 1, 2, 0,
        ]),
        [[1, 1, 1, 0], [2, 2, 2, 0], [3, 3, 3, 0], [1, 1, 1, 0]]
    );
    #[rustfmt::skip]
    assert_eq!(
        shown(1, 3, &[
            0x60, 2,                            // stream 2, a filter: gradient
            250, 0, 1, 10, 255, 1, 0, 1, 255,   // each the difference from the pixel above
        ]),
        [[1, 0, 250, 0], [2, 255, 4, 0], [1, 0, 4, 0]]
    );
}

#[test]
fn longer_data_is_deflated() {
    let colours: Vec<u8> = (0..12).collect();
    let wanted = [[2, 1, 0, 0], [5, 4, 3, 0], [8, 7, 6, 0], [11, 10, 9, 0]];
    assert_eq!(shown(4, 1, &[vec![0x30], deflated(&colours)].concat()), wanted);
    assert_eq!(shown(2, 2, &[vec![0x70, 0], deflated(&colours)].concat()), wanted);
    // Eleven bytes and twelve.
    let eleven = [vec![0x40, 1, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3], vec![1; 11]].concat();
    assert_eq!(shown(11, 1, &eleven), [[2, 2, 2, 0]; 11]);
    let twelve = [vec![0x40, 1, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3], deflated(&[1; 12])].concat();
    assert_eq!(shown(12, 1, &twelve), [[2, 2, 2, 0]; 12]);
}

#[test]
fn lengths_of_one_two_and_three_bytes() {
    for (width, height) in [(4, 2), (60, 40), (256, 256)] {
        let picture = Picture::random(width, height, u32::MAX, 7);
        let body = Encoder::new().tight(&picture, 0, 0);
        assert_eq!(shown(width as u16, height as u16, &body), picture.pixels);
    }
    // More bytes than are needed for the same length.
    let packed = Deflater::new().pack(&[9; 12]);
    let long = [vec![0x00, packed.len() as u8 | 0x80, 0x80, 0], packed].concat();
    assert_eq!(shown(4, 1, &long), [[9, 9, 9, 0]; 4]);
}

#[test]
fn a_length_over_what_the_rectangle_needs() {
    // Twelve bytes, an eighth more and the slack.
    assert_eq!(refused(4, 1, &[0x00, 0x8e, 0x08]), "1038 bytes, where 1037 are enough for 4x1");
    assert_eq!(refused(4, 1, &[0x00, 0xff, 0xff, 0xff]), "4194303 bytes, where 1037 are enough for 4x1");
    assert!(refused(4, 1, &[0x90, 0xff, 0xff, 0xff]).starts_with("4194303 bytes, where 65552 are enough"));
}

#[test]
fn types_and_filters_that_are_unknown() {
    for kind in 0xa..=0xfu8 {
        assert_eq!(refused(1, 1, &[kind << 4]), format!("compression type {kind} is unknown"));
        assert_eq!(refused(1, 1, &[kind << 4 | 0xf]), format!("compression type {kind} is unknown"));
    }
    for filter in 3..=255u8 {
        assert_eq!(refused(1, 1, &[0x40, filter]), format!("filter {filter} is unknown"));
    }
}

#[test]
fn palettes_of_one_colour_and_indices_beyond() {
    assert_eq!(refused(1, 1, &[0x40, 1, 0]), "a palette of one colour");
    let palette = [0x40, 1, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3];
    assert_eq!(refused(2, 1, &[&palette[..], &[2, 3]].concat()), "index 3 of a palette of 3");
    let deflated = [&palette[..], &deflated(&[[2; 19], [255; 19]].concat())].concat();
    assert_eq!(refused(38, 1, &deflated), "index 255 of a palette of 3");
}

#[test]
fn widths_over_2048_are_fills() {
    for control in [0x00, 0x40, 0x90] {
        assert_eq!(refused(2049, 1, &[control]), "2049x1 is wider than 2048 and no fill");
    }
    let picture = Picture::random(2048, 2, u32::MAX, 1);
    for way in [0, 3] {
        assert_eq!(shown(2048, 2, &Encoder::new().tight(&picture, way, 0)), picture.pixels);
    }
}

#[test]
fn jpeg_only_where_it_was_asked_for() {
    let bytes = update(&[rect(Rect::new(0, 0, 1, 1), Encoding::TIGHT, &[0x90])]);
    let lossless = Encodings::remote(Jpeg::Refused);
    assert_eq!(refusal_by(|| ready_for(lossless, 1, 1), &bytes).reason, "JPEG was not asked for");
}

#[test]
fn resets_come_with_every_type() {
    let mut connection = ready_for(ALL, 4, 1);
    let place = Rect::new(0, 0, 4, 1);
    let mut show = |body: &[u8]| changes(&mut connection, &update(&[rect(place, Encoding::TIGHT, body)]));
    let wanted = |byte| [Change::Pixels { rect: place, pixels: [[byte, byte, byte, 0]; 4].concat() }];
    let first = |control: u8, byte| [vec![control], deflated(&[byte; 12])].concat();
    for stream in 0..4 {
        assert_eq!(show(&first(stream << 4, stream)), wanted(stream));
    }
    // A new beginning of stream 2, then by a fill of 0 and 3.
    assert_eq!(show(&first(0x24, 9)), wanted(9));
    assert_eq!(show(&[0x89, 7, 7, 7]), wanted(7));
    assert_eq!(show(&first(0x00, 1)), wanted(1));
    assert_eq!(show(&first(0x30, 2)), wanted(2));
    // Stream 1 has not been begun anew.
    let error = connection.receive(&update(&[rect(place, Encoding::TIGHT, &first(0x10, 3))])).unwrap_err();
    assert!(error.reason.starts_with("its zlib data is damaged"), "{error}");
}
