//! The lines of text that stand on the screen: since when each does, and until when those did that are gone.
use std::collections::BTreeSet;

use portcullis_evidence::{MAX_TEXT_LINES, ScreenLine};
use portcullis_rfb::Rect;

use super::changes::Changes;

/// A line as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) text: String,
    /// 0 to 100.
    pub(super) confidence: u8,
    /// In pixels of the screen.
    pub(super) place: Rect,
}

struct Standing {
    line: Found,
    from_us: u64,
}

/// All lines of a recording.
#[derive(Default)]
pub(super) struct Lines {
    standing: Vec<Standing>,
    gone: Vec<ScreenLine>,
}

impl Lines {
    /// Takes in what was read of the tiles that were `due`: what stood there is gone, unless it was read again.
    pub(super) fn read(&mut self, changes: &Changes, due: &BTreeSet<usize>, mut found: Vec<Found>) {
        let grid = changes.grid;
        let touched = |place: Rect| grid.under(place).filter(|tile| due.contains(tile)).collect::<Vec<_>>();
        let mut stay = Vec::new();
        for standing in std::mem::take(&mut self.standing) {
            let tiles = touched(standing.line.place);
            let again = found.iter().position(|found| is_same(found, &standing.line));
            match (tiles.is_empty(), again) {
                (false, None) => {
                    let until = changes.since_us(tiles.into_iter()).unwrap_or(standing.from_us);
                    self.end(standing, until);
                }
                (_, again) => {
                    let confidence = again.map(|at| found.swap_remove(at).confidence).unwrap_or_default();
                    let line = Found { confidence: confidence.max(standing.line.confidence), ..standing.line };
                    stay.push(Standing { line, ..standing });
                }
            }
        }
        // What lies on tiles that did not change was read before; so was what is read of a line that stays.
        found.retain(|found| !stay.iter().any(|standing| overlap(found.place, standing.line.place) > 0.3));
        for line in found {
            if let Some(from_us) = changes.moved_us(touched(line.place).into_iter()) {
                stay.push(Standing { line, from_us });
            }
        }
        self.standing = stay;
    }

    /// All that stand are gone.
    pub(super) fn clear(&mut self, at_us: u64) {
        for standing in std::mem::take(&mut self.standing) {
            self.end(standing, at_us);
        }
    }

    /// Whether there is room for further lines.
    pub(super) fn are_full(&self) -> bool {
        self.gone.len().saturating_add(self.standing.len()) >= MAX_TEXT_LINES
    }

    /// All lines, in the order in which they came up.
    pub(super) fn finish(mut self, at_us: u64) -> Vec<ScreenLine> {
        self.clear(at_us);
        self.gone.truncate(MAX_TEXT_LINES);
        self.gone.sort_by(|one, other| {
            let key = |line: &ScreenLine| (line.from_ms, line.y, line.x);
            key(one).cmp(&key(other)).then_with(|| one.text.cmp(&other.text))
        });
        self.gone
    }

    fn end(&mut self, Standing { line, from_us }: Standing, until_us: u64) {
        let Rect { x, y, width, height } = line.place;
        let (from_ms, until_ms) = (from_us / 1000, until_us.max(from_us) / 1000);
        let (confidence, text) = (line.confidence, line.text);
        self.gone.push(ScreenLine { from_ms, until_ms, x, y, w: width, h: height, confidence, text });
    }
}

fn is_same(one: &Found, other: &Found) -> bool {
    one.text == other.text && overlap(one.place, other.place) > 0.5
}

/// The share of the smaller one that both have.
fn overlap(one: Rect, other: Rect) -> f64 {
    let shared = one.intersection(other).map_or(0, Rect::area);
    let area = |area: u64| u32::try_from(area).map_or(f64::MAX, f64::from);
    area(shared) / area(one.area().min(other.area()).max(1))
}
