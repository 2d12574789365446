//! What a desktop may cost between two requests: a copy of the whole screen is 16 bytes on the wire, and costs 33 MB of memory traffic.

use super::update::Header;
use crate::error::ProtocolError;
use crate::geometry::Size;
use crate::limits::{MAX_CURSOR, MAX_UPDATE_AREAS, MAX_UPDATE_RECTANGLES, MAX_UPDATE_RESIZES};

/// Pixels, rectangles and sizes spent since the last request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    spent: u64,
    largest: u64,
    rectangles: u32,
    resizes: u8,
}

impl Budget {
    /// A whole budget for a framebuffer of `size`.
    pub(super) fn new(size: Size) -> Self {
        // A cursor has its place on the smallest screen too.
        Self { spent: 0, largest: size.area().max(MAX_CURSOR.area()), rectangles: 0, resizes: 0 }
    }

    /// The framebuffer has another size: a larger one may be filled.
    pub(super) fn grow(&mut self, size: Size) {
        self.largest = self.largest.max(size.area());
    }

    /// Takes one rectangle, the one of `header`: those without pixels cost the time to read them.
    pub(super) fn begin(&mut self, header: &Header) -> Result<(), ProtocolError> {
        if self.rectangles == MAX_UPDATE_RECTANGLES {
            return Err(header.refused(format!("over {MAX_UPDATE_RECTANGLES} rectangles since the last request")));
        }
        self.rectangles += 1;
        Ok(())
    }

    /// Takes `area` pixels written or moved by the rectangle of `header`.
    pub(super) fn spend(&mut self, header: &Header, area: u64) -> Result<(), ProtocolError> {
        self.spent += area;
        if self.spent > self.largest * MAX_UPDATE_AREAS {
            return Err(header.refused(format!("over {MAX_UPDATE_AREAS} times the screen since the last request")));
        }
        Ok(())
    }

    /// Takes a size announced by the rectangle of `header`.
    pub(super) fn resize(&mut self, header: &Header) -> Result<(), ProtocolError> {
        if self.resizes == MAX_UPDATE_RESIZES {
            return Err(header.refused(format!("over {MAX_UPDATE_RESIZES} sizes since the last request")));
        }
        self.resizes += 1;
        Ok(())
    }
}
