//! Text as a bitmap: the font's outlines, turned, and filled with smooth edges.

use std::sync::LazyLock;

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use portcullis_rfb::Size;
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// DejaVu Sans, as far as Latin, Greek and Cyrillic go; its licence is beside it.
static FONT: &[u8] = include_bytes!("../../fonts/DejaVuSans-subset.ttf");
static FACE: LazyLock<Option<Face<'static>>> = LazyLock::new(|| Face::parse(FONT, 0).ok());

/// Characters of a text that are drawn; a longer one ends in an ellipsis.
const MAX_LETTERS: usize = 256;
/// What does not fit the screen is made smaller, down to letters of so many pixels, and then shorter.
const SMALLEST: f32 = 8.0;
/// What stands for a character that the font lacks, a control character among them.
const REPLACEMENT: char = '\u{fffd}';
const ELLIPSIS: char = '…';

/// A text as it is drawn: how much of each pixel its letters cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) size: Size,
    /// 0 to 255 a pixel, row by row.
    pub(super) coverage: Vec<u8>,
}

impl Stamp {
    /// A text with letters of so many pixels, turned by degrees against the clock, within `room`: smaller or shorter where it must be.
    pub(super) fn of(text: &str, letters: u16, degrees: u16, room: Size) -> Self {
        let mut characters: Vec<char> = text.chars().take(MAX_LETTERS + 1).collect();
        let mut kept = MAX_LETTERS;
        loop {
            if characters.len() > kept {
                characters.truncate(kept.saturating_sub(1));
                characters.push(ELLIPSIS);
            }
            let mut lines = Lines::of(&characters, f32::from(letters), f32::from(degrees).to_radians());
            let shrunk = lines.shrink(room);
            if shrunk * f32::from(letters) >= SMALLEST.min(f32::from(letters)) || characters.len() <= 2 {
                return lines.fill(room);
            }
            kept = characters.len() - characters.len().div_ceil(8);
        }
    }

    /// How much of the pixels of one row is covered.
    pub(super) fn row(&self, row: usize) -> &[u8] {
        let width = usize::from(self.size.width);
        self.coverage.get(row * width..).and_then(|rest| rest.get(..width)).unwrap_or_default()
    }
}

/// The outlines of a text, turned, as curves between points of the bitmap to be.
#[derive(Default)]
struct Lines {
    curves: Vec<Curve>,
    /// The corners of the line that the text stands on, so that a digit that changes moves no other letter.
    line: Vec<Point>,
    /// From font units, y upwards, to pixels, y downwards.
    scale: f32,
    sine: f32,
    cosine: f32,
    /// Where the next glyph stands, in font units.
    pen: f32,
    from: Point,
    start: Point,
}

enum Curve {
    Line([Point; 2]),
    Quadratic([Point; 3]),
    Cubic([Point; 4]),
}

impl Lines {
    fn of(characters: &[char], letters: f32, angle: f32) -> Self {
        let mut lines = Self::default();
        let Some(face) = FACE.as_ref() else { return lines };
        (lines.sine, lines.cosine) = angle.sin_cos();
        lines.scale = letters / f32::from(face.units_per_em());
        for character in characters {
            let glyph = face.glyph_index(*character).or_else(|| face.glyph_index(REPLACEMENT)).unwrap_or(GlyphId(0));
            // A space has no outline.
            let _ = face.outline_glyph(glyph, &mut lines);
            lines.pen += f32::from(face.glyph_hor_advance(glyph).unwrap_or(0));
        }
        let (end, heights) = (lines.pen, [f32::from(face.ascender()), f32::from(face.descender())]);
        lines.line = heights.iter().flat_map(|height| [lines.at(-end, *height), lines.at(0.0, *height)]).collect();
        lines
    }

    fn at(&self, x: f32, y: f32) -> Point {
        let (x, y) = ((x + self.pen) * self.scale, y * self.scale);
        point(x * self.cosine - y * self.sine, -(x * self.sine + y * self.cosine))
    }

