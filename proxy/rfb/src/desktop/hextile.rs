//! Hextile (RFC 6143 §7.7.4): tiles of 16x16, each raw or a background with rectangles painted over it.

use super::budget::Budget;
use super::canvas::{Canvas, Pieces, Pixel, pixel};
use super::update::Header;
use crate::error::ProtocolError;
use crate::geometry::{Rect, Size};
use crate::intake::{Intake, fill};
use crate::pixel::BYTES;

/// Width and height of a tile; those at the right and at the bottom may be smaller.
const SIDE: u16 = 16;

/// Bits of a tile's subencoding mask.
mod mask {
    pub(super) const RAW: u8 = 1;
    pub(super) const BACKGROUND: u8 = 2;
    pub(super) const FOREGROUND: u8 = 4;
    pub(super) const SUBRECTS: u8 = 8;
    pub(super) const COLOURED: u8 = 16;
    /// All of them.
    pub(super) const KNOWN: u8 = 31;
}

/// A rectangle that is being read.
#[derive(Debug)]
pub(super) struct Hextile {
    canvas: Canvas,
    tiles: Pieces,
    /// The tile that is being read.
    tile: Rect,
    /// Its mask.
    mask: u8,
    /// Colours of the last tile that had any.
    background: Option<Pixel>,
    foreground: Option<Pixel>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Mask,
    Raw(Vec<u8>),
    Background,
    Foreground,
    Count,
    Subrects(u8),
}

impl Hextile {
    /// A rectangle of `size`, which is allocated here: the caller has bounded it.
    pub(super) fn new(size: Size) -> Self {
        Self {
            canvas: Canvas::new(size, Pixel::default()),
            tiles: Pieces::new(size, SIDE),
            tile: Rect::default(),
            mask: 0,
            background: None,
            foreground: None,
            step: Step::Mask,
        }
    }

    /// Takes what is there of it; its pixels, row by row, when it is whole.
    pub(super) fn advance(
        &mut self,
        header: &Header,
        budget: &mut Budget,
        intake: &mut Intake,
        input: &mut &[u8],
    ) -> Result<Option<Vec<u8>>, ProtocolError> {
        loop {
            let next = match &mut self.step {
                Step::Mask => {
                    // INVARIANT: there is a tile left as long as a mask is awaited.
                    let Some([mask]) = intake.take(input) else { return Ok(None) };
                    self.mask = mask;
                    self.tile = self.tiles.next().unwrap_or_default();
                    self.begin(header)?
                }
                Step::Raw(bytes) => {
                    if !fill(bytes, usize::from(self.tile.width) * usize::from(self.tile.height) * BYTES, input) {
                        return Ok(None);
                    }
                    let pixels: Vec<Pixel> = bytes.as_chunks().0.iter().copied().map(pixel).collect();
                    self.canvas.paint(self.tile, &pixels);
                    Step::Subrects(0)
                }
                Step::Background => {
                    if !given(&mut self.background, self.mask & mask::BACKGROUND, intake, input) {
                        return Ok(None);
                    }
                    let background = self.background.ok_or_else(|| self.refused(header, "has no background"))?;
                    self.canvas.fill(self.tile, background);
                    Step::Foreground
                }
                Step::Foreground => {
                    if !given(&mut self.foreground, self.mask & mask::FOREGROUND, intake, input) {
                        return Ok(None);
                    }
                    if self.mask & mask::SUBRECTS == 0 { Step::Subrects(0) } else { Step::Count }
                }
                Step::Count => {
                    let Some([count]) = intake.take(input) else { return Ok(None) };
                    Step::Subrects(count)
                }
                Step::Subrects(0) if self.tiles.is_over() => return Ok(Some(self.canvas.take())),
                Step::Subrects(0) => Step::Mask,
                Step::Subrects(left) => {
                    let left = *left - 1;
                    let Some((pixel, rect)) = self.subrect(header, intake, input)? else { return Ok(None) };
                    // Two bytes may paint as much as the tile has.
                    budget.spend(header, rect.area())?;
                    self.canvas.fill(rect, pixel);
                    Step::Subrects(left)
                }
            };
            self.step = next;
        }
    }

    /// What follows the mask.
    fn begin(&self, header: &Header) -> Result<Step, ProtocolError> {
        match self.mask {
            unknown if unknown & !mask::KNOWN != 0 => Err(self.refused(header, "has unknown bits")),
            // The other bits mean nothing then.
            raw if raw & mask::RAW != 0 => Ok(Step::Raw(Vec::new())),
            both if both & mask::FOREGROUND != 0 && both & mask::COLOURED != 0 => {
                Err(self.refused(header, "has both one foreground and many"))
            }
            _ => Ok(Step::Background),
        }
    }

    /// The colour and the place on the canvas of a subrectangle; nothing as long as it is not whole.
    fn subrect(
        &mut self,
        header: &Header,
        intake: &mut Intake,
        input: &mut &[u8],
    ) -> Result<Option<(Pixel, Rect)>, ProtocolError> {
        let (colour, place) = if self.mask & mask::COLOURED != 0 {
            let Some([b, g, r, zero, place @ ..]) = intake.take::<6>(input) else { return Ok(None) };
            (pixel([b, g, r, zero]), place)
        } else {
            let colour = self.foreground.ok_or_else(|| self.refused(header, "has no foreground"))?;
            let Some(place) = intake.take::<2>(input) else { return Ok(None) };
            (colour, place)
        };
        // Four bits each; the size is one less than it is.
        let [[x, y], [width, height]] = place.map(|byte| [byte >> 4, byte & 15].map(u16::from));
        let rect = Rect::new(x, y, width + 1, height + 1);
        if !rect.is_within(self.tile.size()) {
            return Err(self.refused(header, &format!("has a subrectangle {rect}")));
        }
        Ok(Some((colour, Rect { x: self.tile.x + x, y: self.tile.y + y, ..rect })))
    }

    fn refused(&self, header: &Header, reason: &str) -> ProtocolError {
        header.refused(format!("tile {} with mask {:#04x} {reason}", self.tile, self.mask))
    }
}

/// Takes a colour if the mask has its bit; false as long as it is not whole.
fn given(colour: &mut Option<Pixel>, bit: u8, intake: &mut Intake, input: &mut &[u8]) -> bool {
    if bit != 0 {
        let Some(bytes) = intake.take(input) else { return false };
        *colour = Some(pixel(bytes));
    }
    true
}
