//! Pictures against a naive conversion of the whole screen.
use super::*;
use proptest::prelude::*;

/// BT.709, limited range, 8 bits (ITU-R BT.709-6 §3), by floating point.
fn reference(blue: f64, green: f64, red: f64) -> [f64; 3] {
    let luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    [
        16.0 + 219.0 * luma / 255.0,
        128.0 + 224.0 * (blue - luma) / 1.8556 / 255.0,
        128.0 + 224.0 * (red - luma) / 1.5748 / 255.0,
    ]
}

struct Planes {
    size: Size,
    luma: Vec<u8>,
    chroma: Vec<u8>,
}

impl Planes {
    fn black(screen: Size) -> Self {
        let size = coded(screen);
        let area = usize::from(size.width) * usize::from(size.height);
        Self { size, luma: vec![16; area], chroma: vec![128; area / 2] }
    }

    fn canvas(&mut self) -> Canvas<'_> {
        let stride = usize::from(self.size.width);
        Canvas { luma: &mut self.luma, luma_stride: stride, chroma: &mut self.chroma, chroma_stride: stride }
    }

    /// The colour at a pixel: luma, Cb, Cr.
    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let stride = usize::from(self.size.width);
        let chroma = y / 2 * stride + x / 2 * 2;
        [self.luma[y * stride + x], self.chroma[chroma], self.chroma[chroma + 1]]
    }
}

fn cursor(side: u16, shade: u8) -> Change {
    let dot = |n: u16| if n.is_multiple_of(3) { [0, 0, 0, 0] } else { [shade, 255 - shade, 40, 255] };
    Change::Cursor(Arc::new(Cursor {
        hotspot: Point::new(side / 2, side.saturating_sub(1).min(1)),
        size: Size::new(side, side),
        pixels: (0..side * side).flat_map(dot).collect(),
    }))
}

use portcullis_rfb::Change;

/// What the canvas should show, pixel by pixel: screen, then cursor, converted as a whole.
fn expected(screen: &Screen, pointer: Option<Point>) -> Planes {
    let size = screen.size();
    let mut flat = Screen::new(size);
    let mut pixels = screen.pixels().to_vec();
    if let Some((cursor, pointer)) = screen.cursor().zip(pointer) {
        for (n, dot) in cursor.pixels.chunks_exact(4).enumerate() {
            let x = i32::from(pointer.x) - i32::from(cursor.hotspot.x) + n as i32 % i32::from(cursor.size.width);
            let y = i32::from(pointer.y) - i32::from(cursor.hotspot.y) + n as i32 / i32::from(cursor.size.width);
            if dot[3] == 255 && x >= 0 && y >= 0 && x < i32::from(size.width) && y < i32::from(size.height) {
                let place = (y as usize * usize::from(size.width) + x as usize) * 4;
                pixels[place..place + 4].copy_from_slice(dot);
            }
        }
    }
    let rect = Rect::new(0, 0, size.width, size.height);
    flat.apply(&[Change::Pixels { rect, pixels }]).unwrap();
    let mut planes = Planes::black(size);
    let everything = flat.changes_since(0).region;
    Picture::default().draw(&mut planes.canvas(), &flat, &everything, None).unwrap();
    planes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damage_by_damage_is_as_good_as_all_at_once(
        width in 1u16..70, height in 1u16..40,
        steps in prop::collection::vec((any::<[u16; 4]>(), any::<u32>(), 0u8..4, any::<(u16, u16)>()), 1..12)
    ) {
        let size = Size::new(width, height);
        let mut screen = Screen::new(size);
        let mut planes = Planes::black(size);
        let mut picture = Picture::default();
        let mut pointer = None;
        for ([x, y, w, h], seed, kind, at) in steps {
            let before = screen.revision();
            let (x, y) = (x % width, y % height);
            let rect = Rect::new(x, y, 1 + w % (width - x), 1 + h % (height - y));
            match kind {
                0 => pointer = Some(Point::new(at.0 % width, at.1 % height)),
                1 => { screen.apply(&[cursor(at.0 % 9, seed as u8)]).unwrap(); }
                _ => {
                    let pixels = (0..rect.area() as u32).flat_map(|n| (seed.wrapping_mul(n + 1) & 0xff_ffff).to_le_bytes()).collect();
                    screen.apply(&[Change::Pixels { rect, pixels }]).unwrap();
                }
            }
            let damage = screen.changes_since(before).region;
            let untouched = (planes.luma.clone(), planes.chroma.clone());
            let touched = picture.draw(&mut planes.canvas(), &screen, &damage, pointer).unwrap();
            let wanted = expected(&screen, pointer);
            prop_assert!(planes.luma == wanted.luma && planes.chroma == wanted.chroma, "kind {} at {:?}", kind, pointer);
            for (n, (old, new)) in untouched.0.iter().zip(&planes.luma).enumerate() {
                let stride = usize::from(planes.size.width);
                let at = Rect::new((n % stride) as u16, (n / stride) as u16, 1, 1);
                prop_assert!(old == new || touched.intersects(at), "changed outside of what it says at {at}");
            }
        }
    }
}

#[test]
fn colours_are_bt709_limited_range() {
    let size = Size::new(64, 48);
    let mut screen = Screen::new(size);
    let mut pixels = Vec::new();
    // Blocks of 16x16 of one colour each.
    let block = |x: usize, y: usize| [(x / 16 * 85) as u8, (y / 16 * 127) as u8, ((x / 16 + y / 16) % 3 * 127) as u8];
    for (y, x) in (0..48).flat_map(|y| (0..64).map(move |x| (y, x))) {
        pixels.extend_from_slice(&block(x, y));
        pixels.push(0);
    }
    let rect = Rect::new(0, 0, 64, 48);
    screen.apply(&[Change::Pixels { rect, pixels }]).unwrap();
    let mut planes = Planes::black(size);
    let all = screen.changes_since(0).region;
    Picture::default().draw(&mut planes.canvas(), &screen, &all, None).unwrap();
    for (y, x) in (8..48).step_by(16).flat_map(|y| (8..64).step_by(16).map(move |x| (y, x))) {
        let [blue, green, red] = block(x, y).map(f64::from);
        for (found, wanted) in planes.at(x, y).into_iter().zip(reference(blue, green, red)) {
            assert!((f64::from(found) - wanted).abs() < 1.5, "{found} for {wanted} at {x},{y}");
        }
    }
}
