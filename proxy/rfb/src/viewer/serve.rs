//! Updates: what a viewer lacks of the screen, told in its encodings, one update at a time.

use std::sync::Arc;

use super::connection::Connection;
use super::cursor::cursor;
use super::format::raw;
use super::picture::Picture;
use super::sizes::{Reason, STATUS_DONE, extended, plain};
use super::update::Update;
use crate::error::{ProtocolError, Side};
use crate::geometry::{Point, Rect, Size};
use crate::region::Region;
use crate::screen::Screen;
use crate::wire::Encoding;

/// Pixels that one [`Connection::refine`] sends anew: small enough that what happens next does not wait behind it.
pub const REFINED_PIXELS: u64 = 128 * 1024;

impl Connection {
    /// Whether an update would be sent if there were something in it: a request is outstanding, or continuous updates are on and the
    /// viewer has dealt with enough of those before; and the output with the last one has been taken.
    pub fn wants_update(&self) -> bool {
        let asked = if self.asked.continuous { self.pacing.is_open() } else { self.asked.update };
        self.is_ready() && asked && !self.out.update
    }

    /// Encodes what this viewer lacks of `screen`, if it [`Connection::wants_update`]; whether there was anything.
    /// Call it when the screen has changed and when the viewer has been heard or its output been taken; with nothing to do it is cheap.
    ///
    /// # Errors
    /// The size has changed and the viewer cannot be told so. The connection is over: close it.
    pub fn update(&mut self, screen: &Screen) -> Result<bool, ProtocolError> {
        if !self.wants_update() {
            return Ok(false);
        }
        let mut update = Update::new();
        if let Err(error) = self.tell(&mut update, screen.size()) {
            return Err(self.broken(error));
        }
        // A new size goes alone: vnc-rs refuses pixels beside it, and TigerVNC keeps them apart as well.
        if update.is_empty() {
            self.paint(&mut update, screen);
        }
        Ok(self.send(update))
    }

    /// Sends a part of what was sent as JPEG anew without loss, if the viewer wants an update and lacks nothing else.
    /// Call it while the screen rests; false when there is no more to do.
    pub fn refine(&mut self, screen: &Screen) -> bool {
        let rests = self.held.revision == Some(screen.revision()) && self.held.owed.is_empty();
        if !rests || !self.wants_update() || self.told.size != screen.size() {
            return false;
        }
        let mut update = Update::new();
        let mut left = REFINED_PIXELS;
        while let Some(piece) = self.held.lossy.rects().first().and_then(|&rect| top_of(rect, left)) {
            left = left.saturating_sub(piece.area());
            self.held.lossy.remove(piece);
            self.paint_rect(&mut update, screen, piece, None);
        }
        self.send(update)
    }

    /// Whether [`Connection::refine`] has something left to do.
    pub fn is_lossy(&self) -> bool {
        !self.held.lossy.is_empty()
    }

    /// Pseudo-rectangles that agree on something: extended keys, sizes.
    fn tell(&mut self, update: &mut Update, size: Size) -> Result<(), ProtocolError> {
        if self.known.extended_keys && !self.told.extended_keys {
            self.told.extended_keys = true;
            update.rect(Rect::default(), Encoding::QEMU_EXTENDED_KEY_EVENT);
        }
        let resized = size != self.told.size;
        let status = self.asked.size_status.take();
        if self.known.extended_desktop_size {
            if resized || !self.told.extended_desktop_size {
                // noVNC asks for no other size until the one it asked for is answered, so the first new one is its answer.
                let asked = resized && std::mem::take(&mut self.asked.size);
                let reason = if asked { Reason::Asked } else { Reason::Desktop };
                extended(update, reason, STATUS_DONE, size);
                self.told.extended_desktop_size = true;
            }
            if let Some(status) = status {
                extended(update, Reason::Asked, status, size);
            }
        } else if resized {
            if !self.known.desktop_size {
                let reason =
                    format!("the size is now {size} and the viewer knows neither DesktopSize nor ExtendedDesktopSize");
                return Err(ProtocolError::new(Side::Viewer, "SetEncodings", "encoding-type", reason));
            }
            plain(update, size);
        }
        if resized {
            self.told.size = size;
            self.held.revision = None;
            self.held.owed.clear();
            self.held.lossy.clear();
        }
        Ok(())
    }

