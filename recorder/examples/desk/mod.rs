//! A desktop to record, made up: two windows of text that are typed in, scroll, and are replaced.
#![allow(dead_code, reason = "each example uses its own part of the desktop")]
use portcullis_rfb::{Change, Point, Rect, Screen, Size};

/// A desktop with two windows of text.
pub(crate) struct Desk {
    pub(crate) size: Size,
    screen: Screen,
    seed: u32,
}

impl Desk {
    pub(crate) fn new(size: Size) -> (Self, Vec<Change>) {
        let mut desk = Self { size, screen: Screen::new(size), seed: 1 };
        let mut changes = vec![fill(size.bounds(), [112, 80, 48, 0])];
        for left in [20, size.width / 2 + 20] {
            let window = Rect::new(left, 40, size.width / 2 - 60, size.height - 100);
            changes.push(fill(window, [0, 0, 0, 0]));
            for (row, column) in (0..window.height / 16).flat_map(|row| (0..window.width / 8).map(move |c| (row, c))) {
                if !(row + column * 7).is_multiple_of(6) {
                    changes.push(desk.glyph(window.x + column * 8, window.y + row * 16));
                }
            }
        }
        desk.screen.apply(&changes).unwrap();
        let pixels = desk.screen.pixels().to_vec();
        (desk, vec![Change::Pixels { rect: size.bounds(), pixels }])
    }

    fn next(&mut self) -> u32 {
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.seed >> 8
    }

    /// Something like a letter, 8x16.
    fn glyph(&mut self, x: u16, y: u16) -> Change {
        let (shape, mut pixels) = (self.next(), Vec::with_capacity(8 * 16 * 4));
        for (row, column) in (0..16u32).flat_map(|row| (0..8u32).map(move |column| (row, column))) {
            let inside = (3..13).contains(&row) && (1..7).contains(&column);
            let stroke = column == 1 + shape % 5 || row == 3 + shape / 8 % 9 || row == 12 - shape / 128 % 4;
            pixels.extend_from_slice(if inside && stroke { &[210, 210, 210, 0] } else { &[0; 4] });
        }
        Change::Pixels { rect: Rect::new(x, y, 8, 16), pixels }
    }

    pub(crate) fn typed(&mut self, n: u16) -> Vec<Change> {
        let columns = (self.size.width / 2 - 60) / 8;
        let rows = (self.size.height - 100) / 16;
        vec![self.glyph(20 + n % columns * 8, 40 + n / columns % rows * 16)]
    }

    /// A window scrolls by a line.
    pub(crate) fn scrolled(&mut self) -> Vec<Change> {
        let window = Rect::new(20, 40, (self.size.width / 2 - 60) & !7, (self.size.height - 100) & !15);
        let to = Rect::new(window.x, window.y, window.width, window.height - 16);
        let mut changes = vec![Change::Copy { to, from: Point::new(window.x, window.y + 16) }];
        for column in 0..window.width / 8 {
            changes.push(self.glyph(window.x + column * 8, window.y + window.height - 16));
        }
        changes
    }

    /// Everything is another picture.
    pub(crate) fn replaced(&mut self) -> Vec<Change> {
        let mut pixels = Vec::with_capacity(self.screen.pixels().len());
        let tint = self.next();
        for (y, x) in (0..self.size.height).flat_map(|y| (0..self.size.width).map(move |x| (y, x))) {
            let (x, y) = (u32::from(x), u32::from(y));
            let edge = (x / 37 + y / 23 + tint) % 7 * 30;
            pixels.extend_from_slice(&[(x + tint + edge) as u8, (y / 2 + edge) as u8, (edge + tint / 7) as u8, 0]);
        }
        vec![Change::Pixels { rect: self.size.bounds(), pixels }]
    }
}

pub(crate) fn fill(rect: Rect, colour: [u8; 4]) -> Change {
    Change::Pixels { rect, pixels: colour.repeat(rect.area() as usize) }
}