    fn points(&self) -> impl Iterator<Item = &Point> {
        let curves = self.curves.iter().flat_map(|curve| match curve {
            Curve::Line(points) => points.as_slice(),
            Curve::Quadratic(points) => points.as_slice(),
            Curve::Cubic(points) => points.as_slice(),
        });
        curves.chain(&self.line)
    }

    /// The corners of the box around it: left, top, right, bottom.
    fn bounds(&self) -> [f32; 4] {
        let around = |[left, top, right, bottom]: [f32; 4], point: &Point| {
            [left.min(point.x), top.min(point.y), right.max(point.x), bottom.max(point.y)]
        };
        let none = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
        let found = self.points().fold(none, around);
        if found.iter().all(|edge| edge.is_finite()) { found } else { [0.0; 4] }
    }

    /// Makes it small enough for `room`: by how much.
    fn shrink(&mut self, room: Size) -> f32 {
        let [left, top, right, bottom] = self.bounds();
        let fit = |side: u16, length: f32| (f32::from(side) - 2.0).max(1.0) / length.max(1.0);
        let factor = fit(room.width, right - left).min(fit(room.height, bottom - top)).min(1.0);
        let curves = self.curves.iter_mut().flat_map(|curve| match curve {
            Curve::Line(points) => points.as_mut_slice(),
            Curve::Quadratic(points) => points.as_mut_slice(),
            Curve::Cubic(points) => points.as_mut_slice(),
        });
        curves.chain(&mut self.line).for_each(|place| *place = point(place.x * factor, place.y * factor));
        factor
    }

    /// Fills it, with a margin of a pixel. INVARIANT: it is within `room`, as what [`Lines::shrink`] left is.
    fn fill(&self, room: Size) -> Stamp {
        let [left, top, right, bottom] = self.bounds();
        let size = Size::new(
            up(right - left).saturating_add(2).min(room.width.max(3)),
            up(bottom - top).saturating_add(2).min(room.height.max(3)),
        );
        let place = |from: &Point| point(from.x - left + 1.0, from.y - top + 1.0);
        let mut filling = Rasterizer::new(usize::from(size.width), usize::from(size.height));
        for curve in &self.curves {
            match curve {
                Curve::Line([a, b]) => filling.draw_line(place(a), place(b)),
                Curve::Quadratic([a, b, c]) => filling.draw_quad(place(a), place(b), place(c)),
                Curve::Cubic([a, b, c, d]) => filling.draw_cubic(place(a), place(b), place(c), place(d)),
            }
        }
        let mut coverage = Vec::with_capacity(usize::from(size.width) * usize::from(size.height));
        filling.for_each_pixel(|_, covered| coverage.push(byte(covered)));
        Stamp { size, coverage }
    }

    fn line(&mut self, to: Point) {
        self.curves.push(Curve::Line([self.from, to]));
        self.from = to;
    }
}

impl OutlineBuilder for Lines {
    fn move_to(&mut self, x: f32, y: f32) {
        self.from = self.at(x, y);
        self.start = self.from;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.line(self.at(x, y));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (bend, to) = (self.at(x1, y1), self.at(x, y));
        self.curves.push(Curve::Quadratic([self.from, bend, to]));
        self.from = to;
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (first, second, to) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.curves.push(Curve::Cubic([self.from, first, second, to]));
        self.from = to;
    }

    fn close(&mut self) {
        self.line(self.start);
    }
}

/// The next whole number.
#[allow(clippy::as_conversions, reason = "the only way from a float; out of range it saturates")]
fn up(value: f32) -> u16 {
    value.ceil() as u16
}

