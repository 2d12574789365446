//! What each of the last revisions changed, so that a viewer gets what it lacks and no more.

use std::collections::VecDeque;

use super::Damage;
use crate::geometry::{Point, Rect, Size};
use crate::region::Region;

/// Revisions that are remembered, four seconds at 60 a second; who holds an older one is sent the whole screen.
pub const JOURNAL_REVISIONS: usize = 256;

/// The last revisions. INVARIANT: `entries` are those up to `revision`, without a gap, at most [`JOURNAL_REVISIONS`].
#[derive(Debug, Default)]
pub(super) struct Journal {
    revision: u64,
    resized_at: u64,
    cursor_at: u64,
    entries: VecDeque<Entry>,
}

/// What one revision changes.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// All but what `copy` moved.
    region: Region,
    /// The largest copy whose source no earlier step of the revision has touched.
    copy: Option<(Rect, Point)>,
    resized: bool,
    cursor: bool,
}

impl Entry {
    pub(super) fn painted(&mut self, rect: Rect) {
        self.region.add(rect);
    }

    /// Notes a copy. It may go first for one that holds the revision before, because what it reads is still what that one holds:
    /// no step before it has written there. All other steps are painted from the result, so their order no longer matters.
    pub(super) fn copied(&mut self, to: Rect, from: Point) {
        let source = to.at(from);
        let untouched = !self.region.intersects(source) && self.copy.is_none_or(|(moved, _)| !moved.intersects(source));
        match self.copy {
            None if untouched => self.copy = Some((to, from)),
            Some((moved, _)) if untouched && moved.area() < to.area() => {
                self.region.add(moved);
                self.copy = Some((to, from));
            }
            _ => self.region.add(to),
        }
    }

    pub(super) fn cursor_changed(&mut self) {
        self.cursor = true;
    }

    pub(super) fn resized(&mut self) {
        self.resized = true;
    }
}

impl Journal {
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The notes of the next revision.
    pub(super) fn open(&self) -> Entry {
        Entry::default()
    }

    /// Counts the revision that `entry` describes.
    pub(super) fn close(&mut self, mut entry: Entry) -> u64 {
        self.revision += 1;
        if entry.resized {
            self.resized_at = self.revision;
        }
        if entry.cursor {
            self.cursor_at = self.revision;
        }
        if entry.copy.is_some_and(|(to, _)| entry.region.covers(to)) {
            entry.copy = None;
        }
        if self.entries.len() == JOURNAL_REVISIONS {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.revision
    }

    /// What one that holds `revision` lacks of a screen of `size`.
    pub(super) fn since(&self, revision: u64, size: Size) -> Damage {
        let Some(behind) = self.revision.checked_sub(revision) else {
            return everything(size, true, true);
        };
        let (resized, cursor) = (self.resized_at > revision, self.cursor_at > revision);
        let behind = usize::try_from(behind).unwrap_or(usize::MAX);
        if resized || behind > self.entries.len() {
            return everything(size, resized, cursor);
        }
        if let (1, Some(last)) = (behind, self.entries.back()) {
            return Damage { resized, cursor, copy: last.copy, region: last.region.clone() };
        }
        let mut region = Region::new();
        for entry in self.entries.iter().rev().take(behind) {
            region.extend(&entry.region);
            if let Some((to, _)) = entry.copy {
                region.add(to);
            }
        }
        Damage { resized, cursor, copy: None, region }
    }
}

fn everything(size: Size, resized: bool, cursor: bool) -> Damage {
    let mut region = Region::new();
    region.add(size.bounds());
    Damage { resized, cursor, copy: None, region }
}
