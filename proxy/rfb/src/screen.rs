//! The one framebuffer of a session: pixels, cursor, a revision number and a bounded journal of what each revision changed.

mod copy;
mod journal;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::geometry::{Point, Rect, Size};
use crate::limits::{MAX_CURSOR, MAX_FRAMEBUFFER};
use crate::pixel::BYTES;
use crate::region::Region;
pub use journal::JOURNAL_REVISIONS;
use journal::Journal;

/// A cursor's picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The pixel that points; inside of the picture, `0,0` for a hidden cursor.
    pub hotspot: Point,
    /// 0x0: hidden.
    pub size: Size,
    /// B, G, R, A of each pixel, row by row; A is 0 or 255, and where it is 0 so are the others.
    pub pixels: Vec<u8>,
}

/// One step of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// New pixels of a rectangle, B, G, R, 0 each, row by row: `area * 4` bytes.
    Pixels {
        /// Where; not empty.
        rect: Rect,
        /// What.
        pixels: Vec<u8>,
    },
    /// Pixels of the screen as it is at this step, moved; source and destination may overlap.
    Copy {
        /// Where to; not empty.
        to: Rect,
        /// Top left corner of the source.
        from: Point,
    },
    /// A new cursor.
    Cursor(Arc<Cursor>),
    /// A new size: what overlaps stays, the rest is black.
    Resize(Size),
}

/// What a viewer that holds a revision lacks. Do `copy` first, then paint `region` from the current screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Damage {
    /// The size has changed since; `region` is then the whole screen.
    pub resized: bool,
    /// The cursor has changed since.
    pub cursor: bool,
    /// A move within what the viewer holds, destination and source corner. Only for one that holds exactly the previous revision.
    pub copy: Option<(Rect, Point)>,
    /// What to paint; inside of the screen.
    pub region: Region,
}

impl Damage {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        !self.resized && !self.cursor && self.copy.is_none() && self.region.is_empty()
    }
}

/// Why an update was not applied; the screen is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScreenError {
    /// A rectangle, or a copy's source, is empty or not wholly on the screen at its step.
    #[error("step {step}: rectangle {rect} is empty or not within the screen of {size}")]
    OutOfBounds {
        /// Index of the change.
        step: usize,
        /// The rectangle.
        rect: Rect,
        /// Size of the screen at this step.
        size: Size,
    },
    /// Pixels of a rectangle or cursor are not `area * 4` bytes.
    #[error("step {step}: {found} bytes of pixels where {wanted} belong")]
    PixelLength {
        /// Index of the change.
        step: usize,
        /// Bytes that belong there.
        wanted: u64,
        /// Bytes that are there.
        found: usize,
    },
    /// A cursor is larger than [`MAX_CURSOR`], or its hotspot is outside of it.
    #[error("step {step}: a cursor of {size} or its hotspot is out of bounds")]
    CursorOutOfBounds {
        /// Index of the change.
        step: usize,
        /// Size of the cursor.
        size: Size,
    },
    /// A size has no pixels or is larger than [`MAX_FRAMEBUFFER`].
    #[error("step {step}: a screen of {size} is empty or larger than {MAX_FRAMEBUFFER}")]
    Size {
        /// Index of the change.
        step: usize,
        /// The size asked for.
        size: Size,
    },
}

/// The framebuffer of a session. One [`Screen::apply`] is one revision.
#[derive(Debug)]
pub struct Screen {
    size: Size,
    pixels: Vec<u8>,
    cursor: Option<Arc<Cursor>>,
    journal: Journal,
}

