//! Tight's filters (community specification, "Tight Encoding", "BasicCompression"): rows of bytes to rows of pixels.

use crate::desktop::canvas::{Pixel, pixels_in};
use crate::desktop::inflate::{Inflated, ROOM};
use crate::geometry::Size;

/// How the bytes of a rectangle's rows become pixels.
#[derive(Debug)]
pub(super) enum Filter {
    /// A TPIXEL each.
    Copy,
    /// One bit each, the leftmost highest, rows padded to bytes.
    Mono([Pixel; 2]),
    /// One byte each.
    Indexed(Vec<Pixel>),
    /// The difference from what the pixels above and to the left foretell, one byte a colour.
    Gradient,
}

/// A TPIXEL for the format that the desktop was told: R, G, B.
pub(super) fn tpixel([red, green, blue]: [u8; 3]) -> Pixel {
    [blue, green, red, 0]
}

impl Filter {
    /// The filter of a palette of TPIXELs, of which there are at least two.
    pub(super) fn palette(colours: &[u8]) -> Self {
        let (colours, _) = colours.as_chunks::<3>();
        match *colours {
            [zero, one] => Self::Mono([tpixel(zero), tpixel(one)]),
            _ => Self::Indexed(colours.iter().copied().map(tpixel).collect()),
        }
    }

    /// Bytes of a row of `width` pixels.
    pub(super) fn row_bytes(&self, width: u16) -> usize {
        let width = usize::from(width);
        match self {
            Self::Copy | Self::Gradient => width * 3,
            Self::Mono(_) => width.div_ceil(8),
            Self::Indexed(_) => width,
        }
    }

    /// The pixels of a rectangle whose bytes are all that `data` has.
    pub(super) fn inflated(&self, mut data: Inflated<'_>, size: Size) -> Result<Vec<Pixel>, String> {
        let mut pixels = Vec::with_capacity(pixels_in(size));
        let stride = self.row_bytes(size.width).max(1);
        let mut left = usize::from(size.height);
        while left > 0 {
            let rows = left.min(ROOM / stride);
            self.rows(data.take(rows * stride)?, usize::from(size.width), &mut pixels)?;
            left -= rows;
        }
        data.finish()?;
        Ok(pixels)
    }

    /// Appends the pixels of whole rows of `width` pixels; those above are in `pixels`.
    pub(super) fn rows(&self, bytes: &[u8], width: usize, pixels: &mut Vec<Pixel>) -> Result<(), String> {
        match self {
            Self::Copy => pixels.extend(bytes.as_chunks().0.iter().copied().map(tpixel)),
            Self::Mono(palette) => {
                bytes.chunks_exact(width.div_ceil(8)).for_each(|row| mono(row, *palette, width, pixels))
            }
            Self::Indexed(palette) => return indexed(bytes, palette, pixels),
            Self::Gradient => bytes.chunks_exact(width * 3).for_each(|row| gradient(row, width, pixels)),
        }
        Ok(())
    }
}

fn mono(row: &[u8], [zero, one]: [Pixel; 2], width: usize, pixels: &mut Vec<Pixel>) {
    let bits =
        |byte: &u8| -> [Pixel; 8] { std::array::from_fn(|bit| if byte << bit & 0x80 == 0 { zero } else { one }) };
    let (whole, rest) = row.split_at_checked(width / 8).unwrap_or_default();
    whole.iter().for_each(|byte| pixels.extend_from_slice(&bits(byte)));
    pixels.extend(rest.iter().flat_map(bits).take(width % 8));
}

fn indexed(bytes: &[u8], palette: &[Pixel], pixels: &mut Vec<Pixel>) -> Result<(), String> {
    let highest = bytes.iter().copied().max().unwrap_or_default();
    if usize::from(highest) >= palette.len() {
        return Err(format!("index {highest} of a palette of {}", palette.len()));
    }
    pixels.extend(bytes.iter().map(|index| palette.get(usize::from(*index)).copied().unwrap_or_default()));
    Ok(())
}

/// The pixels to the left, above and above left foretell a pixel, outside of the rectangle as black; what comes is the difference.
fn gradient(row: &[u8], width: usize, pixels: &mut Vec<Pixel>) {
    let (mut left, mut above_left) = (Pixel::default(), Pixel::default());
    for [red, green, blue] in row.as_chunks().0 {
        let above = pixels.len().checked_sub(width).and_then(|above| pixels.get(above)).copied().unwrap_or_default();
        let ([lb, lg, lr, _], [ab, ag, ar, _], [cb, cg, cr, _]) = (left, above, above_left);
        left = [
            foretold(lb, ab, cb).wrapping_add(*blue),
            foretold(lg, ag, cg).wrapping_add(*green),
            foretold(lr, ar, cr).wrapping_add(*red),
            0,
        ];
        above_left = above;
        pixels.push(left);
    }
}

/// left + above - above left, cut to what a byte holds.
fn foretold(left: u8, above: u8, above_left: u8) -> u8 {
    let sum = i16::from(left) + i16::from(above) - i16::from(above_left);
    u8::try_from(sum.clamp(0, i16::from(u8::MAX))).unwrap_or(u8::MAX)
}
