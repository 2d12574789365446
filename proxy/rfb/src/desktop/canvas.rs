//! The pixels of a rectangle that is painted piece by piece.

use crate::geometry::{Rect, Size};
use crate::pixel::BYTES;

/// B, G, R, 0.
pub(super) type Pixel = [u8; BYTES];

/// A pixel of the wire (RFC 6143 §7.4) without what its fourth byte carries.
pub(super) fn pixel([blue, green, red, _]: [u8; BYTES]) -> Pixel {
    [blue, green, red, 0]
}

/// The number of pixels in `size`.
pub(super) fn pixels_in(size: Size) -> usize {
    usize::from(size.width) * usize::from(size.height)
}

/// A rectangle's own pixels, `0,0` at its top left.
#[derive(Debug)]
pub(super) struct Canvas {
    size: Size,
    pixels: Vec<Pixel>,
}

impl Canvas {
    /// A canvas of one colour. It is allocated here: the caller has bounded `size`.
    pub(super) fn new(size: Size, pixel: Pixel) -> Self {
        Self { size, pixels: vec![pixel; pixels_in(size)] }
    }

    /// Paints `rect` in one colour; what lies outside is left out.
    pub(super) fn fill(&mut self, rect: Rect, pixel: Pixel) {
        self.rows(rect).for_each(|row| row.fill(pixel));
    }

    /// Paints `rect`, row by row; what lies outside is left out.
    pub(super) fn paint(&mut self, rect: Rect, pixels: &[Pixel]) {
        for (row, source) in self.rows(rect).zip(pixels.chunks_exact(usize::from(rect.width).max(1))) {
            row.copy_from_slice(source);
        }
    }

    /// Its bytes, row by row; what is left is empty.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pixels).into_flattened()
    }

    fn rows(&mut self, rect: Rect) -> impl Iterator<Item = &mut [Pixel]> {
        let columns = usize::from(rect.x)..usize::from(rect.x) + usize::from(rect.width);
        self.pixels
            .chunks_exact_mut(usize::from(self.size.width).max(1))
            .skip(usize::from(rect.y))
            .take(usize::from(rect.height))
            .filter_map(move |row| row.get_mut(columns.clone()))
    }
}

/// The pieces of at most `side` x `side` pixels that a rectangle of `size` is cut into: rows of pieces from the top, each from the left.
#[derive(Debug)]
pub(super) struct Pieces {
    size: Size,
    side: u16,
    next: (u16, u16),
}

impl Pieces {
    pub(super) fn new(size: Size, side: u16) -> Self {
        Self { size, side, next: (0, 0) }
    }

    /// Whether there is no further piece.
    pub(super) fn is_over(&self) -> bool {
        self.next.1 >= self.size.height
    }
}

impl Iterator for Pieces {
    type Item = Rect;

    fn next(&mut self) -> Option<Rect> {
        let (x, y) = self.next;
        if self.is_over() {
            return None;
        }
        let piece = Rect::new(x, y, self.side.min(self.size.width - x), self.side.min(self.size.height - y));
        let right = x.saturating_add(self.side);
        self.next = if right < self.size.width { (right, y) } else { (0, y.saturating_add(self.side)) };
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_everything_once() {
        for (width, height, side) in [(1, 1, 16), (16, 16, 16), (17, 33, 16), (65535, 1, 64), (3, 65535, 64)] {
            let mut canvas = Canvas::new(Size::new(width, height), [0; 4]);
            let mut area = 0;
            for piece in Pieces::new(Size::new(width, height), side) {
                assert!(!piece.is_empty() && piece.is_within(Size::new(width, height)), "{piece}");
                area += piece.area();
                canvas.fill(piece, [1; 4]);
            }
            assert_eq!(area, Size::new(width, height).area());
            assert!(canvas.take().iter().all(|byte| *byte == 1));
        }
    }

    #[test]
    fn what_is_outside_is_left_out() {
        let mut canvas = Canvas::new(Size::new(2, 2), [0; 4]);
        canvas.fill(Rect::new(1, 1, 2, 1), [9; 4]);
        canvas.fill(Rect::new(0, 1, 1, 7), [1; 4]);
        canvas.paint(Rect::new(0, 0, 2, 1), &[[2; 4], [3; 4]]);
        assert_eq!(canvas.take(), [[2; 4], [3; 4], [1; 4], [0; 4]].concat());
    }
}
