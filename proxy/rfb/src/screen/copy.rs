//! Moving rows of pixels: the only code that writes the framebuffer. Bounds have been checked by the caller.

use super::black;
use crate::geometry::{Point, Rect, Size};
use crate::pixel::BYTES;

/// Writes `pixels`, row by row, to `rect`.
pub(super) fn paint(screen: &mut [u8], size: Size, rect: Rect, pixels: &[u8]) {
    let (stride, width) = (bytes(size.width), bytes(rect.width));
    let columns = bytes(rect.x)..bytes(rect.x) + width;
    let rows = screen.chunks_exact_mut(stride.max(1)).skip(usize::from(rect.y));
    for (row, source) in rows.zip(pixels.chunks_exact(width.max(1))) {
        if let Some(place) = row.get_mut(columns.clone()) {
            place.copy_from_slice(source);
        }
    }
}

/// Moves the rectangle at `from` to `to`, as if by way of a copy elsewhere.
pub(super) fn shift(screen: &mut [u8], size: Size, to: Rect, from: Point) {
    let (stride, width) = (bytes(size.width), bytes(to.width));
    let mut row = |row: u16| {
        let source = (usize::from(from.y) + usize::from(row)) * stride + bytes(from.x);
        let place = (usize::from(to.y) + usize::from(row)) * stride + bytes(to.x);
        screen.copy_within(source..source + width, place);
    };
    // A row that is still to be read is not written: downwards moves begin at the bottom.
    if from.y < to.y {
        (0..to.height).rev().for_each(&mut row);
    } else {
        (0..to.height).for_each(&mut row);
    }
}

/// The screen at another size: what overlaps stays, the rest is black.
pub(super) fn resized(screen: &[u8], old: Size, new: Size) -> Vec<u8> {
    let mut pixels = black(new);
    let kept = bytes(old.width.min(new.width));
    let rows = screen.chunks_exact(bytes(old.width).max(1));
    for (place, source) in pixels.chunks_exact_mut(bytes(new.width).max(1)).zip(rows) {
        if let (Some(place), Some(source)) = (place.get_mut(..kept), source.get(..kept)) {
            place.copy_from_slice(source);
        }
    }
    pixels
}

fn bytes(pixels: u16) -> usize {
    usize::from(pixels) * BYTES
}