    /// Cursor, then the move, then the pixels.
    fn paint(&mut self, update: &mut Update, screen: &Screen) {
        self.paint_cursor(update, screen);
        let (moved, mut region) = self.lacks(screen);
        if let Some((to, from)) = moved {
            let bytes = update.rect(to, Encoding::COPY_RECT);
            bytes.extend(from.x.to_be_bytes());
            bytes.extend(from.y.to_be_bytes());
            carry(&mut self.held.owed, to, from);
            carry(&mut self.held.lossy, to, from);
        }
        region.extend(&std::mem::take(&mut self.held.owed));
        let quality = self.known.quality.filter(|_| self.config.jpeg);
        for &rect in region.rects() {
            self.held.lossy.remove(rect);
            self.paint_rect(update, screen, rect, quality);
        }
        self.held.revision = Some(screen.revision());
        if !update.is_empty() {
            self.held.newest = screen.revision();
        }
    }

    fn paint_cursor(&mut self, update: &mut Update, screen: &Screen) {
        let Some(shown) = screen.cursor().filter(|_| self.known.cursor || self.known.vmware_cursor) else {
            return;
        };
        if !self.told.cursor.as_ref().is_some_and(|told| Arc::ptr_eq(told, shown)) {
            cursor(update, shown, &self.known, self.order);
            self.told.cursor = Some(Arc::clone(shown));
        }
    }

    /// What to move and then to paint so that this viewer holds the screen, but for what it is owed from before.
    fn lacks(&mut self, screen: &Screen) -> (Option<(Rect, Point)>, Region) {
        let mut whole = Region::new();
        whole.add(screen.size().bounds());
        let Some(revision) = self.held.revision else {
            self.asked.refresh = false;
            return (None, whole);
        };
        if self.asked.refresh && self.asked.refresh_granted {
            self.asked.refresh = false;
            self.asked.refresh_granted = false;
            return (None, whole);
        }
        let mut damage = screen.changes_since(revision);
        if let Some((to, _)) = damage.copy.filter(|_| !self.known.copy_rect) {
            damage.region.add(to);
            damage.copy = None;
        }
        (damage.copy, damage.region)
    }

    fn paint_rect(&mut self, update: &mut Update, screen: &Screen, rect: Rect, quality: Option<u8>) {
        let picture = Picture::of(screen);
        if self.known.tight {
            self.tight.encode(update, picture, rect, quality);
            for rect in update.take_unpacked() {
                raw(update, picture, rect, self.order);
            }
        } else {
            raw(update, picture, rect, self.order);
        }
    }

    /// Puts the update in the output, with a fence behind it where fences set the pace; false if it is empty.
    fn send(&mut self, update: Update) -> bool {
        let empty = update.is_empty();
        let (bytes, owed, lossy) = update.finish();
        self.held.owed.extend(&owed);
        self.held.lossy.extend(&lossy);
        if empty {
            return false;
        }
        let length = bytes.len();
        if self.out.bytes.is_empty() {
            self.out.bytes = bytes;
        } else {
            self.out.bytes.extend(bytes);
        }
        self.out.update = true;
        self.asked.update = false;
        if self.asked.continuous {
            self.pacing.sent(length, &mut self.out.bytes);
        }
        true
    }
}

/// Where `region` lay in the source of a move, it lies in the destination too.
fn carry(region: &mut Region, to: Rect, from: Point) {
    let shared: Vec<Rect> = region.rects().iter().filter_map(|rect| rect.intersection(to.at(from))).collect();
    for rect in shared {
        region.add(rect.at(Point::new(to.x + (rect.x - from.x), to.y + (rect.y - from.y))));
    }
}

/// The upper rows of `rect` that are at most `pixels`; none if not a single row is.
fn top_of(rect: Rect, pixels: u64) -> Option<Rect> {
    let rows = pixels / u64::from(rect.width.max(1));
    let height = u16::try_from(rows).unwrap_or(u16::MAX).min(rect.height);
    (height > 0).then_some(Rect { height, ..rect })
}
