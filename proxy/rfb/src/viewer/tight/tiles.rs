//! Cuts an area of the screen into pieces of one kind of content, each within the bounds of one Tight rectangle.

use super::content::{Content, is_photo, solid};
use crate::geometry::Rect;
use crate::viewer::picture::Picture;

/// Widest rectangle that Tight decoders accept.
pub(super) const MAX_WIDTH: u32 = 2048;

/// Side of the cells that content is told by.
const CELL: u16 = 64;

/// Pixels of a lossless piece: at 3 bytes each well below Tight's largest length of 4,194,303.
const MAX_SHARP_AREA: u64 = 128 * 1024;

/// Pixels of a JPEG piece; larger ones make a browser wait for the whole of it.
const MAX_PHOTO_AREA: u64 = 256 * 1024;

/// A smaller JPEG is mostly tables.
const MIN_PHOTO_AREA: u64 = 8 * 1024;

/// A smaller fill costs more in the rectangles around it than it saves.
const MIN_SOLID_AREA: u64 = 16 * 1024;

/// A rectangle and how to send it: never [`Content::Sent`].
pub(super) type Piece = (Rect, Content);

/// The cells of one area, reused from area to area.
#[derive(Default)]
pub(super) struct Tiles {
    area: Rect,
    columns: usize,
    cells: Vec<Content>,
    pieces: Vec<Piece>,
}

impl Tiles {
    /// Cuts `area` up; the pieces are disjoint and cover it. Photographs are looked for if they may be sent as such.
    pub(super) fn cut(&mut self, picture: Picture<'_>, area: Rect, photos: bool) -> &[Piece] {
        self.pieces.clear();
        self.classify(picture, area, photos);
        self.collect(|content| matches!(content, Content::Solid(_)), u64::MAX, MIN_SOLID_AREA);
        self.collect(|content| content == Content::Photo, MAX_PHOTO_AREA, MIN_PHOTO_AREA);
        self.collect(|content| content == Content::Sharp, MAX_SHARP_AREA, 0);
        &self.pieces
    }

    fn classify(&mut self, picture: Picture<'_>, area: Rect, photos: bool) {
        self.area = area;
        self.columns = usize::from(area.width.div_ceil(CELL));
        self.cells.clear();
        for row in 0..area.height.div_ceil(CELL) {
            for column in 0..area.width.div_ceil(CELL) {
                let cell = cell_of(area, column, row);
                self.cells.push(match solid(picture, cell) {
                    Some(colour) => Content::Solid(colour),
                    None if photos && is_photo(picture, cell) => Content::Photo,
                    None => Content::Sharp,
                });
            }
        }
    }

    /// Makes pieces of the cells of one kind; a piece under `least` pixels becomes sharp cells instead.
    fn collect(&mut self, kind: impl Fn(Content) -> bool, most: u64, least: u64) {
        for start in 0..self.cells.len() {
            let Some(content) = self.cells.get(start).copied().filter(|&content| kind(content)) else {
                continue;
            };
            let (columns, rows) = self.grow(start, content, most);
            let piece = self.rect(start, columns, rows);
            let taken = if piece.area() < least { Content::Sharp } else { Content::Sent };
            for row in 0..rows {
                let first = start + row * self.columns;
                if let Some(cells) = self.cells.get_mut(first..first + columns) {
                    cells.fill(taken);
                }
            }
            if taken == Content::Sent {
                self.pieces.push((piece, content));
            }
        }
    }

    /// Columns and rows of cells equal to the one at `start`: to the right as far as it goes, then downwards.
    fn grow(&self, start: usize, content: Content, most: u64) -> (usize, usize) {
        let widest = (self.columns - start % self.columns)
            .min(usize::try_from(MAX_WIDTH).unwrap_or(usize::MAX) / usize::from(CELL));
        let same = |first: usize, columns: usize| {
            self.cells.get(first..first + columns).is_some_and(|cells| cells.iter().all(|&cell| cell == content))
        };
        let fits = |columns: usize, rows: usize| self.rect(start, columns, rows).area() <= most;
        let mut columns = 1;
        while columns < widest && same(start + columns, 1) && fits(columns + 1, 1) {
            columns += 1;
        }
        let mut rows = 1;
        while same(start + rows * self.columns, columns) && fits(columns, rows + 1) {
            rows += 1;
        }
        (columns, rows)
    }

    /// The pixels of a block of cells.
    fn rect(&self, start: usize, columns: usize, rows: usize) -> Rect {
        let number = |cells: usize| u16::try_from(cells).unwrap_or(u16::MAX);
        let first = cell_of(self.area, number(start % self.columns), number(start / self.columns));
        let last = start + columns - 1 + (rows - 1) * self.columns;
        first.union(cell_of(self.area, number(last % self.columns), number(last / self.columns)))
    }
}

/// The pixels of one cell; those at the right and at the bottom may be smaller.
fn cell_of(area: Rect, column: u16, row: u16) -> Rect {
    let (left, top) = (column.saturating_mul(CELL), row.saturating_mul(CELL));
    Rect::new(
        area.x.saturating_add(left),
        area.y.saturating_add(top),
        CELL.min(area.width.saturating_sub(left)),
        CELL.min(area.height.saturating_sub(top)),
    )
}
