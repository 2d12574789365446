//! What is drawn over a screen of one size, as runs of pixels: black where it is hidden, ink where a watermark is, nothing elsewhere.

use portcullis_policy::Colour;
use portcullis_rfb::{Rect, Size};

use super::lettering::Stamp;

/// A watermark and where it stands.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) stamp: Stamp,
    pub(super) colour: Colour,
    /// Percent.
    pub(super) opacity: u8,
    /// Top left corners; parts may lie beyond the screen.
    pub(super) at: Vec<(i32, i32)>,
}

/// What becomes of a pixel: blue, green and red that are added to the share of it, of 255, that is kept.
type Ink = [u8; 4];

/// A pixel that is left as it is.
const CLEAR: Ink = [0, 0, 0, 255];
/// A pixel of which nothing is kept.
const BLACK: Ink = [0; 4];

/// Side of the squares in which two overlays are compared.
const CELL: u16 = 32;

/// What is drawn over a screen. Its memory is bounded by the screen: at most 10 bytes a pixel, and in practice what letters cover.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overlay {
    size: Size,
    /// Where the runs of each row end.
    rows: Vec<usize>,
    runs: Vec<Run>,
    inks: Vec<Ink>,
    hides: bool,
}

/// Neighbours in a row that are drawn over. INVARIANT: runs of a row are in order and do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    x: u16,
    width: u16,
    /// The index of its first ink; all black without.
    inks: Option<usize>,
}

impl Run {
    fn end(self) -> u32 {
        u32::from(self.x) + u32::from(self.width)
    }
}

impl Overlay {
    /// Nothing, over a screen of this size.
    pub(super) fn nothing(size: Size) -> Self {
        Self { size, rows: vec![0; usize::from(size.height)], runs: Vec::new(), inks: Vec::new(), hides: false }
    }

    /// Black rectangles, and watermarks over them, each over those before it.
    pub(super) fn of(size: Size, black: &[Rect], marks: &[Placed]) -> Self {
        let mut overlay = Self::nothing(size);
        overlay.hides = !black.is_empty();
        let mut row = vec![CLEAR; usize::from(size.width)];
        for (y, end) in (0..size.height).zip(0usize..) {
            row.fill(CLEAR);
            for rect in black.iter().filter(|rect| rect.y <= y && u32::from(y) < rect.bottom()) {
                let columns = usize::from(rect.x)..usize::from(rect.x) + usize::from(rect.width);
                row.get_mut(columns).unwrap_or_default().fill(BLACK);
            }
            marks.iter().for_each(|mark| mark.draw(y, &mut row));
            overlay.append(&row);
            if let Some(place) = overlay.rows.get_mut(end) {
                *place = overlay.runs.len();
            }
        }
        overlay
    }

    /// Whether a region of the screen is hidden.
    pub(super) fn hides(&self) -> bool {
        self.hides
    }

