//! The parts of Tight that the decoder's tests do not see: bounds of numbers and of pieces.

use super::*;
use crate::geometry::Size;
use crate::screen::{Change, Screen};

fn length(number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_length(&mut bytes, number);
    bytes
}

#[test]
fn compact_lengths() {
    assert_eq!(length(0), [0]);
    assert_eq!(length(127), [127]);
    assert_eq!(length(128), [0x80, 1]);
    assert_eq!(length(10_000), [0x90, 0x4E]);
    assert_eq!(length(16_383), [0xFF, 0x7F]);
    assert_eq!(length(16_384), [0x80, 0x80, 1]);
    assert_eq!(length(4_194_303), [0xFF, 0xFF, 0xFF]);
}

#[test]
fn pieces_cover_an_area_without_overlap_and_within_tights_width() {
    let size = Size::new(3840, 200);
    let mut screen = Screen::new(size);
    let stripe = |n: u16| Change::Pixels {
        rect: Rect::new(n * 400, n % 5 * 30, 399, 60),
        pixels: (0..399u32 * 60).flat_map(|at| (at.wrapping_mul(2_654_435_761) >> 8).to_le_bytes()).collect(),
    };
    screen.apply(&(0..9).map(stripe).collect::<Vec<_>>()).unwrap();
    let area = Rect::new(3, 5, 3800, 190);
    let mut tiles = Tiles::default();
    for photos in [false, true] {
        let pieces = tiles.cut(Picture::of(&screen), area, photos).to_vec();
        let covered: u64 = pieces.iter().map(|(rect, _)| rect.area()).sum();
        assert_eq!(covered, area.area());
        for (n, (rect, content)) in pieces.iter().enumerate() {
            assert!(area.contains(*rect) && u32::from(rect.width) <= MAX_WIDTH, "{rect}");
            assert!(pieces[n + 1..].iter().all(|(other, _)| !rect.intersects(*other)));
            assert_ne!(*content, Content::Sent);
        }
        assert_eq!(pieces.iter().any(|(_, content)| *content == Content::Photo), photos);
    }
}

#[test]
fn halves_are_the_whole() {
    for rect in [Rect::new(1, 2, 301, 300), Rect::new(1, 2, 300, 301), Rect::new(0, 0, 2, 1)] {
        let [first, second] = halves(rect);
        assert!(!first.is_empty() && !second.is_empty() && !first.intersects(second));
        assert_eq!(first.union(second), rect);
    }
}

#[test]
fn palettes_hold_256_colours_and_forget_the_area_before() {
    let mut palette = Palette::new();
    for colours in [256u32, 1, 257, 2, 256] {
        let mut screen = Screen::new(Size::new(300, 2));
        let pixels = (0..600u32).flat_map(|n| (n % colours * 0x0001_0203).to_le_bytes()).collect();
        screen.apply(&[Change::Pixels { rect: Rect::new(0, 0, 300, 2), pixels }]).unwrap();
        let fits = palette.index(Picture::of(&screen), Rect::new(0, 0, 300, 2));
        assert_eq!(fits, colours <= 256);
        if fits {
            assert_eq!(palette.colours().len(), colours as usize);
            assert!(palette.indices().iter().zip(0..).all(|(index, n)| u32::from(*index) == n % colours));
        }
    }
}
