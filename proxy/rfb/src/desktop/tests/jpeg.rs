//! JPEG within Tight: what is shown is near to what was meant, and what is no plain image of the rectangle's size is refused.

use proptest::prelude::*;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use super::encoders::{Picture, compact};
use super::*;

/// A smooth picture, as photographs are.
fn photo(width: usize, height: usize) -> Picture {
    Picture::new(width, height, |x, y| [x as u8 + 30, y as u8 * 2 + 60, (x + y) as u8 / 2 + 40, 0])
}

pub(super) fn image(picture: &Picture, subsampling: Subsamp) -> Vec<u8> {
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(95).unwrap();
    compressor.set_subsamp(subsampling).unwrap();
    let (width, height) = (picture.width, picture.height);
    let pixels = picture.pixels.as_flattened();
    compressor.compress_to_vec(Image { pixels, width, pitch: width * 4, height, format: PixelFormat::BGRX }).unwrap()
}

pub(super) fn body(image: &[u8]) -> Vec<u8> {
    [vec![0x90], compact(image.len()), image.to_vec()].concat()
}

fn refused(image: &[u8]) -> String {
    refused_body(Encoding::TIGHT, 40, 24, &body(image))
}

/// The image with each segment that `change` returns in place of its own; a segment is a marker and what follows it.
fn with_segments(image: &[u8], change: impl Fn(u8, &[u8]) -> Vec<u8>) -> Vec<u8> {
    let (mut changed, mut rest) = (image[..2].to_vec(), &image[2..]);
    loop {
        let length = 2 + usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        changed.extend(change(rest[1], &rest[..length]));
        let last = rest[1] == 0xda;
        rest = &rest[length..];
        if last {
            return [&changed[..], rest].concat();
        }
    }
}

/// Before each segment of this marker.
fn before(image: &[u8], marker: u8, inserted: &[u8]) -> Vec<u8> {
    with_segments(image, |code, bytes| if code == marker { [inserted, bytes].concat() } else { bytes.to_vec() })
}

fn example() -> Vec<u8> {
    image(&photo(40, 24), Subsamp::Sub2x2)
}

#[test]
fn pixels_are_near_in_every_sampling() {
    for subsampling in [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub1x2, Subsamp::Sub2x2] {
        for (width, height) in [(1, 1), (7, 3), (8, 8), (17, 16), (40, 24), (130, 65)] {
            let picture = photo(width, height);
            let found = decoded(Encoding::TIGHT, width as u16, height as u16, &body(&image(&picture, subsampling)));
            for (found, meant) in found.iter().zip(&picture.pixels) {
                assert_eq!(found[3], 0);
                let far = (0..3).map(|colour| found[colour].abs_diff(meant[colour])).max().unwrap();
                assert!(far < 24, "{subsampling:?} {width}x{height}: {found:?} for {meant:?}");
            }
        }
    }
}

#[test]
fn grey_has_one_component() {
    let picture = Picture::new(20, 20, |x, y| [[(x * 9 + y) as u8; 3].as_slice(), &[0]].concat().try_into().unwrap());
    let found = decoded(Encoding::TIGHT, 20, 20, &body(&image(&picture, Subsamp::Gray)));
    for ([blue, green, red, zero], meant) in found.iter().zip(&picture.pixels) {
        assert!(blue == green && green == red && *zero == 0 && blue.abs_diff(meant[0]) < 8);
    }
}

#[test]
fn what_is_no_picture_is_left_out() {
    let plain = decoded(Encoding::TIGHT, 40, 24, &body(&example()));
    let mut noisy = example();
    for marker in (0xe0..=0xef).chain([0xfe]) {
        noisy = before(&noisy, 0xdb, &[0xff, marker, 0, 9, b'A', b'd', b'o', b'b', b'e', 0, 1]);
    }
    // Any number of 0xff may stand before a marker.
    noisy = before(&noisy, 0xc0, &[0xff; 5]);
    assert!(noisy.len() > example().len() + 100);
    assert_eq!(decoded(Encoding::TIGHT, 40, 24, &body(&noisy)), plain);
}

#[test]
fn images_of_another_size() {
    let other = |width, height| refused(&image(&photo(width, height), Subsamp::None));
    assert_eq!(other(24, 40), "a JPEG image of 24x40 for 40x24");
    assert_eq!(other(41, 24), "a JPEG image of 41x24 for 40x24");
    let huge = with_segments(&example(), |code, bytes| match code {
        0xc0 => [&bytes[..5], &[0xff; 4], &bytes[9..]].concat(),
        _ => bytes.to_vec(),
    });
    assert_eq!(refused(&huge), "a JPEG image of 65535x65535 for 40x24");
}

