//! The veil as a whole: what is shown and recorded is what a plain composition of the clear screen gives, pixel by pixel, whatever the
//! desktop does, and no hidden pixel is in any change.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use portcullis_policy::{Filling, PolicyFile, PolicySet, ScreenRules, Situation, Subject};
use portcullis_rfb::{Change, Cursor, Point, Rect, Screen, Size};
use proptest::prelude::*;

use super::overlay::Placed;
use super::{Owed, Veil, Veiled};

const SIZE: Size = Size::new(96, 64);
/// 2026-03-02 09:00 UTC.
const MORNING: Duration = Duration::from_secs(1_772_442_000);

/// The `screen` of a policy, as it is written.
pub(super) fn rules(screen: &str) -> ScreenRules {
    rules_of(&[screen])
}

fn rules_of(screens: &[&str]) -> ScreenRules {
    let file = |(number, screen): (usize, &&str)| PolicyFile {
        name: format!("{number}.yaml"),
        text: format!("policy: p{number}\napplies: {{}}\nscreen: {screen}\n"),
    };
    let files: Vec<_> = screens.iter().enumerate().map(file).collect();
    let subject = Subject { name: "alice".into(), groups: Vec::new(), issuer: "local".into() };
    PolicySet::parse(&files).unwrap().obligations(&Situation::new(&subject, "desk")).screen
}

fn owed_at(rules: &ScreenRules, at: SystemTime) -> Owed {
    Owed::of(rules, &Filling { subject: "alice", issuer: "local", desktop: "desk", session: "0198", at })
}

fn owed(screens: &[&str]) -> Owed {
    owed_at(&rules_of(screens), SystemTime::UNIX_EPOCH + MORNING)
}

/// The clear screen, the shown one and the recorded one, beside the veil that is between them.
struct Room {
    veil: Veil,
    owed: Owed,
    clear: Screen,
    shown: Screen,
    recorded: Screen,
}

impl Room {
    fn new(owed: Owed) -> Self {
        let screen = || Screen::new(SIZE);
        let mut room =
            Self { veil: Veil::default(), owed: Owed::default(), clear: screen(), shown: screen(), recorded: screen() };
        room.change(owed);
        room
    }

    fn change(&mut self, owed: Owed) {
        self.owed = owed.clone();
        if let Some(veiled) = self.veil.change(owed, &self.shown) {
            self.put(veiled);
        }
        self.check();
    }

    fn take(&mut self, changes: Vec<Change>) {
        self.clear.apply(&changes).unwrap();
        let veiled = self.veil.take(changes, &self.shown).unwrap();
        self.put(veiled);
        self.check();
    }

    fn put(&mut self, veiled: Veiled) {
        self.recorded.apply(veiled.recorded()).unwrap();
        self.shown.apply(&veiled.shown).unwrap();
    }

    /// INVARIANT: what is shown and recorded is the reference, pixel by pixel.
    fn check(&self) {
        let size = self.clear.size();
        assert_eq!((self.shown.size(), self.recorded.size()), (size, size));
        let marks = self.owed.placed(size);
        let shown = composed(&self.clear, &self.owed.hidden(size), &marks);
        assert!(shown == self.shown.pixels(), "what is shown is not the reference");
        let recorded = composed(&self.clear, &self.owed.hidden_from_record(size), &marks);
        assert!(recorded == self.recorded.pixels(), "what is recorded is not the reference");
        assert!(
            self.veil.worn.is_some() != self.owed.is_nothing(size),
            "a clear copy exactly where something is drawn"
        );
    }

    fn pixel(&self, screen: fn(&Self) -> &Screen, x: usize, y: usize) -> [u8; 3] {
        let screen = screen(self);
        let at = y * screen.stride() + x * 4;
        screen.pixels()[at..at + 3].try_into().unwrap()
    }
}

