//! One FramebufferUpdate message while it is written (RFC 6143 §7.6.1).

use crate::geometry::Rect;
use crate::limits::MAX_UPDATE_BYTES;
use crate::region::Region;
use crate::wire::{DesktopMessage, Encoding};

/// Rectangles after which an update takes no more; the count on the wire is 16 bits.
const MAX_RECTS: u16 = 60_000;

/// Type, padding, number of rectangles.
const HEAD: usize = 4;

/// A message under construction, and what its rectangles leave to be done.
pub(super) struct Update {
    bytes: Vec<u8>,
    rects: u16,
    owed: Region,
    lossy: Region,
    unpacked: Vec<Rect>,
}

impl Update {
    pub(super) fn new() -> Self {
        let mut bytes = Vec::with_capacity(1024);
        bytes.extend([DesktopMessage::FRAMEBUFFER_UPDATE.0, 0, 0, 0]);
        Self { bytes, rects: 0, owed: Region::new(), lossy: Region::new(), unpacked: Vec::new() }
    }

    /// Begins a rectangle; what is pushed to the answer is its body.
    pub(super) fn rect(&mut self, rect: Rect, encoding: Encoding) -> &mut Vec<u8> {
        self.rects = self.rects.saturating_add(1);
        for number in [rect.x, rect.y, rect.width, rect.height] {
            self.bytes.extend(number.to_be_bytes());
        }
        self.bytes.extend(encoding.0.to_be_bytes());
        &mut self.bytes
    }

    /// No rectangle has been written.
    pub(super) fn is_empty(&self) -> bool {
        self.rects == 0
    }

    /// What comes now is [`Update::owe`]d to the next update.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= MAX_UPDATE_BYTES || self.rects >= MAX_RECTS
    }

    /// Notes that `rect` should have been in this update and is not.
    pub(super) fn owe(&mut self, rect: Rect) {
        self.owed.add(rect);
    }

    /// Notes that `rect` was sent as an approximation.
    pub(super) fn lossy(&mut self, rect: Rect) {
        self.lossy.add(rect);
    }

    /// Notes that `rect` could not be compressed, so that it is sent as it is.
    pub(super) fn unpacked(&mut self, rect: Rect) {
        self.unpacked.push(rect);
    }

    /// What was noted as not compressed, once.
    pub(super) fn take_unpacked(&mut self) -> Vec<Rect> {
        std::mem::take(&mut self.unpacked)
    }

    /// The whole message, what it owes and what it sent as approximations.
    pub(super) fn finish(mut self) -> (Vec<u8>, Region, Region) {
        if let Some(head) = self.bytes.first_chunk_mut::<HEAD>() {
            let [high, low] = self.rects.to_be_bytes();
            *head = [DesktopMessage::FRAMEBUFFER_UPDATE.0, 0, high, low];
        }
        (self.bytes, self.owed, self.lossy)
    }
}