impl Screen {
    /// A black screen at revision 0. The caller has bounded `size`, as the desktop's connection does: it is allocated here.
    pub fn new(size: Size) -> Self {
        Self { size, pixels: black(size), cursor: None, journal: Journal::default() }
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Number of updates applied.
    pub fn revision(&self) -> u64 {
        self.journal.revision()
    }

    /// B, G, R, 0 of each pixel, row by row without gaps.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Bytes from a row to the next: `width * 4`.
    pub fn stride(&self) -> usize {
        usize::from(self.size.width) * BYTES
    }

    /// The cursor's picture; `None` as long as the desktop has sent none.
    pub fn cursor(&self) -> Option<&Arc<Cursor>> {
        self.cursor.as_ref()
    }

    /// Rows of a rectangle, `width * 4` bytes each; what lies outside of the screen is left out.
    pub fn rows(&self, rect: Rect) -> impl Iterator<Item = &[u8]> {
        let columns = usize::from(rect.x) * BYTES..(usize::from(rect.x) + usize::from(rect.width)) * BYTES;
        self.pixels
            .chunks_exact(self.stride().max(1))
            .skip(usize::from(rect.y))
            .take(usize::from(rect.height))
            .filter_map(move |row| row.get(columns.clone()).or_else(|| row.get(columns.start..)))
    }

    /// Applies one update and returns its revision. Bounds of every change are checked before the first pixel is touched.
    ///
    /// # Errors
    /// The first change that does not fit the screen as the changes before it leave it; then nothing has changed.
    pub fn apply(&mut self, changes: &[Change]) -> Result<u64, ScreenError> {
        self.check(changes)?;
        let mut entry = self.journal.open();
        for change in changes {
            match change {
                Change::Pixels { rect, pixels } => {
                    copy::paint(&mut self.pixels, self.size, *rect, pixels);
                    entry.painted(*rect);
                }
                Change::Copy { to, from } => {
                    copy::shift(&mut self.pixels, self.size, *to, *from);
                    entry.copied(*to, *from);
                }
                Change::Cursor(cursor) => {
                    self.cursor = Some(Arc::clone(cursor));
                    entry.cursor_changed();
                }
                Change::Resize(size) => {
                    self.pixels = copy::resized(&self.pixels, self.size, *size);
                    self.size = *size;
                    entry.resized();
                }
            }
        }
        Ok(self.journal.close(entry))
    }

    /// What one that holds `revision` lacks. Unknown or too old a revision lacks everything.
    pub fn changes_since(&self, revision: u64) -> Damage {
        self.journal.since(revision, self.size)
    }

    fn check(&self, changes: &[Change]) -> Result<(), ScreenError> {
        let mut size = self.size;
        for (step, change) in changes.iter().enumerate() {
            match change {
                Change::Pixels { rect, pixels } => {
                    on_screen(step, *rect, size)?;
                    whole(step, rect.area(), pixels)?;
                }
                Change::Copy { to, from } => {
                    on_screen(step, *to, size)?;
                    on_screen(step, to.at(*from), size)?;
                }
                Change::Cursor(cursor) => cursor_fits(step, cursor)?,
                Change::Resize(new) if new.is_empty() || !new.bounds().is_within(MAX_FRAMEBUFFER) => {
                    return Err(ScreenError::Size { step, size: *new });
                }
                Change::Resize(new) => size = *new,
            }
        }
        Ok(())
    }
}

fn on_screen(step: usize, rect: Rect, size: Size) -> Result<(), ScreenError> {
    if rect.is_empty() || !rect.is_within(size) {
        return Err(ScreenError::OutOfBounds { step, rect, size });
    }
    Ok(())
}

fn whole(step: usize, area: u64, pixels: &[u8]) -> Result<(), ScreenError> {
    let wanted = area * 4;
    if u64::try_from(pixels.len()) != Ok(wanted) {
        return Err(ScreenError::PixelLength { step, wanted, found: pixels.len() });
    }
    Ok(())
}

fn cursor_fits(step: usize, cursor: &Cursor) -> Result<(), ScreenError> {
    let inside = cursor.hotspot.clamped_to(cursor.size) == cursor.hotspot;
    if !inside || !cursor.size.bounds().is_within(MAX_CURSOR) {
        return Err(ScreenError::CursorOutOfBounds { step, size: cursor.size });
    }
    whole(step, cursor.size.area(), &cursor.pixels)
}

/// The bytes of a black screen.
fn black(size: Size) -> Vec<u8> {
    vec![0; usize::from(size.width) * usize::from(size.height) * BYTES]
}
