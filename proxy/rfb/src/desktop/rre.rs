//! RRE (RFC 6143 §7.7.3): a background and rectangles painted over it.

use super::budget::Budget;
use super::canvas::{Canvas, pixel};
use super::update::Header;
use crate::error::ProtocolError;
use crate::geometry::Rect;
use crate::intake::Intake;

/// A rectangle that is being read.
#[derive(Debug, Default)]
pub(super) struct Rre {
    /// Nothing as long as its header has not come.
    begun: Option<(Canvas, u32)>,
}

impl Rre {
    /// Takes what is there of it; its pixels, row by row, when it is whole.
    pub(super) fn advance(
        &mut self,
        header: &Header,
        budget: &mut Budget,
        intake: &mut Intake,
        input: &mut &[u8],
    ) -> Result<Option<Vec<u8>>, ProtocolError> {
        let size = header.rect.size();
        let (canvas, left) = match &mut self.begun {
            Some(begun) => begun,
            None => {
                let Some([n0, n1, n2, n3, background @ ..]) = intake.take::<8>(input) else {
                    return Ok(None);
                };
                let count = u32::from_be_bytes([n0, n1, n2, n3]);
                if u64::from(count) > size.area() {
                    return Err(header.refused(format!("{count} subrectangles in {size}")));
                }
                self.begun.insert((Canvas::new(size, pixel(background)), count))
            }
        };
        while *left > 0 {
            let Some([b, g, r, zero, x0, x1, y0, y1, w0, w1, h0, h1]) = intake.take(input) else {
                return Ok(None);
            };
            let [x, y, width, height] = [[x0, x1], [y0, y1], [w0, w1], [h0, h1]].map(u16::from_be_bytes);
            let rect = Rect::new(x, y, width, height);
            if rect.is_empty() || !rect.is_within(size) {
                return Err(header.refused(format!("subrectangle {rect} is empty or not within {size}")));
            }
            // Twelve bytes may paint as much as the rectangle has.
            budget.spend(header, rect.area())?;
            canvas.fill(rect, pixel([b, g, r, zero]));
            *left -= 1;
        }
        Ok(Some(canvas.take()))
    }
}