/// The reference: each pixel by itself, in floating point but for the rounding of what is kept of watermarks.
fn composed(clear: &Screen, black: &[Rect], marks: &[Placed]) -> Vec<u8> {
    let round = |parts: u32| u8::try_from((parts + 127) / 255).unwrap();
    let mut pixels = clear.pixels().to_vec();
    for (index, pixel) in pixels.chunks_exact_mut(4).enumerate() {
        let width = usize::from(clear.size().width);
        let (x, y) = (index % width, index / width);
        let here = Rect::new(x as u16, y as u16, 1, 1);
        if black.iter().any(|rect| rect.intersects(here)) {
            pixel.fill(0);
        }
        // Blue, green, red that are added, and the share that is kept.
        let mut ink = [0u8, 0, 0, 255];
        for mark in marks {
            for (left, top) in &mark.at {
                let (column, row) = (x as i32 - left, y as i32 - top);
                let inside = (0..i32::from(mark.stamp.size.width)).contains(&column)
                    && (0..i32::from(mark.stamp.size.height)).contains(&row);
                if !inside {
                    continue;
                }
                let covered = mark.stamp.coverage[row as usize * usize::from(mark.stamp.size.width) + column as usize];
                let hidden = (u32::from(covered) * u32::from(mark.opacity) + 50) / 100;
                let [red, green, blue] = mark.colour.0;
                for (part, colour) in ink.iter_mut().zip([blue, green, red, 0]) {
                    *part = round(u32::from(*part) * (255 - hidden) + u32::from(colour) * hidden);
                }
            }
        }
        for channel in 0..3 {
            pixel[channel] = round(u32::from(pixel[channel]) * u32::from(ink[3])) + ink[channel];
        }
    }
    pixels
}

fn filled(rect: Rect, pixel: [u8; 3]) -> Change {
    let [blue, green, red] = pixel;
    Change::Pixels { rect, pixels: [blue, green, red, 0].repeat(rect.area() as usize) }
}

const SECRET: [u8; 3] = [201, 202, 203];
const MASK: &str = "{mask: [{x: 20, y: 10, width: 30, height: 20}]}";

/// Whether a change carries this pixel in any way but by moving what is shown.
fn carries(change: &Change, pixel: [u8; 3]) -> bool {
    match change {
        Change::Pixels { pixels, .. } => pixels.chunks_exact(4).any(|found| found[..3] == pixel),
        Change::Cursor(cursor) => cursor.pixels.chunks_exact(4).any(|found| found[..3] == pixel),
        Change::Copy { .. } | Change::Resize(_) => false,
    }
}

#[test]
fn where_nothing_is_owed_changes_pass_untouched() {
    let mut veil = Veil::default();
    let pixels = vec![7u8; 4 * 6];
    let place = pixels.as_ptr();
    let rect = Rect::new(1, 1, 3, 2);
    let veiled = veil.take(vec![Change::Pixels { rect, pixels }], &Screen::new(SIZE)).unwrap();
    let [Change::Pixels { pixels, .. }] = veiled.shown.as_slice() else { panic!("{veiled:?}") };
    assert_eq!((pixels.as_ptr(), veiled.recorded.is_none()), (place, true), "not even copied");
    assert!(veil.change(owed(&["{max_fps: 5}"]), &Screen::new(SIZE)).is_none() && veil.worn.is_none());
}

#[test]
fn a_hidden_pixel_is_in_no_change_whatever_moves_it() {
    let mut room = Room::new(owed(&[MASK]));
    let hidden = Rect::new(20, 10, 30, 20);
    let seen = |room: &mut Room, changes: Vec<Change>| {
        room.clear.apply(&changes).unwrap();
        let veiled = room.veil.take(changes, &room.shown).unwrap();
        assert!(!veiled.shown.iter().any(|change| carries(change, SECRET)), "{:?}", veiled.shown);
        assert!(veiled.recorded.is_none());
        room.put(veiled);
        room.check();
    };
    seen(&mut room, vec![filled(SIZE.bounds(), [1, 2, 3]), filled(hidden, SECRET)]);
    let cursor = Cursor { hotspot: Point::new(0, 0), size: Size::new(2, 2), pixels: [201, 202, 203, 255].repeat(4) };
    seen(&mut room, vec![Change::Cursor(Arc::new(cursor))]);
    seen(
        &mut room,
        vec![filled(Rect::new(25, 15, 10, 10), SECRET), Change::Copy { to: hidden, from: Point::new(21, 10) }],
    );
}

