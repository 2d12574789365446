//! A picture's brightness in tiles of 16 by 16 pixels: which of them differ between two pictures, and which have lines or letters on them.
use portcullis_rfb::{Rect, Size};

/// Pixels along a tile's edge: a macroblock's, so that what the encoder left alone is left alone here.
pub(super) const TILE: usize = 16;
/// A pixel is another one when it is so much brighter or darker: a picture that is encoded anew is never quite the same.
const OTHER: u8 = 40;
/// So many other pixels make a tile another one, and so many edges make ink: a full stop has four.
const ENOUGH: usize = 3;

/// How a picture is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) columns: usize,
    pub(super) rows: usize,
}

impl Grid {
    pub(super) fn of(size: Size) -> Self {
        let (width, height) = (usize::from(size.width), usize::from(size.height));
        Self { width, height, columns: width.div_ceil(TILE), rows: height.div_ceil(TILE) }
    }

    /// How many tiles there are.
    pub(super) fn tiles(self) -> usize {
        self.columns.saturating_mul(self.rows)
    }

    /// The column and the row of a tile.
    pub(super) fn place(self, tile: usize) -> (usize, usize) {
        (tile.checked_rem(self.columns).unwrap_or(0), tile.checked_div(self.columns).unwrap_or(0))
    }

    /// The lines of pixels of one tile.
    pub(super) fn lines(self, luma: &[u8], tile: usize) -> impl Iterator<Item = &[u8]> {
        let (column, row) = self.place(tile);
        let left = column.saturating_mul(TILE);
        let right = left.saturating_add(TILE).min(self.width);
        let top = row.saturating_mul(TILE);
        (top..top.saturating_add(TILE).min(self.height)).filter_map(move |y| {
            let line = y.saturating_mul(self.width);
            luma.get(line.saturating_add(left)..line.saturating_add(right))
        })
    }

    /// The tiles that a rectangle touches.
    pub(super) fn under(self, rect: Rect) -> impl Iterator<Item = usize> {
        let across = |from: u16, to: u32, most: usize| {
            let last = usize::try_from(to.saturating_sub(1)).unwrap_or(usize::MAX) / TILE;
            usize::from(from) / TILE..last.saturating_add(1).min(most)
        };
        let columns = across(rect.x, rect.right(), self.columns);
        across(rect.y, rect.bottom(), self.rows).flat_map(move |row| {
            columns.clone().map(move |column| row.saturating_mul(self.columns).saturating_add(column))
        })
    }

    /// The tiles that differ at all, byte for byte.
    pub(super) fn touched(self, one: &[u8], other: &[u8]) -> Vec<usize> {
        let band = self.width.saturating_mul(TILE).max(1);
        let bands = one.chunks(band).zip(other.chunks(band)).enumerate().filter(|(_, (one, other))| one != other);
        let rows = bands.map(|(row, _)| row.saturating_mul(self.columns));
        rows.flat_map(|first| first..first.saturating_add(self.columns))
            .filter(|tile| self.lines(one, *tile).ne(self.lines(other, *tile)))
            .collect()
    }

    /// Whether a tile of two pictures looks different.
    pub(super) fn differs(self, one: &[u8], other: &[u8], tile: usize) -> bool {
        let lines = self.lines(one, tile).zip(self.lines(other, tile));
        let pixels = lines.flat_map(|(one, other)| one.iter().zip(other));
        pixels.filter(|(one, other)| one.abs_diff(**other) > OTHER).take(ENOUGH).count() == ENOUGH
    }

    /// Whether a tile has edges.
    pub(super) fn has_ink(self, luma: &[u8], tile: usize) -> bool {
        self.lines(luma, tile).flat_map(edges).take(ENOUGH).count() == ENOUGH
    }

    /// Makes a tile of one picture that of the other.
    pub(super) fn copy(self, from: &[u8], to: &mut [u8], tile: usize) {
        let (column, row) = self.place(tile);
        let (left, top) = (column.saturating_mul(TILE), row.saturating_mul(TILE));
        for (y, line) in (top..).zip(self.lines(from, tile)) {
            let at = y.saturating_mul(self.width).saturating_add(left);
            if let Some(to) = to.get_mut(at..at.saturating_add(line.len())) {
                to.copy_from_slice(line);
            }
        }
    }

    /// Edges on a line of pixels between two columns, and towards the line below it.
    pub(super) fn crossings(self, luma: &[u8], y: usize, columns: std::ops::Range<usize>) -> (usize, usize) {
        let line = |y: usize| {
            let at = y.saturating_mul(self.width);
            luma.get(at.saturating_add(columns.start)..at.saturating_add(columns.end.min(self.width)))
                .unwrap_or_default()
        };
        let (here, below) = (line(y), line(y.saturating_add(1)));
        let down = here.iter().zip(below).filter(|(one, other)| one.abs_diff(**other) > OTHER).count();
        (edges(here).count(), down)
    }
}

/// Edges between neighbours on a line of pixels.
fn edges(line: &[u8]) -> impl Iterator<Item = ()> {
    line.iter().zip(line.iter().skip(1)).filter(|(one, next)| one.abs_diff(**next) > OTHER).map(|_| ())
}

/// How much there is to see on a picture: its tiles with edges.
pub(super) fn detail(size: Size, luma: &[u8]) -> usize {
    let grid = Grid::of(size);
    (0..grid.tiles()).filter(|tile| grid.has_ink(luma, *tile)).count()
}