/// 0.0 to 1.0 as 0 to 255.
#[allow(clippy::as_conversions, reason = "the only way from a float; out of range it saturates")]
fn byte(share: f32) -> u8 {
    (share * 255.0 + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Size = Size::new(1920, 1080);

    fn ink(stamp: &Stamp) -> u64 {
        stamp.coverage.iter().map(|covered| u64::from(*covered)).sum::<u64>() / 255
    }

    #[test]
    fn the_font_is_whole_and_speaks_latin_greek_and_cyrillic() {
        let face = FACE.as_ref().expect("the font parses");
        for character in "aZ09@.-:ÅçßŁőΩψЖя€…→\u{fffd}".chars() {
            assert!(face.glyph_index(character).is_some(), "{character}");
        }
        assert!(face.glyph_index('漢').is_none());
    }

    #[test]
    fn letters_are_as_high_as_they_are_asked_to_be() {
        let small = Stamp::of("HxH", 24, 0, ROOM);
        let large = Stamp::of("HxH", 48, 0, ROOM);
        // From its highest accents to its lowest tails DejaVu Sans is 1.16 of its letters' height, a capital is 0.73.
        assert_eq!(small.size.height, 28 + 2);
        let inked =
            (0..usize::from(small.size.height)).filter(|row| small.row(*row).iter().any(|covered| *covered > 99));
        assert!((17..=18).contains(&inked.count()));
        assert!(ink(&large) > 3 * ink(&small) && ink(&small) > 100, "{} and {}", ink(&small), ink(&large));
    }

    #[test]
    fn a_turn_keeps_the_ink_and_turns_the_box() {
        let flat = Stamp::of("alice 2026", 32, 0, ROOM);
        for degrees in [30, 90, 180, 270, 359] {
            let turned = Stamp::of("alice 2026", 32, degrees, ROOM);
            assert!(
                ink(&turned).abs_diff(ink(&flat)) < 1 + ink(&flat) / 50,
                "{degrees}: {} of {}",
                ink(&turned),
                ink(&flat)
            );
        }
        let upright = Stamp::of("alice 2026", 32, 90, ROOM);
        assert!(
            upright.size.height.abs_diff(flat.size.width) <= 1 && upright.size.width.abs_diff(flat.size.height) <= 1
        );
        // Against the clock: text that rises has ink in the lower left corner and none in the upper left.
        let rising = Stamp::of("||||||||||||||||||||", 32, 30, ROOM);
        let third = usize::from(rising.size.height) / 3;
        let left = |rows: std::ops::Range<usize>| -> u64 {
            rows.flat_map(|row| &rising.row(row)[..usize::from(rising.size.width) / 3])
                .map(|&covered| u64::from(covered))
                .sum()
        };
        assert!(left(0..third) == 0 && left(2 * third..3 * third) > 0);
    }

    #[test]
    fn what_the_font_lacks_is_replaced_and_what_is_too_long_is_cut() {
        assert_eq!(Stamp::of("漢\n", 24, 0, ROOM), Stamp::of("\u{fffd}\u{fffd}", 24, 0, ROOM));
        let cut = Stamp::of(&"i".repeat(10_000), 8, 0, Size::new(3840, 2160));
        let exact: String = "i".repeat(MAX_LETTERS - 1) + "…";
        assert_eq!(cut, Stamp::of(&exact, 8, 0, Size::new(3840, 2160)));
    }

    #[test]
    fn it_stays_within_the_room() {
        for room in [Size::new(1, 1), Size::new(3, 2), Size::new(64, 48), Size::new(640, 480), ROOM] {
            for (text, letters, degrees) in
                [("", 24, 30), (" ", 24, 0), ("W", 256, 45), (&*"Wide ".repeat(80), 256, 30)]
            {
                let Stamp { size, coverage } = Stamp::of(text, letters, degrees, room);
                assert!(
                    size.width <= room.width.max(3) && size.height <= room.height.max(3),
                    "{text}: {size} in {room}"
                );
                assert_eq!(coverage.len(), usize::from(size.width) * usize::from(size.height));
            }
        }
        let whole = Stamp::of("alice at the bank, 2026-03-02 09:15", 200, 30, Size::new(640, 480));
        assert!(ink(&whole) > 1000, "smaller, and all there");
    }
}
