//! The screen against a naive model of it, one pixel at a time.

use super::*;
use proptest::prelude::*;

/// A screen that is obviously right: a map of numbers, every copy by way of another.
#[derive(Clone)]
struct Model {
    size: Size,
    pixels: Vec<u32>,
}

impl Model {
    fn new(size: Size) -> Self {
        Self { size, pixels: vec![0; size.area() as usize] }
    }

    fn index(&self, x: u16, y: u16) -> usize {
        usize::from(y) * usize::from(self.size.width) + usize::from(x)
    }

    fn put(&mut self, rect: Rect, pixel: impl Fn(u16, u16) -> u32) {
        for (x, y) in (0..rect.height).flat_map(|y| (0..rect.width).map(move |x| (x, y))) {
            let place = self.index(rect.x + x, rect.y + y);
            self.pixels[place] = pixel(x, y);
        }
    }

    fn apply(&mut self, change: &Change) {
        let before = self.clone();
        match change {
            Change::Pixels { rect, pixels } => self.put(*rect, |x, y| {
                let start = (usize::from(y) * usize::from(rect.width) + usize::from(x)) * 4;
                u32::from_le_bytes(pixels[start..start + 4].try_into().unwrap())
            }),
            Change::Copy { to, from } => self.put(*to, |x, y| before.pixels[before.index(from.x + x, from.y + y)]),
            Change::Cursor(_) => {}
            Change::Resize(size) => {
                *self = Model::new(*size);
                let kept = Rect::new(0, 0, size.width.min(before.size.width), size.height.min(before.size.height));
                self.put(kept, |x, y| before.pixels[before.index(x, y)]);
            }
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.pixels.iter().flat_map(|pixel| pixel.to_le_bytes()).collect()
    }

    /// What a viewer that holds this picture does with damage, given the current screen.
    fn repaired(mut self, damage: &Damage, screen: &Screen) -> Vec<u8> {
        if damage.resized {
            self = Model::new(screen.size());
        }
        if let Some((to, from)) = damage.copy {
            self.apply(&Change::Copy { to, from });
        }
        for rect in damage.region.rects() {
            let pixels: Vec<u8> = screen.rows(*rect).flatten().copied().collect();
            self.apply(&Change::Pixels { rect: *rect, pixels });
        }
        self.bytes()
    }
}

/// A change as fractions of the screen that it will meet, so that every one generated fits.
#[derive(Debug, Clone)]
enum Draft {
    Pixels([u16; 4], u32),
    Copy([u16; 4], u16, u16),
    Cursor(u16),
    Resize(u16, u16),
}

fn fit([x, y, width, height]: [u16; 4], size: Size) -> Rect {
    let (x, y) = (x % size.width, y % size.height);
    Rect::new(x, y, 1 + width % (size.width - x), 1 + height % (size.height - y))
}

impl Draft {
    fn change(&self, size: &mut Size) -> Change {
        match self {
            Draft::Pixels(rect, seed) => {
                let rect = fit(*rect, *size);
                let pixel = |n: u64| (seed.wrapping_mul(n as u32 + 1) & 0x00ff_ffff).to_le_bytes();
                Change::Pixels { rect, pixels: (0..rect.area()).flat_map(pixel).collect() }
            }
            Draft::Copy(rect, x, y) => {
                let to = fit(*rect, *size);
                let from = Point::new(x % (size.width - to.width + 1), y % (size.height - to.height + 1));
                Change::Copy { to, from }
            }
            Draft::Cursor(side) => {
                let side = Size::new(*side, *side);
                Change::Cursor(Arc::new(Cursor { hotspot: Point::default(), size: side, pixels: black(side) }))
            }
            Draft::Resize(width, height) => {
                *size = Size::new(*width, *height);
                Change::Resize(*size)
            }
        }
    }
}

fn draft() -> impl Strategy<Value = Draft> {
    prop_oneof![
        6 => (any::<[u16; 4]>(), any::<u32>()).prop_map(|(rect, seed)| Draft::Pixels(rect, seed)),
        6 => (any::<[u16; 4]>(), any::<u16>(), any::<u16>()).prop_map(|(rect, x, y)| Draft::Copy(rect, x, y)),
        1 => (0u16..4).prop_map(Draft::Cursor),
        1 => (1u16..40, 1u16..40).prop_map(|(width, height)| Draft::Resize(width, height)),
    ]
}

fn drafts() -> impl Strategy<Value = Vec<Vec<Draft>>> {
    prop::collection::vec(prop::collection::vec(draft(), 0..6), 1..8)
}

fn updates(drafts: &[Vec<Draft>], mut size: Size) -> Vec<Vec<Change>> {
    drafts.iter().map(|update| update.iter().map(|draft| draft.change(&mut size)).collect()).collect()
}

const START: Size = Size::new(29, 23);

proptest! {
    #[test]
    fn updates_in_any_grouping_equal_the_model(drafts in drafts()) {
        let updates = updates(&drafts, START);
        let (mut screen, mut one_by_one, mut model) = (Screen::new(START), Screen::new(START), Model::new(START));
        for update in &updates {
            screen.apply(update).unwrap();
            for change in update {
                one_by_one.apply(std::slice::from_ref(change)).unwrap();
                model.apply(change);
            }
        }
        let all: Vec<Change> = updates.concat();
        let mut at_once = Screen::new(START);
        prop_assert_eq!(at_once.apply(&all), Ok(1));
        prop_assert_eq!(screen.revision(), updates.len() as u64);
        prop_assert_eq!(screen.size(), model.size);
        prop_assert!(screen.pixels() == model.bytes());
        prop_assert!(one_by_one.pixels() == model.bytes());
        prop_assert!(at_once.pixels() == model.bytes());
    }

    #[test]
    fn damage_painted_over_any_revision_gives_the_current_screen(drafts in drafts()) {
        let mut screen = Screen::new(START);
        let mut held = vec![Model::new(START)];
        for update in updates(&drafts, START) {
            screen.apply(&update).unwrap();
            let mut model = held.last().unwrap().clone();
            update.iter().for_each(|change| model.apply(change));
            held.push(model);
            for (revision, model) in held.iter().enumerate() {
                let damage = screen.changes_since(revision as u64);
                prop_assert!(damage.region.rects().iter().all(|rect| rect.is_within(screen.size())));
                prop_assert!(model.clone().repaired(&damage, &screen) == screen.pixels(), "from {} by {:?}", revision, damage);
            }
        }
        prop_assert!(screen.changes_since(screen.revision()).is_empty());
    }
}

fn pixels(rect: Rect) -> Change {
    Change::Pixels { rect, pixels: vec![9; rect.area() as usize * 4] }
}

#[test]
fn a_scroll_is_a_copy_for_who_holds_the_revision_before_and_paint_for_others() {
    let mut screen = Screen::new(Size::new(100, 100));
    screen.apply(&[pixels(Rect::new(0, 0, 100, 100))]).unwrap();
    let up = Rect::new(0, 0, 100, 90);
    screen.apply(&[Change::Copy { to: up, from: Point::new(0, 10) }, pixels(Rect::new(0, 90, 100, 10))]).unwrap();
    let damage = screen.changes_since(1);
    assert_eq!(damage.copy, Some((up, Point::new(0, 10))));
    assert_eq!(damage.region.rects(), [Rect::new(0, 90, 100, 10)]);
    let damage = screen.changes_since(0);
    assert_eq!((damage.copy, damage.region.area()), (None, 10_000));
}

#[test]
fn a_copy_of_what_the_same_update_painted_is_paint() {
    let mut screen = Screen::new(Size::new(100, 100));
    let to = Rect::new(50, 50, 10, 10);
    screen.apply(&[pixels(Rect::new(0, 0, 10, 10)), Change::Copy { to, from: Point::new(5, 5) }]).unwrap();
    let damage = screen.changes_since(0);
    assert_eq!((damage.copy, damage.region.area()), (None, 200));
}

#[test]
fn size_and_cursor_are_told_exactly() {
    let mut screen = Screen::new(Size::new(10, 10));
    let hidden = Cursor { hotspot: Point::default(), size: Size::default(), pixels: Vec::new() };
    screen.apply(&[Change::Cursor(Arc::new(hidden))]).unwrap();
    screen.apply(&[Change::Resize(Size::new(12, 8))]).unwrap();
    screen.apply(&[]).unwrap();
    let told = |revision| {
        let damage = screen.changes_since(revision);
        (damage.resized, damage.cursor, damage.region.area())
    };
    assert_eq!(
        [told(0), told(1), told(2), told(3)],
        [(true, true, 96), (true, false, 96), (false, false, 0), (false, false, 0)]
    );
    assert_eq!(told(4), (true, true, 96), "a revision that has not been lacks everything");
}

#[test]
fn too_old_a_revision_lacks_everything() {
    let mut screen = Screen::new(Size::new(10, 10));
    for _ in 0..=JOURNAL_REVISIONS {
        screen.apply(&[pixels(Rect::new(0, 0, 1, 1))]).unwrap();
    }
    assert_eq!(screen.changes_since(1).region.area(), 1);
    let damage = screen.changes_since(0);
    assert_eq!((damage.resized, damage.region.area()), (false, 100));
}

#[test]
fn an_update_that_does_not_fit_changes_nothing() {
    let corner = Rect::new(9, 9, 2, 1);
    let far = Point::new(u16::MAX, u16::MAX);
    let short = Change::Pixels { rect: Rect::new(0, 0, 2, 2), pixels: vec![0; 15] };
    let cursor = |hotspot, size: Size, pixels: usize| {
        Change::Cursor(Arc::new(Cursor { hotspot, size, pixels: vec![0; pixels] }))
    };
    let refused = [
        pixels(corner),
        pixels(Rect::new(3, 3, 0, 4)),
        pixels(Rect::new(u16::MAX, 0, 1, 1)),
        short,
        Change::Copy { to: corner, from: Point::default() },
        Change::Copy { to: Rect::new(0, 0, 10, 10), from: Point::new(1, 0) },
        Change::Copy { to: Rect::new(0, 0, 1, 1), from: far },
        Change::Copy { to: Rect::new(0, 0, 0, 0), from: Point::default() },
        cursor(Point::new(2, 0), Size::new(2, 2), 16),
        cursor(Point::default(), Size::new(257, 1), 257 * 4),
        cursor(Point::default(), Size::new(2, 2), 17),
        Change::Resize(Size::new(0, 5)),
        Change::Resize(Size::new(65535, 65535)),
    ];
    for change in refused {
        let mut screen = Screen::new(Size::new(10, 10));
        let update = [pixels(Rect::new(0, 0, 10, 10)), change];
        let error = screen.apply(&update).unwrap_err();
        assert!(error.to_string().starts_with("step 1: "), "{error}");
        assert_eq!(screen.revision(), 0);
        assert!(screen.pixels().iter().all(|byte| *byte == 0) && screen.cursor().is_none());
    }
}

#[test]
fn bounds_follow_a_resize_within_the_update() {
    let mut screen = Screen::new(Size::new(10, 10));
    let beyond = pixels(Rect::new(10, 10, 5, 5));
    assert!(screen.apply(std::slice::from_ref(&beyond)).is_err());
    assert_eq!(screen.apply(&[Change::Resize(Size::new(15, 15)), beyond.clone()]), Ok(1));
    assert!(screen.apply(&[Change::Resize(Size::new(14, 15)), beyond]).is_err());
    assert_eq!(screen.size(), Size::new(15, 15));
}
