//! A set of pixels as a bounded list of rectangles that do not overlap.

use crate::geometry::Rect;

/// Rectangles of a region; over that, neighbours become bigger rectangles, so a region grows but never loses a pixel.
pub const MAX_REGION_RECTS: usize = 64;

/// A set of pixels. INVARIANT: its rectangles are disjoint, not empty, and at most [`MAX_REGION_RECTS`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Region {
    rects: Vec<Rect>,
}

impl Region {
    /// The empty region.
    pub const fn new() -> Self {
        Self { rects: Vec::new() }
    }

    /// Adds the pixels of `rect`, in time linear in the rectangles held.
    pub fn add(&mut self, rect: Rect) {
        if rect.is_empty() || self.covers(rect) {
            return;
        }
        self.cut(rect);
        self.join(rect);
        self.bound();
    }

    /// Removes the pixels of `rect`. Where that would leave more than [`MAX_REGION_RECTS`] rectangles, some of them come back.
    pub fn remove(&mut self, rect: Rect) {
        self.cut(rect);
        self.bound();
    }

    /// Adds the pixels of another region.
    pub fn extend(&mut self, other: &Region) {
        other.rects.iter().for_each(|rect| self.add(*rect));
    }

    /// The disjoint rectangles, in no order.
    pub fn rects(&self) -> &[Rect] {
        &self.rects
    }

    /// Whether there is no pixel in it.
    pub fn is_empty(&self) -> bool {
        self.rects.is_empty()
    }

    /// Removes every pixel.
    pub fn clear(&mut self) {
        self.rects.clear();
    }

    /// Whether a pixel of `rect` is in it.
    pub fn intersects(&self, rect: Rect) -> bool {
        self.rects.iter().any(|held| held.intersects(rect))
    }

    /// Whether one rectangle of it covers `rect` (a sufficient, cheap test).
    pub fn covers(&self, rect: Rect) -> bool {
        self.rects.iter().any(|held| held.contains(rect))
    }

    /// The smallest rectangle around it; `None` when it is empty.
    pub fn bounds(&self) -> Option<Rect> {
        self.rects.iter().copied().reduce(Rect::union)
    }

    /// Number of pixels.
    pub fn area(&self) -> u64 {
        self.rects.iter().map(|rect| rect.area()).sum()
    }

    /// Removes the pixels of `hole`: what stays of a rectangle are up to four others.
    fn cut(&mut self, hole: Rect) {
        if !self.intersects(hole) {
            return;
        }
        let mut kept = Vec::with_capacity(self.rects.len() + 4);
        for rect in self.rects.drain(..) {
            match rect.intersection(hole) {
                None => kept.push(rect),
                Some(shared) => kept.extend(around(rect, shared)),
            }
        }
        self.rects = kept;
    }

    /// Adds a rectangle that overlaps none, to one that it continues exactly where there is one.
    fn join(&mut self, rect: Rect) {
        match self.rects.iter_mut().find(|held| continues(**held, rect)) {
            Some(held) => *held = held.union(rect),
            None => self.rects.push(rect),
        }
    }

    fn bound(&mut self) {
        while self.rects.len() > MAX_REGION_RECTS {
            self.coalesce();
        }
    }

    /// Halves the list: neighbours in reading order are united, and with them whatever the union overlaps.
    fn coalesce(&mut self) {
        self.rects.sort_unstable_by_key(|rect| (rect.y, rect.x));
        let mut united: Vec<Rect> = Vec::with_capacity(self.rects.len().div_ceil(2));
        for pair in self.rects.chunks(2) {
            let mut whole = pair.iter().copied().fold(Rect::default(), Rect::union);
            while let Some(place) = united.iter().position(|held| held.intersects(whole)) {
                whole = whole.union(united.swap_remove(place));
            }
            united.push(whole);
        }
        self.rects = united;
    }
}