    /// Whether nothing is drawn at all.
    pub(super) fn is_nothing(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether a pixel of `rect` is drawn over.
    pub(super) fn touches(&self, rect: Rect) -> bool {
        (rect.y..).take(usize::from(rect.height)).any(|y| {
            let run = self.from(y, rect.x).first();
            run.is_some_and(|run| u32::from(run.x) < rect.right())
        })
    }

    /// Draws over clear pixels of `rect`: B, G, R, 0 each, row by row.
    pub(super) fn draw(&self, rect: Rect, pixels: &mut [u8]) {
        let (pixels, _) = pixels.as_chunks_mut::<4>();
        for (y, row) in (rect.y..).zip(pixels.chunks_exact_mut(usize::from(rect.width).max(1))) {
            for run in self.from(y, rect.x).iter().take_while(|run| u32::from(run.x) < rect.right()) {
                // A run may begin before the rectangle, and end behind it.
                let (skipped, start) = (rect.x.saturating_sub(run.x), run.x.saturating_sub(rect.x));
                let Some(row) = row.get_mut(usize::from(start)..) else { continue };
                let width = usize::from(run.width.saturating_sub(skipped)).min(row.len());
                let Some(place) = row.get_mut(..width) else { continue };
                match run.inks {
                    None => place.fill([0; 4]),
                    Some(first) => {
                        let inks = self.inks.get(first + usize::from(skipped)..).unwrap_or_default();
                        place.iter_mut().zip(inks).for_each(|(pixel, ink)| *pixel = blend(*pixel, *ink));
                    }
                }
            }
        }
    }

    /// Rectangles within which two overlays of one size differ, none if they are the same.
    pub(super) fn differences(&self, other: &Self) -> Vec<Rect> {
        let width = usize::from(self.size.width);
        let (mut mine, mut theirs) = (vec![CLEAR; width], vec![CLEAR; width]);
        let mut found = Vec::new();
        for top in (0..self.size.height).step_by(usize::from(CELL)) {
            let height = CELL.min(self.size.height - top);
            let mut cells = vec![false; width.div_ceil(usize::from(CELL))];
            for y in (top..).take(usize::from(height)).filter(|y| !self.same_row(other, *y)) {
                self.lay(y, &mut mine);
                other.lay(y, &mut theirs);
                let pairs = mine.chunks(usize::from(CELL)).zip(theirs.chunks(usize::from(CELL)));
                for (cell, (mine, theirs)) in cells.iter_mut().zip(pairs) {
                    *cell |= mine != theirs;
                }
            }
            found.extend(stretches(&cells, self.size.width).map(|(x, width)| Rect::new(x, top, width, height)));
        }
        found
    }

    fn same_row(&self, other: &Self, y: u16) -> bool {
        let (mine, theirs) = (self.from(y, 0), other.from(y, 0));
        let same = |(one, two): (&Run, &Run)| {
            (one.x, one.width) == (two.x, two.width)
                && match (one.inks, two.inks) {
                    (None, None) => true,
                    (Some(first), Some(second)) => {
                        let width = usize::from(one.width);
                        self.inks.get(first..first + width) == other.inks.get(second..second + width)
                    }
                    _ => false,
                }
        };
        mine.len() == theirs.len() && mine.iter().zip(theirs).all(same)
    }

    /// The runs of a row that end behind `x`.
    fn from(&self, y: u16, x: u16) -> &[Run] {
        let row = usize::from(y);
        let start = row.checked_sub(1).and_then(|before| self.rows.get(before)).copied().unwrap_or(0);
        let end = self.rows.get(row).copied().unwrap_or(start);
        let runs = self.runs.get(start..end).unwrap_or_default();
        let first = runs.partition_point(|run| run.end() <= u32::from(x));
        runs.get(first..).unwrap_or_default()
    }

    /// Writes a row out, ink by ink.
    fn lay(&self, y: u16, row: &mut [Ink]) {
        row.fill(CLEAR);
        for run in self.from(y, 0) {
            let columns = usize::from(run.x)..usize::from(run.x) + usize::from(run.width);
            let Some(place) = row.get_mut(columns) else { continue };
            match run.inks.and_then(|first| self.inks.get(first..first + place.len())) {
                None => place.fill(BLACK),
                Some(inks) => place.copy_from_slice(inks),
            }
        }
    }

    /// Adds the runs of a row.
    fn append(&mut self, row: &[Ink]) {
        let kind = |ink: &Ink| (*ink != CLEAR, *ink == BLACK);
        let mut x = 0u16;
        for run in row.chunk_by(|one, two| kind(one) == kind(two)) {
            let width = u16::try_from(run.len()).unwrap_or(u16::MAX);
            if let Some(first) = run.first().filter(|first| **first != CLEAR) {
                let inks = (*first != BLACK).then_some(self.inks.len());
                if inks.is_some() {
                    self.inks.extend_from_slice(run);
                }
                self.runs.push(Run { x, width, inks });
            }
            x = x.saturating_add(width);
        }
    }
}

impl Placed {
    /// Draws its part of one row of a screen.
    fn draw(&self, y: u16, row: &mut [Ink]) {
        let Colour([red, green, blue]) = self.colour;
        for (left, top) in &self.at {
            let Ok(line) = usize::try_from(i32::from(y) - top) else { continue };
            if line >= usize::from(self.stamp.size.height) {
                continue;
            }
            // What lies before the left edge is skipped.
            let skipped = usize::try_from(-left).unwrap_or(0);
            let place = row.get_mut(usize::try_from(*left).unwrap_or(0)..).unwrap_or_default();
            for (ink, covered) in place.iter_mut().zip(self.stamp.row(line).iter().skip(skipped)) {
                let hidden = share(u16::from(*covered) * u16::from(self.opacity), 100);
                if hidden > 0 {
                    *ink = over(*ink, [blue, green, red], hidden);
                }
            }
        }
    }
}

/// The rectangles' left edges and widths for cells in a row that are set.
fn stretches(cells: &[bool], width: u16) -> impl Iterator<Item = (u16, u16)> {
    let mut x = 0u16;
    cells.chunk_by(|one, two| one == two).filter_map(move |cells| {
        let start = x;
        let length = usize::from(CELL).saturating_mul(cells.len());
        x = u16::try_from(length).ok().and_then(|length| x.checked_add(length)).unwrap_or(width).min(width);
        cells.first().is_some_and(|set| *set).then_some((start, x - start))
    })
}

/// Ink with a colour laid over it, of which `hidden` of 255 is seen.
fn over(ink: Ink, colour: [u8; 3], hidden: u8) -> Ink {
    let [blue, green, red, kept] = ink;
    let mix = |below: u8, above: u8| {
        share(u16::from(below) * u16::from(255 - hidden) + u16::from(above) * u16::from(hidden), 255)
    };
    let [above_blue, above_green, above_red] = colour;
    [mix(blue, above_blue), mix(green, above_green), mix(red, above_red), mix(kept, 0)]
}

/// A pixel with ink over it.
fn blend([blue, green, red, _]: [u8; 4], ink: Ink) -> [u8; 4] {
    let [above_blue, above_green, above_red, kept] = ink;
    let mix = |below: u8, above: u8| share(u16::from(below) * u16::from(kept), 255).saturating_add(above);
    [mix(blue, above_blue), mix(green, above_green), mix(red, above_red), 0]
}

/// A quotient of at most 255, to the nearest.
#[inline]
fn share(parts: u16, whole: u16) -> u8 {
    let [low, ..] = ((u32::from(parts) + u32::from(whole) / 2) / u32::from(whole)).to_le_bytes();
    low
}
