//! FramebufferUpdate (RFC 6143 §7.6.1): rectangles until their count or a LastRect ends it, within the budget.

use super::Progress;
use super::messages::Desktop;
use super::rectangle::{Body, Parsed};
use crate::error::{ProtocolError, Side};
use crate::geometry::{Point, Rect};
use crate::intake::Intake;
use crate::limits::Limits;
use crate::screen::Change;
use crate::wire::Encoding;

/// The header of a rectangle (RFC 6143 §7.6.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// Place and size, or what a pseudo-encoding puts there.
    pub(super) rect: Rect,
    /// How its body is encoded.
    pub(super) encoding: Encoding,
    /// How many came before it in its update.
    pub(super) index: u16,
}

impl Header {
    fn parse(bytes: [u8; 12], index: u16) -> Self {
        let [x0, x1, y0, y1, w0, w1, h0, h1, encoding @ ..] = bytes;
        let rect = Rect::new(
            u16::from_be_bytes([x0, x1]),
            u16::from_be_bytes([y0, y1]),
            u16::from_be_bytes([w0, w1]),
            u16::from_be_bytes([h0, h1]),
        );
        Self { rect, encoding: Encoding(i32::from_be_bytes(encoding)), index }
    }

    /// An error of this rectangle.
    pub(super) fn refused(&self, reason: impl Into<String>) -> ProtocolError {
        let field = format!("rectangle {} {}", self.index, self.encoding);
        ProtocolError::new(Side::Desktop, "FramebufferUpdate", field, reason)
    }
}

/// A whole update.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// What it changes, in order.
    pub(super) changes: Vec<Change>,
    /// Statuses of sizes that were refused; at most [`crate::limits::MAX_UPDATE_RESIZES`].
    pub(super) refusals: Vec<u16>,
}

/// The parser of one update.
#[derive(Debug)]
pub(super) struct Update {
    limits: Limits,
    count: u16,
    /// Rectangles whose header has come.
    begun: u16,
    current: Option<(Header, Body)>,
    done: Done,
}

impl Update {
    /// An update of `count` rectangles.
    pub(super) fn new(count: u16, limits: Limits) -> Self {
        Self { limits, count, begun: 0, current: None, done: Done::default() }
    }

    /// Takes the next header of `input`, or what is there of the body that is open.
    pub(super) fn advance(
        &mut self,
        desktop: &mut Desktop,
        intake: &mut Intake,
        input: &mut &[u8],
    ) -> Result<Progress<Done>, ProtocolError> {
        let Some((header, body)) = &mut self.current else {
            return self.begin(desktop, intake, input);
        };
        let Some(parsed) = body.advance(header, desktop, intake, input)? else {
            return Ok(Progress::Wait);
        };
        let header = *header;
        self.current = None;
        self.finish(header, parsed, desktop)?;
        Ok(Progress::Again)
    }

    fn begin(
        &mut self,
        desktop: &mut Desktop,
        intake: &mut Intake,
        input: &mut &[u8],
    ) -> Result<Progress<Done>, ProtocolError> {
        if self.begun == self.count {
            return Ok(Progress::Done(std::mem::take(&mut self.done)));
        }
        let Some(bytes) = intake.take(input) else {
            return Ok(Progress::Wait);
        };
        let header = Header::parse(bytes, self.begun);
        self.begun += 1;
        desktop.budget.begin(&header)?;
        match header.encoding {
            // The count is then only an upper bound; most desktops write 65535.
            Encoding::LAST_RECT => self.count = self.begun,
            Encoding::QEMU_EXTENDED_KEY_EVENT => desktop.takes_scancodes = true,
            Encoding::DESKTOP_SIZE => self.finish(header, Parsed::Size, desktop)?,
            _ => {
                let body = Body::new(&header, desktop, &self.limits)?;
                desktop.budget.spend(&header, body.area(&header))?;
                self.current = Some((header, body.allocated()));
            }
        }
        Ok(Progress::Again)
    }

    fn finish(&mut self, header: Header, parsed: Parsed, desktop: &mut Desktop) -> Result<(), ProtocolError> {
        match parsed {
            Parsed::Change(change) => self.done.changes.push(change),
            Parsed::Size => self.resize(&header, desktop)?,
            Parsed::Layout { screen_id } => {
                desktop.screen_id = Some(screen_id.unwrap_or_default());
                self.answer(&header, desktop)?;
            }
        }
        Ok(())
    }

    /// An ExtendedDesktopSize: its x is a reason, its y the status of a request of ours.
    fn answer(&mut self, header: &Header, desktop: &mut Desktop) -> Result<(), ProtocolError> {
        match header.rect.origin() {
            Point { x: REASON_DESKTOP | REASON_OTHER, .. } | Point { x: REASON_OURS, y: 0 } => {
                self.resize(header, desktop)
            }
            Point { x: REASON_OURS, y: status @ 1..=LAST_STATUS } => {
                desktop.budget.resize(header)?;
                self.done.refusals.push(status);
                Ok(())
            }
            Point { x: REASON_OURS, y: status } => Err(header.refused(format!("status {status} has no meaning"))),
            Point { x: reason, .. } => Err(header.refused(format!("reason {reason} has no meaning"))),
        }
    }

    fn resize(&mut self, header: &Header, desktop: &mut Desktop) -> Result<(), ProtocolError> {
        let size = header.rect.size();
        if !self.limits.allows_framebuffer(size) {
            return Err(header.refused(format!("{size} is empty or larger than {}", self.limits.framebuffer)));
        }
        // The same size once more costs nothing, and an honest desktop says it several times over when several were asked for.
        if size != desktop.size {
            desktop.budget.resize(header)?;
            desktop.size = size;
            desktop.budget.grow(size);
            self.done.changes.push(Change::Resize(size));
        }
        Ok(())
    }
}

#[cfg(test)]
impl Update {
    /// Bytes reserved for the body that is being read.
    pub(super) fn allocated(&self) -> usize {
        match &self.current {
            Some((_, Body::Raw { pixels: bytes, .. } | Body::Cursor { bytes, .. })) => bytes.capacity(),
            _ => 0,
        }
    }
}

/// ExtendedDesktopSize's x: the desktop itself changed its size.
const REASON_DESKTOP: u16 = 0;
/// It answers a SetDesktopSize of ours.
const REASON_OURS: u16 = 1;
/// It answers somebody else's.
const REASON_OTHER: u16 = 2;
/// Highest status that the specification knows: the request was forwarded.
const LAST_STATUS: u16 = 4;
