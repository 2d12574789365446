//! The colours of an area in order of appearance, and each pixel as an index into them.

use crate::geometry::Rect;
use crate::viewer::picture::{Picture, colour};

/// Tight's indices are one byte.
pub(super) const MAX_COLOURS: usize = 256;

/// Four times the colours, so that probing stays short.
const SLOTS: usize = 1024;
const HASH_BITS: u32 = 10;

#[derive(Clone, Copy, Default)]
struct Slot {
    colour: u32,
    /// The area that wrote this slot; others see it as free.
    area: u32,
    index: u8,
}

/// A palette and indices, reused from area to area.
pub(super) struct Palette {
    slots: Box<[Slot; SLOTS]>,
    area: u32,
    colours: Vec<u32>,
    indices: Vec<u8>,
}

impl Palette {
    pub(super) fn new() -> Self {
        Self {
            slots: Box::new([Slot::default(); SLOTS]),
            area: 0,
            colours: Vec::with_capacity(MAX_COLOURS),
            indices: Vec::new(),
        }
    }

    /// The colours found last, 0x00RRGGBB.
    pub(super) fn colours(&self) -> &[u32] {
        &self.colours
    }

    /// One byte a pixel, row after row with no padding.
    pub(super) fn indices(&self) -> &[u8] {
        &self.indices
    }

    /// Indexes `rect`; false if it has more than [`MAX_COLOURS`] colours, found out as early as it shows.
    pub(super) fn index(&mut self, picture: Picture<'_>, rect: Rect) -> bool {
        self.start(usize::from(rect.width) * usize::from(rect.height));
        let mut indices = std::mem::take(&mut self.indices);
        let mut last = (u32::MAX, 0);
        let mut fits = true;
        let width = usize::from(rect.width).max(1);
        for (row, into) in picture.rows(rect).zip(indices.chunks_exact_mut(width)) {
            for (&pixel, index) in row.iter().zip(into) {
                let colour = colour(pixel);
                if colour != last.0 {
                    let Some(found) = self.find(colour) else {
                        fits = false;
                        break;
                    };
                    last = (colour, found);
                }
                *index = last.1;
            }
            if !fits {
                break;
            }
        }
        self.indices = indices;
        fits
    }

    fn start(&mut self, pixels: usize) {
        self.colours.clear();
        self.indices.resize(pixels, 0);
        self.area = self.area.wrapping_add(1);
        if self.area == 0 {
            self.slots.fill(Slot::default());
            self.area = 1;
        }
    }

    /// The index of `colour`, added if new; none if the palette is full.
    fn find(&mut self, colour: u32) -> Option<u8> {
        let hash = colour.wrapping_mul(0x9E37_79B1) >> (u32::BITS - HASH_BITS);
        let mut at = usize::try_from(hash).ok()?;
        loop {
            let slot = self.slots.get_mut(at % SLOTS)?;
            if slot.area != self.area {
                let index = u8::try_from(self.colours.len()).ok()?;
                *slot = Slot { colour, area: self.area, index };
                self.colours.push(colour);
                return Some(index);
            }
            if slot.colour == colour {
                return Some(slot.index);
            }
            at += 1;
        }
    }
}
