//! Which parts of the screen are to be read, and when: those that are not as they were last read, once they rest, and now and then while they do not.
use std::collections::BTreeSet;

use portcullis_rfb::{Rect, Size};

use super::grid::{Grid, TILE};

/// How long a tile has to stay as it is before it is read.
const REST_US: u64 = 600_000;
/// How long one that does not rest is waited for; twice as long each time, up to the longest.
const MOVING_US: u64 = 4_000_000;
const LONGEST_US: u64 = 64_000_000;
/// Tiles without ink between two that belong together: the space between two words.
const APART: usize = 2;
/// Pixels that a region is made higher by on either side, at most, until its lines are whole.
const HIGHER: usize = 48;
/// Blank pixels around a region.
const MARGIN: usize = 4;
/// Edges on a line of pixels that are still blank: those of the frames of windows.
const FRAMES: usize = 4;
/// Regions of one moment; more are read as one.
const MAX_REGIONS: usize = 48;

/// A tile that is not as it was last read.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    /// Since when.
    since_us: u64,
    /// When it changed last.
    moved_us: u64,
    /// From when on it has been waited for.
    from_us: u64,
    /// It is as it was last read at the moment: what comes and goes is none the less waited for.
    is_as_read: bool,
}

/// The screen as it is, and as it was last read.
pub(super) struct Changes {
    pub(super) grid: Grid,
    seen: Vec<u8>,
    read: Vec<u8>,
    waiting: Vec<Option<Waiting>>,
    /// How long each tile is waited for while it moves.
    patience: Vec<u64>,
}

impl Changes {
    /// A screen of this size, of which nothing was read: as if it had been black.
    pub(super) fn new(size: Size) -> Self {
        let grid = Grid::of(size);
        let pixels = grid.width.saturating_mul(grid.height);
        let (seen, read) = (vec![16; pixels], vec![16; pixels]);
        Self { grid, seen, read, waiting: vec![None; grid.tiles()], patience: vec![MOVING_US; grid.tiles()] }
    }

    /// The picture that has been shown last.
    pub(super) fn picture(&self) -> &[u8] {
        &self.seen
    }

    /// From `at_us` on another picture is shown.
    pub(super) fn show(&mut self, at_us: u64, luma: Vec<u8>) {
        for tile in self.grid.touched(&self.seen, &luma) {
            let moved = self.grid.differs(&self.seen, &luma, tile);
            let other = self.grid.differs(&self.read, &luma, tile);
            let Some(waiting) = self.waiting.get_mut(tile) else { continue };
            let rested = |was: &Waiting| was.is_as_read && at_us.saturating_sub(was.moved_us) >= REST_US;
            *waiting = match (waiting.filter(|was| !rested(was)), other) {
                (None, false) => None,
                (None, true) => Some(Waiting { since_us: at_us, moved_us: at_us, from_us: at_us, is_as_read: false }),
                (Some(was), other) if moved => Some(Waiting { moved_us: at_us, is_as_read: !other, ..was }),
                (was, _) => was,
            };
        }
        self.seen = luma;
    }

    /// The tiles that are to be read now; at the end all that have not been. Those that lie together are waited for together: while
    /// somebody types, a line does not rest.
    pub(super) fn due(&self, now_us: u64, is_end: bool) -> BTreeSet<usize> {
        let rests = |was: &Waiting| now_us.saturating_sub(was.moved_us) >= REST_US;
        let long = |was: &Waiting, patience: u64| now_us.saturating_sub(was.from_us) >= patience;
        let all = self.waiting.iter().zip(&self.patience).enumerate();
        let all = all.filter_map(|(tile, (was, patience))| Some((tile, was.filter(|was| !was.is_as_read)?, *patience)));
        let waiting: BTreeSet<usize> = all.clone().map(|(tile, ..)| tile).collect();
        if is_end {
            return waiting;
        }
        // Where no tile is due by itself none is together with others.
        if !all.clone().any(|(_, was, patience)| rests(&was) || long(&was, patience)) {
            return BTreeSet::new();
        }
        let mut due = BTreeSet::new();
        for (_, group) in self.groups(waiting) {
            let tiles =
                || group.iter().filter_map(|tile| Some(((*self.waiting.get(*tile)?)?, *self.patience.get(*tile)?)));
            if tiles().all(|(was, _)| rests(&was)) || tiles().any(|(was, patience)| long(&was, patience)) {
                due.extend(group);
            }
        }
        due
    }

    /// These tiles were read as they are.
    pub(super) fn done(&mut self, now_us: u64, tiles: &BTreeSet<usize>) {
        for tile in tiles {
            self.grid.copy(&self.seen, &mut self.read, *tile);
            let Some(waiting) = self.waiting.get_mut(*tile).and_then(Option::take) else { continue };
            if let Some(patience) = self.patience.get_mut(*tile) {
                let rests = now_us.saturating_sub(waiting.moved_us) >= REST_US;
                *patience = if rests { MOVING_US } else { patience.saturating_mul(2).min(LONGEST_US) };
            }
        }
    }