#[test]
fn images_that_no_desktop_sends() {
    let frame_of = |marker: u8| {
        with_segments(&example(), |code, bytes| match code {
            0xc0 => [&[0xff, marker], &bytes[2..]].concat(),
            _ => bytes.to_vec(),
        })
    };
    for marker in [0xc1, 0xc2, 0xc3, 0xc5, 0xc9, 0xcf, 0xcc, 0xd8, 0xdc, 0x01] {
        assert_eq!(refused(&frame_of(marker)), format!("JPEG marker {marker:#04x}, which baseline does not have"));
    }
    let changed_frame = |place: usize, byte: u8| {
        with_segments(&example(), |code, bytes| {
            let mut bytes = bytes.to_vec();
            if code == 0xc0 {
                bytes[place] = byte;
            }
            bytes
        })
    };
    let unusual = "a JPEG frame of unusual precision or sampling";
    for (place, byte) in [(4, 12), (9, 1), (9, 4), (11, 0x41), (11, 0x00), (11, 0x14), (14, 0x22), (17, 0x21)] {
        assert_eq!(refused(&changed_frame(place, byte)), unusual, "{byte:#04x} at {place}");
    }
    let frame = [0xff, 0xc0, 0, 11, 8, 0, 24, 0, 40, 1, 1, 0x11, 0];
    assert_eq!(refused(&before(&example(), 0xc0, &frame)), "a second JPEG frame");
    assert_eq!(refused(&before(&example(), 0xc0, &[0xff, 0xda, 0, 3, 3])), "a JPEG scan before its frame");
    assert_eq!(refused(&before(&example(), 0xda, &[0xff, 0xda, 0, 3, 1])), "a JPEG scan of some components only");
    let tables = [&[0xff, 0xc4, 0x10, 0x02], &[0; 4096][..]].concat();
    assert_eq!(refused(&before(&example(), 0xda, &tables)), "over 4096 bytes of JPEG tables");
}

#[test]
fn images_that_end_early_or_late() {
    let whole = example();
    assert_eq!(refused(b""), "it is no JPEG image");
    assert_eq!(refused(&whole[1..]), "it is no JPEG image");
    for end in 2..whole.len() {
        let reason = refused(&whole[..end]);
        assert!(reason.contains("JPEG"), "{end}: {reason}");
    }
    assert_eq!(refused(&[&whole[..], b"hidden"].concat()), "6 bytes follow the JPEG image");
    assert_eq!(refused(&[&whole[..whole.len() - 2], &[0xff, 0xc4]].concat()), "JPEG marker 0xc4 after the first scan");
    assert_eq!(refused(&before(&whole, 0xc0, &[0])), "JPEG segments are not next to each other");
    assert_eq!(refused(&before(&whole, 0xc0, &[0xff, 0xe0, 0, 1])), "a JPEG segment shorter than its length");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_damaged_image_is_shown_or_refused(
        (width, height) in prop_oneof![(1usize..40, 1usize..40), Just((129, 9))], sampling in 0usize..5,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), cut in prop::option::of(2usize..300),
    ) {
        let samplings = [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub1x2, Subsamp::Sub2x2, Subsamp::Gray];
        let mut image = image(&photo(width, height), samplings[sampling]);
        for (place, byte) in damage {
            let place = place.index(image.len());
            image[place] = byte;
        }
        if let Some(length) = cut {
            let end = image.len().saturating_sub(length);
            image.truncate(end);
            image.extend([0xff, 0xd9]);
        }
        let place = Rect::new(0, 0, width as u16, height as u16);
        let bytes = update(&[rect(place, Encoding::TIGHT, &body(&image))]);
        match ready_for(ALL, width as u16, height as u16).receive(&bytes) {
            Ok(events) => {
                let [Event::Update(changes)] = &events[..] else { panic!("{events:?}") };
                let [Change::Pixels { rect, pixels }] = &changes[..] else { panic!("{changes:?}") };
                prop_assert_eq!((*rect, pixels.len()), (place, width * height * 4));
                prop_assert!(pixels.iter().skip(3).step_by(4).all(|zero| *zero == 0));
            }
            Err(error) => prop_assert!(error.reason.contains("JPEG"), "{}", error),
        }
    }
}
