//! What kind of content a cell of the screen holds, told by a few of its pixels.

use crate::geometry::Rect;
use crate::viewer::picture::{Picture, Pixel, colour};

/// How a cell is best sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// One colour, 0x00RRGGBB.
    Solid(u32),
    /// Text, lines, flat areas: lossless.
    Sharp,
    /// Photographs and films: may be JPEG.
    Photo,
    /// Already sent.
    Sent,
}

/// Every so many rows are looked at for the measure of a photograph.
const ROW_STEP: usize = 4;

/// Neighbours whose channels differ by no more than this are a slope, others an edge.
const SLOPE: u8 = 24;

/// Bits of the sketch that counts different colours.
const SKETCH_BITS: u32 = 12;
const SKETCH_WORDS: usize = 1 << (SKETCH_BITS - 6);

/// The one colour of `rect`, or none; the first differing row ends the look.
pub(super) fn solid(picture: Picture<'_>, rect: Rect) -> Option<u32> {
    let mut rows = picture.rows(rect);
    let first = rows.next()?;
    let (&pixel, rest) = first.split_first()?;
    let wanted = colour(pixel);
    // The fourth byte of the screen is always 0, so whole pixels may be compared.
    let even = rest.iter().all(|&other| other == pixel) && rows.all(|row| row == first);
    even.then_some(wanted)
}

/// Whether `rect` looks like a photograph: many colours, few equal neighbours, more slopes than edges or mere noise.
pub(super) fn is_photo(picture: Picture<'_>, rect: Rect) -> bool {
    let mut measure = Measure::default();
    for row in picture.rows(rect).step_by(ROW_STEP) {
        measure.row(row);
    }
    measure.is_photo()
}

struct Measure {
    pixels: u32,
    equal: u32,
    slopes: u32,
    edges: u32,
    sketch: [u64; SKETCH_WORDS],
}

impl Default for Measure {
    fn default() -> Self {
        Self { pixels: 0, equal: 0, slopes: 0, edges: 0, sketch: [0; SKETCH_WORDS] }
    }
}

impl Measure {
    fn row(&mut self, row: &[Pixel]) {
        for (&left, &right) in row.iter().zip(row.iter().skip(1)) {
            self.pixels += 1;
            if left == right {
                self.equal += 1;
                continue;
            }
            if left.iter().zip(right).all(|(&a, b)| a.abs_diff(b) <= SLOPE) {
                self.slopes += 1;
            } else {
                self.edges += 1;
            }
            let hash = colour(right).wrapping_mul(0x9E37_79B1) >> (u32::BITS - SKETCH_BITS);
            if let Some(word) = usize::try_from(hash >> 6).ok().and_then(|at| self.sketch.get_mut(at)) {
                *word |= 1 << (hash & 63);
            }
        }
    }

    fn is_photo(&self) -> bool {
        let colours: u32 = self.sketch.iter().map(|word| word.count_ones()).sum();
        let rich = colours * 8 >= self.pixels;
        let busy = self.equal * 2 <= self.pixels;
        let smooth = self.slopes >= self.edges * 2;
        let noise = colours * 2 >= self.pixels;
        self.pixels > 0 && rich && busy && (smooth || noise)
    }
}