    /// When what is on these tiles first was another than what was read: the end of that.
    pub(super) fn since_us(&self, tiles: impl Iterator<Item = usize>) -> Option<u64> {
        tiles.filter_map(|tile| self.waiting.get(tile)?.map(|waiting| waiting.since_us)).min()
    }

    /// When what is on these tiles came about.
    pub(super) fn moved_us(&self, tiles: impl Iterator<Item = usize>) -> Option<u64> {
        tiles.filter_map(|tile| self.waiting.get(tile)?.map(|waiting| waiting.moved_us)).max()
    }

    /// The regions in which lie the lines of text that these tiles are parts of, each whole.
    pub(super) fn regions(&self, tiles: &BTreeSet<usize>) -> Vec<Rect> {
        let inked: BTreeSet<usize> =
            tiles.iter().copied().filter(|tile| self.grid.has_ink(&self.seen, *tile)).collect();
        let mut boxes: Vec<Area> = self.groups(inked).into_iter().map(|(area, _)| self.grown(area)).collect();
        if boxes.len() > MAX_REGIONS {
            boxes = boxes.into_iter().reduce(Area::and).into_iter().collect();
        }
        merged(boxes).into_iter().filter_map(|area| area.rect()).collect()
    }

    /// Tiles that lie together, with their columns and rows.
    fn groups(&self, mut left: BTreeSet<usize>) -> Vec<(Area, Vec<usize>)> {
        let mut groups = Vec::new();
        while let Some(first) = left.pop_first() {
            let (column, row) = self.grid.place(first);
            let mut area =
                Area { left: column, top: row, right: column.saturating_add(1), bottom: row.saturating_add(1) };
            let (mut open, mut all) = (vec![first], Vec::new());
            while let Some(tile) = open.pop() {
                all.push(tile);
                let (column, row) = self.grid.place(tile);
                area = area.and(Area {
                    left: column,
                    top: row,
                    right: column.saturating_add(1),
                    bottom: row.saturating_add(1),
                });
                for row in row.saturating_sub(1)..=row.saturating_add(1).min(self.grid.rows.saturating_sub(1)) {
                    let last = column.saturating_add(APART).min(self.grid.columns.saturating_sub(1));
                    for column in column.saturating_sub(APART)..=last {
                        let tile = row.saturating_mul(self.grid.columns).saturating_add(column);
                        if left.remove(&tile) {
                            open.push(tile);
                        }
                    }
                }
            }
            groups.push((area, all));
        }
        groups
    }

    /// An area of tiles as one of pixels, as wide as the ink goes on, and as high as it takes for whole lines.
    fn grown(&self, tiles: Area) -> Area {
        let grid = self.grid;
        let ink = |column: usize| {
            let rows = tiles.top..tiles.bottom;
            rows.map(|row| row.saturating_mul(grid.columns).saturating_add(column))
                .any(|tile| grid.has_ink(&self.seen, tile))
        };
        let (mut left, mut right) = (tiles.left, tiles.right);
        while let Some(further) = (left.saturating_sub(APART.saturating_add(1))..left).find(|column| ink(*column)) {
            left = further;
        }
        while let Some(further) =
            (right..right.saturating_add(APART.saturating_add(1)).min(grid.columns)).rev().find(|column| ink(*column))
        {
            right = further.saturating_add(1);
        }
        let (left, right) = (left.saturating_mul(TILE), right.saturating_mul(TILE).min(grid.width));
        let blank = |y: usize| {
            let (across, down) = grid.crossings(&self.seen, y, left..right);
            across <= FRAMES && down == 0
        };
        let (first, last) = (tiles.top.saturating_mul(TILE), tiles.bottom.saturating_mul(TILE).min(grid.height));
        let top =
            (first.saturating_sub(HIGHER)..first).rev().find(|y| blank(*y)).unwrap_or(first.saturating_sub(HIGHER));
        let lowest = last.saturating_add(HIGHER).min(grid.height);
        let bottom = (last..lowest).find(|y| blank(*y)).map_or(lowest, |y| y.saturating_add(1));
        Area {
            left: left.saturating_sub(MARGIN),
            top: top.saturating_sub(MARGIN),
            right: right.saturating_add(MARGIN).min(grid.width),
            bottom: bottom.saturating_add(MARGIN).min(grid.height),
        }
    }
}

/// A rectangle by its edges; right and bottom are outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Area {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Area {
    fn and(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    fn touches(self, other: Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    fn rect(self) -> Option<Rect> {
        let short = |pixels: usize| u16::try_from(pixels).ok();
        let (width, height) = (self.right.saturating_sub(self.left), self.bottom.saturating_sub(self.top));
        Some(Rect::new(short(self.left)?, short(self.top)?, short(width)?, short(height)?))
            .filter(|rect| !rect.is_empty())
    }
}

/// Areas that overlap as one, until none do.
fn merged(mut areas: Vec<Area>) -> Vec<Area> {
    let mut apart: Vec<Area> = Vec::new();
    while let Some(area) = areas.pop() {
        match apart.iter().position(|other| other.touches(area)) {
            Some(at) => areas.push(apart.swap_remove(at).and(area)),
            None => apart.push(area),
        }
    }
    apart.sort_unstable_by_key(|area| (area.top, area.left));
    apart
}