/// The up to four parts of `rect` around `hole`, which lies inside of it.
fn around(rect: Rect, hole: Rect) -> impl Iterator<Item = Rect> {
    let (left, top) = (u32::from(rect.x), u32::from(rect.y));
    let (hole_left, hole_top) = (u32::from(hole.x), u32::from(hole.y));
    [
        Rect::between(left, top, rect.right(), hole_top),
        Rect::between(left, hole.bottom(), rect.right(), rect.bottom()),
        Rect::between(left, hole_top, hole_left, hole.bottom()),
        Rect::between(hole.right(), hole_top, rect.right(), hole.bottom()),
    ]
    .into_iter()
    .flatten()
}

/// Whether two disjoint rectangles make one.
fn continues(a: Rect, b: Rect) -> bool {
    let beside = a.y == b.y && a.height == b.height && (a.right() == u32::from(b.x) || b.right() == u32::from(a.x));
    let below = a.x == b.x && a.width == b.width && (a.bottom() == u32::from(b.y) || b.bottom() == u32::from(a.y));
    beside || below
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIDE: usize = 48;

    fn paint(grid: &mut [bool], rect: Rect) {
        for y in rect.y..rect.y + rect.height {
            for x in rect.x..rect.x + rect.width {
                grid[usize::from(y) * SIDE + usize::from(x)] = true;
            }
        }
    }

    fn small_rect() -> impl Strategy<Value = Rect> {
        (0u16..32, 0u16..32, 0u16..16, 0u16..16).prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
    }

    fn assert_disjoint(region: &Region) {
        assert!(region.rects().len() <= MAX_REGION_RECTS);
        for (n, a) in region.rects().iter().enumerate() {
            assert!(!a.is_empty());
            assert!(region.rects()[n + 1..].iter().all(|b| !a.intersects(*b)), "{a} overlaps");
        }
    }

    #[test]
    fn strips_become_one_rectangle() {
        let mut region = Region::new();
        for y in 0..100 {
            region.add(Rect::new(3, y, 50, 1));
        }
        assert_eq!(region.rects(), [Rect::new(3, 0, 50, 100)]);
        region.clear();
        assert!(region.is_empty() && region.bounds().is_none());
    }

    #[test]
    fn a_hole_in_the_middle_leaves_four_parts() {
        let mut region = Region::new();
        region.add(Rect::new(0, 0, 30, 30));
        region.remove(Rect::new(10, 10, 10, 10));
        assert_eq!((region.rects().len(), region.area()), (4, 800));
        assert!(!region.intersects(Rect::new(10, 10, 10, 10)));
        assert_disjoint(&region);
    }

    #[test]
    fn ten_thousand_specks_stay_bounded() {
        let mut region = Region::new();
        for n in 0..10_000u32 {
            let (x, y) = (n * 7919 % 1900, n * 104_729 % 1070);
            let speck = Rect::new(x as u16, y as u16, 1, 1);
            region.add(speck);
            assert!(region.intersects(speck));
        }
        assert_disjoint(&region);
    }

    proptest! {
        #[test]
        fn few_rectangles_are_exact(rects in prop::collection::vec(small_rect(), 0..6)) {
            let mut region = Region::new();
            let (mut wanted, mut held) = (vec![false; SIDE * SIDE], vec![false; SIDE * SIDE]);
            for rect in rects {
                region.add(rect);
                paint(&mut wanted, rect);
            }
            assert_disjoint(&region);
            region.rects().iter().for_each(|rect| paint(&mut held, *rect));
            prop_assert_eq!(region.area(), wanted.iter().filter(|painted| **painted).count() as u64);
            prop_assert!(wanted == held);
        }

        #[test]
        fn many_rectangles_lose_no_pixel(rects in prop::collection::vec(small_rect(), 0..300)) {
            let mut region = Region::new();
            let (mut wanted, mut held) = (vec![false; SIDE * SIDE], vec![false; SIDE * SIDE]);
            for rect in rects {
                region.add(rect);
                paint(&mut wanted, rect);
                assert_disjoint(&region);
            }
            region.rects().iter().for_each(|rect| paint(&mut held, *rect));
            prop_assert!(wanted.iter().zip(&held).all(|(wanted, held)| !wanted || *held));
        }
    }
}
