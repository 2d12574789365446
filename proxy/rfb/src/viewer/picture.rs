//! Rows of pixels of an area of the screen, as slices of B,G,R,0.

use crate::geometry::Rect;
use crate::screen::Screen;

/// One pixel as the screen keeps it: blue, green, red, 0.
pub(super) type Pixel = [u8; 4];

/// The three colour bytes of a pixel as one number, 0x00RRGGBB; the fourth byte never counts.
pub(super) fn colour(pixel: Pixel) -> u32 {
    u32::from_le_bytes(pixel) & 0x00FF_FFFF
}

/// The colour as Tight's TPIXEL: red, green, blue.
pub(super) fn tpixel(colour: u32) -> [u8; 3] {
    let [_, red, green, blue] = colour.to_be_bytes();
    [red, green, blue]
}

/// A borrowed look at a screen's pixels.
#[derive(Clone, Copy)]
pub(super) struct Picture<'a> {
    pixels: &'a [u8],
    stride: usize,
}

impl<'a> Picture<'a> {
    pub(super) fn of(screen: &'a Screen) -> Self {
        Self { pixels: screen.pixels(), stride: screen.stride() }
    }

    /// Bytes from one row to the next.
    pub(super) fn stride(self) -> usize {
        self.stride
    }

    /// The rows of `rect`, each `rect.width` pixels; what lies outside of the picture is left out.
    pub(super) fn rows(self, rect: Rect) -> impl Iterator<Item = &'a [Pixel]> + Clone {
        let left = usize::from(rect.x) * 4;
        let right = left + usize::from(rect.width) * 4;
        self.pixels
            .chunks_exact(self.stride.max(4))
            .skip(usize::from(rect.y))
            .take(usize::from(rect.height))
            .filter_map(move |row| row.get(left..right))
            .map(|row| row.as_chunks::<4>().0)
    }

    /// The bytes from the first pixel of `rect` to its last, rows `stride` apart; none if it does not fit.
    pub(super) fn block(self, rect: Rect) -> Option<&'a [u8]> {
        let first = usize::from(rect.y) * self.stride + usize::from(rect.x) * 4;
        let last_row = usize::from(rect.height).checked_sub(1)?;
        let length = last_row * self.stride + usize::from(rect.width) * 4;
        self.pixels.get(first..first + length)
    }
}