#[test]
fn a_copy_out_of_a_mask_becomes_pixels_and_one_beside_it_stays_a_copy() {
    let mut room = Room::new(owed(&[MASK]));
    room.take(vec![filled(SIZE.bounds(), [1, 2, 3]), filled(Rect::new(0, 40, 8, 8), [9, 9, 9])]);
    let copied = |room: &mut Room, to: Rect, from: Point| {
        let change = vec![Change::Copy { to, from }];
        room.clear.apply(&change).unwrap();
        let veiled = room.veil.take(change, &room.shown).unwrap();
        let copied = veiled.shown.iter().any(|change| matches!(change, Change::Copy { .. }));
        room.put(veiled);
        room.check();
        copied
    };
    assert!(copied(&mut room, Rect::new(60, 40, 8, 8), Point::new(0, 40)));
    assert!(!copied(&mut room, Rect::new(60, 50, 8, 8), Point::new(48, 28)), "its source touches the mask by a corner");
    assert!(!copied(&mut room, Rect::new(12, 2, 9, 9), Point::new(70, 40)), "its target does");
    assert!(copied(&mut room, Rect::new(12, 2, 8, 8), Point::new(70, 40)), "up to the edge it is none of it");
}

#[test]
fn the_record_shows_what_every_mask_over_it_says_is_recorded_clear() {
    let clear = "{mask: [{width: 40, height: 64, recorded: clear}]}";
    let both = "{mask: [{x: 30, width: 20, height: 64}], watermark: {text: X, layout: centre}}";
    let mut room = Room::new(owed(&[clear, both]));
    room.take(vec![filled(SIZE.bounds(), SECRET)]);
    assert_eq!((room.pixel(|room| &room.shown, 5, 5), room.pixel(|room| &room.recorded, 5, 5)), ([0; 3], SECRET));
    assert_eq!((room.pixel(|room| &room.shown, 35, 5), room.pixel(|room| &room.recorded, 35, 5)), ([0; 3], [0; 3]));
    assert_eq!(room.pixel(|room| &room.shown, 90, 5), SECRET);
    let cursor = Cursor { hotspot: Point::new(0, 0), size: Size::new(1, 1), pixels: vec![9, 9, 9, 255] };
    room.take(vec![Change::Cursor(Arc::new(cursor))]);
    assert_eq!(room.shown.cursor().unwrap().size, Size::new(3, 3), "an outline");
    room.change(owed(&[clear]));
    assert_eq!(room.recorded.cursor().unwrap().size, Size::new(1, 1), "the record hides nothing any more");
    room.change(owed(&["{max_fps: 5}"]));
    assert_eq!((room.shown.cursor(), room.shown.pixels()), (room.clear.cursor(), room.clear.pixels()));
}

#[test]
fn percentages_are_of_the_present_size_and_cover_every_pixel_that_they_touch() {
    let mut room = Room::new(owed(&["{mask: [{x: 33%, y: 0, width: 33%, height: 50%}]}"]));
    for size in [Size::new(10, 10), Size::new(97, 33), Size::new(300, 200)] {
        room.take(vec![Change::Resize(size), filled(size.bounds(), SECRET)]);
        let (left, right) = (usize::from(size.width) * 33 / 100, (usize::from(size.width) * 66).div_ceil(100));
        assert_eq!(
            (room.pixel(|room| &room.shown, left, 0), room.pixel(|room| &room.shown, right - 1, 0)),
            ([0; 3], [0; 3])
        );
        assert_eq!(
            (room.pixel(|room| &room.shown, left - 1, 0), room.pixel(|room| &room.shown, right, 0)),
            (SECRET, SECRET)
        );
    }
}

