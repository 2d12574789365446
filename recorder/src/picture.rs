//! From the screen to the picture that is encoded: only what is damaged is converted, and the cursor is drawn in.
use std::sync::Arc;

use portcullis_rfb::{Cursor, Point, Rect, Region, Screen, Size};

use crate::convert::Converter;
use crate::encoder::{Canvas, EncoderError, coded};

/// What is drawn on an encoder's canvas beside the screen's pixels.
#[derive(Debug, Default)]
pub(crate) struct Picture {
    drawn: Option<Drawn>,
    converter: Converter,
    /// Pixels of a small area, B, G, R, 0, before they are converted.
    scratch: Vec<u8>,
}

/// A cursor as it lies on the canvas.
#[derive(Debug, Clone)]
struct Drawn {
    cursor: Arc<Cursor>,
    pointer: Point,
    /// What it covers, with even edges.
    area: Rect,
}

impl Picture {
    /// Brings the canvas up to date: `damage` from the screen, and the cursor at `pointer`, once both are known.
    ///
    /// INVARIANT: but for `damage` and the cursor, the canvas shows the screen already. Returns what was touched, with even edges.
    pub(crate) fn draw(
        &mut self,
        canvas: &mut Canvas<'_>,
        screen: &Screen,
        damage: &Region,
        pointer: Option<Point>,
    ) -> Result<Region, EncoderError> {
        let place = screen.cursor().zip(pointer).and_then(|(cursor, pointer)| {
            let area = covered(cursor, pointer, screen.size())?;
            Some(Drawn { cursor: Arc::clone(cursor), pointer, area })
        });
        let mut touched = Region::new();
        for rect in damage.rects() {
            touched.add(even(*rect, screen.size()));
        }
        let moved = self.drawn != place;
        if let Some(old) = &self.drawn
            && (moved || touched.intersects(old.area))
        {
            touched.add(old.area);
        }
        for rect in touched.rects() {
            self.convert(canvas, screen, *rect)?;
        }
        if let Some(new) = &place
            && (moved || touched.intersects(new.area))
        {
            self.gather(screen, new.area);
            overlay(&mut self.scratch, new, screen.size());
            let stride = usize::from(new.area.width) * 4;
            self.converter.convert(canvas, &self.scratch, stride, new.area)?;
            touched.add(new.area);
        }
        self.drawn = place;
        Ok(touched)
    }

    /// Converts a rectangle with even edges. Where an odd edge of the screen lies within, the strip beside it gets black neighbours.
    fn convert(&mut self, canvas: &mut Canvas<'_>, screen: &Screen, rect: Rect) -> Result<(), EncoderError> {
        let whole = Size::new(screen.size().width & !1, screen.size().height & !1);
        if let Some(inner) = rect.intersection(Rect::new(0, 0, whole.width, whole.height)) {
            let start = usize::from(inner.y) * screen.stride() + usize::from(inner.x) * 4;
            let pixels = screen.pixels().get(start..).unwrap_or_default();
            self.converter.convert(canvas, pixels, screen.stride(), inner)?;
        }
        let column = Rect::new(whole.width, 0, 2, u16::MAX);
        let row = Rect::new(0, whole.height, u16::MAX, 2);
        for strip in [rect.intersection(column), rect.intersection(row)].into_iter().flatten() {
            self.gather(screen, strip);
            let stride = usize::from(strip.width) * 4;
            self.converter.convert(canvas, &self.scratch, stride, strip)?;
        }
        Ok(())
    }

    /// Copies the pixels of `rect` into `scratch`, black where it goes beyond the screen.
    fn gather(&mut self, screen: &Screen, rect: Rect) {
        let stride = usize::from(rect.width) * 4;
        self.scratch.clear();
        self.scratch.resize(stride * usize::from(rect.height), 0);
        for (to, from) in self.scratch.chunks_exact_mut(stride.max(1)).zip(screen.rows(rect)) {
            if let Some(to) = to.get_mut(..from.len()) {
                to.copy_from_slice(from);
            }
        }
    }
}

impl PartialEq for Drawn {
    fn eq(&self, other: &Self) -> bool {
        self.pointer == other.pointer && (Arc::ptr_eq(&self.cursor, &other.cursor) || self.cursor == other.cursor)
    }
}

/// The smallest rectangle with even edges around `rect`, within the video of a screen of `size`.
fn even(rect: Rect, size: Size) -> Rect {
    let coded = coded(size);
    let side = |start: u16, end: u32, most: u16| {
        let start = start & !1;
        let end = u16::try_from(end.next_multiple_of(2)).unwrap_or(most).min(most);
        (start, end.saturating_sub(start))
    };
    let (x, width) = side(rect.x, rect.right(), coded.width);
    let (y, height) = side(rect.y, rect.bottom(), coded.height);
    Rect::new(x, y, width, height)
}

/// What a cursor covers on the screen, with even edges; `None` when it is hidden or outside.
fn covered(cursor: &Cursor, pointer: Point, size: Size) -> Option<Rect> {
    let left = pointer.x.saturating_sub(cursor.hotspot.x);
    let top = pointer.y.saturating_sub(cursor.hotspot.y);
    let end = |pointer: u16, hotspot: u16, length: u16| {
        (u32::from(pointer) + u32::from(length)).checked_sub(u32::from(hotspot))
    };
    let right = end(pointer.x, cursor.hotspot.x, cursor.size.width)?;
    let bottom = end(pointer.y, cursor.hotspot.y, cursor.size.height)?;
    let extent = |end: u32, start: u16| u16::try_from(end.checked_sub(u32::from(start))?).ok();
    let rect = Rect::new(left, top, extent(right, left)?, extent(bottom, top)?);
    let visible = rect.intersection(Rect::new(0, 0, size.width, size.height))?;
    Some(even(visible, size))
}

/// Draws the cursor over the gathered pixels of its area, as far as they are on the screen.
fn overlay(scratch: &mut [u8], drawn: &Drawn, size: Size) {
    let Drawn { cursor, pointer, area } = drawn;
    let stride = usize::from(area.width) * 4;
    // Distance from the picture's corner to the area's: what is cut off at the screen's left and top, or the even edge before it.
    let offset = |start: u16, pointer: u16, hotspot: u16| i32::from(start) + i32::from(hotspot) - i32::from(pointer);
    let dx = offset(area.x, pointer.x, cursor.hotspot.x);
    let dy = offset(area.y, pointer.y, cursor.hotspot.y);
    let row_bytes = usize::from(cursor.size.width) * 4;
    let (columns, rows) = (usize::from(size.width - area.x), usize::from(size.height - area.y));
    for (y, row) in (dy..).zip(scratch.chunks_exact_mut(stride.max(1)).take(rows)) {
        let Ok(y) = usize::try_from(y) else { continue };
        let Some(shape) = cursor.pixels.get(y * row_bytes..).and_then(|rest| rest.get(..row_bytes)) else {
            break;
        };
        for (x, pixel) in (dx..).zip(row.chunks_exact_mut(4).take(columns)) {
            let Ok(x) = usize::try_from(x) else { continue };
            let dot = shape.get(x * 4..).and_then(|rest| rest.get(..4));
            if let Some(dot @ [.., 255]) = dot {
                pixel.copy_from_slice(dot);
            }
        }
    }
}

#[cfg(test)]
mod tests;
