//! The cursor's picture, which no mask and no watermark is drawn over: what of it is shown all the same.

use std::sync::Arc;

use portcullis_rfb::{Cursor, Point, Size};

/// The largest picture that is passed on while anything is drawn over the screen; a larger one is a screen of its own.
const LARGEST: Size = Size::new(64, 64);

const BLACK: [u8; 4] = [0, 0, 0, 255];
const WHITE: [u8; 4] = [255; 4];
const NOTHING: [u8; 4] = [0; 4];

/// What stands for a cursor that is too large: an arrow that points at its top left.
const ARROW: [&[u8; 11]; 16] = [
    b"#          ",
    b"##         ",
    b"#.#        ",
    b"#..#       ",
    b"#...#      ",
    b"#....#     ",
    b"#.....#    ",
    b"#......#   ",
    b"#.......#  ",
    b"#........# ",
    b"#.....#####",
    b"#..#..#    ",
    b"#.# #..#   ",
    b"##  #..#   ",
    b"#    #..#  ",
    b"      ##   ",
];

/// The cursor to be shown over a screen on which regions are hidden, or nothing at all is drawn.
///
/// INVARIANT: where a mask is, no pixel of the desktop's picture passes by its cursor: it is shown as an outline, black in white. A cursor
/// larger than 64x64 could carry pixels past a watermark; it is shown as an arrow.
pub(super) fn over(cursor: &Arc<Cursor>, hides: bool, bare: bool) -> Arc<Cursor> {
    let large = !cursor.size.bounds().is_within(LARGEST);
    match (bare, large, hides) {
        (false, true, _) => Arc::new(arrow()),
        (false, false, true) => Arc::new(outline(cursor)),
        _ => Arc::clone(cursor),
    }
}

fn arrow() -> Cursor {
    let pixels = ARROW.iter().flat_map(|row| row.iter()).flat_map(|dot| match dot {
        b'#' => BLACK,
        b'.' => WHITE,
        _ => NOTHING,
    });
    Cursor { hotspot: Point::new(0, 0), size: Size::new(11, 16), pixels: pixels.collect() }
}

/// Its shape in black, with a rim of a white pixel around it.
fn outline(cursor: &Cursor) -> Cursor {
    let Cursor { hotspot, size, pixels } = cursor;
    if size.is_empty() {
        return cursor.clone();
    }
    let row_bytes = usize::from(size.width) * 4;
    let solid = |x: i32, y: i32| {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return false };
        x < usize::from(size.width) && pixels.get(y * row_bytes + x * 4 + 3).is_some_and(|alpha| *alpha != 0)
    };
    let beside = |x: i32, y: i32| (-1..=1).any(|dy| (-1..=1).any(|dx| solid(x + dx, y + dy)));
    let (columns, rows) = (i32::from(size.width), i32::from(size.height));
    let drawn = (-1..=rows).flat_map(|y| (-1..=columns).map(move |x| (x, y))).flat_map(|(x, y)| match solid(x, y) {
        true => BLACK,
        false if beside(x, y) => WHITE,
        false => NOTHING,
    });
    Cursor {
        hotspot: Point::new(hotspot.x.saturating_add(1), hotspot.y.saturating_add(1)),
        size: Size::new(size.width.saturating_add(2), size.height.saturating_add(2)),
        pixels: drawn.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(size: Size, pixels: Vec<u8>) -> Arc<Cursor> {
        Arc::new(Cursor { hotspot: Point::new(0, 0), size, pixels })
    }

    #[test]
    fn a_mask_leaves_nothing_of_it_but_its_outline() {
        let secret = cursor(Size::new(2, 1), vec![11, 22, 33, 255, 0, 0, 0, 0]);
        let shown = over(&secret, true, false);
        let (w, b, o) = (WHITE, BLACK, NOTHING);
        assert_eq!(shown.pixels, [[w, w, w, o], [w, b, w, o], [w, w, w, o]].concat().concat());
        assert_eq!((shown.size, shown.hotspot), (Size::new(4, 3), Point::new(1, 1)));
        assert!(Arc::ptr_eq(&over(&secret, false, false), &secret), "a watermark leaves it");
    }

    #[test]
    fn a_large_one_is_an_arrow_wherever_anything_is_drawn() {
        let large = cursor(Size::new(65, 1), [9, 9, 9, 255].repeat(65));
        for hides in [true, false] {
            assert_eq!(*over(&large, hides, false), arrow());
        }
        assert!(Arc::ptr_eq(&over(&large, false, true), &large));
        assert_eq!(arrow().pixels.len(), 11 * 16 * 4);
    }

    #[test]
    fn a_hidden_one_stays_hidden() {
        let hidden = cursor(Size::new(0, 0), Vec::new());
        assert_eq!(*over(&hidden, true, false), *hidden);
    }
}