#[test]
fn of_a_screen_beyond_the_largest_size_nothing_is_seen() {
    let mut room = Room::new(owed(&["{max_size: 96x70}"]));
    room.take(vec![filled(SIZE.bounds(), SECRET)]);
    room.take(vec![Change::Resize(Size::new(96, 71))]);
    assert!(room.shown.pixels().iter().all(|byte| *byte == 0) && room.recorded.pixels().iter().all(|byte| *byte == 0));
    room.take(vec![filled(SIZE.bounds(), SECRET)]);
    assert_eq!(room.pixel(|room| &room.shown, 3, 3), [0; 3]);
    room.take(vec![Change::Resize(SIZE)]);
    assert_eq!(room.pixel(|room| &room.shown, 3, 3), SECRET);
}

#[test]
fn a_minute_draws_little_anew() {
    let size = Size::new(1280, 800);
    let rules = rules("{watermark: '{subject} {time}'}");
    let at = |minutes: u64| owed_at(&rules, SystemTime::UNIX_EPOCH + MORNING + Duration::from_secs(60 * minutes));
    let mut veil = Veil::default();
    let mut shown = Screen::new(size);
    let first = veil.change(at(0), &shown).unwrap();
    shown.apply(&first.shown).unwrap();
    assert!(veil.change(at(0), &shown).is_none());
    let next = veil.change(at(1), &shown).unwrap();
    let area: u64 =
        next.shown.iter().map(|change| if let Change::Pixels { rect, .. } = change { rect.area() } else { 0 }).sum();
    assert!(area > 0 && area < size.area() / 10, "{area} of {} pixels", size.area());
}

fn any_rect(size: Size) -> impl Strategy<Value = Rect> {
    (0..size.width, 0..size.height).prop_flat_map(move |(x, y)| {
        (1..=size.width - x, 1..=size.height - y).prop_map(move |(width, height)| Rect::new(x, y, width, height))
    })
}

fn any_change() -> impl Strategy<Value = Change> {
    let noise = |rect: Rect, seed: u32| {
        let byte = |n: u64| (n as u32).wrapping_mul(2_654_435_761).wrapping_add(seed).to_be_bytes()[0];
        (0..rect.area()).flat_map(|n| [byte(3 * n), byte(3 * n + 1), byte(3 * n + 2), 0]).collect()
    };
    prop_oneof![
        4 => (any_rect(SIZE), any::<u32>()).prop_map(move |(rect, seed)| Change::Pixels { rect, pixels: noise(rect, seed) }),
        4 => (any_rect(SIZE), any::<(u16, u16)>()).prop_map(|(to, (x, y))| {
            let from = Point::new(x % (SIZE.width - to.width + 1), y % (SIZE.height - to.height + 1));
            Change::Copy { to, from }
        }),
        1 => (1u16..80, 1u16..20).prop_map(|(width, height)| Change::Cursor(Arc::new(Cursor {
            hotspot: Point::new(0, 0),
            size: Size::new(width, height),
            pixels: [5, 6, 7, 255].repeat(usize::from(width) * usize::from(height)),
        }))),
        // There and back, so that what follows fits.
        1 => Just(Change::Resize(SIZE)),
    ]
}

fn any_owed() -> impl Strategy<Value = Owed> {
    let screens = [
        "{max_fps: 9}",
        MASK,
        "{mask: [{x: 20%, width: 30%, recorded: clear}, {x: 40, y: 20, width: 20, height: 20}]}",
        "{visible: {x: 5, y: 10%, width: 70%, height: 80%}}",
        "{watermark: {text: '{subject} {time}', size: 9, opacity: 40%}}",
        "{watermark: {text: X, layout: bottom-right, angle: 0, size: 30, opacity: 100%, colour: '#ff8000'}}",
    ];
    prop::collection::vec(prop::sample::select(screens.to_vec()), 1..4).prop_map(|screens| owed(&screens))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_shown_is_the_reference_whatever_happens(
        first in any_owed(),
        updates in prop::collection::vec((prop::collection::vec(any_change(), 1..5), prop::option::weighted(0.2, any_owed())), 1..8),
    ) {
        let mut room = Room::new(first);
        for (changes, rules) in updates {
            room.take(changes);
            if let Some(owed) = rules {
                room.change(owed);
            }
        }
    }
}
