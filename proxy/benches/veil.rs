//! What masks and watermarks cost before a revision is recorded and shown: a typed character, a scroll and a whole picture of 1920x1080, with
//! nothing, one mask or a tiled watermark over them; and what a watermark costs when its minute changes.
#![allow(
    missing_docs,
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a measurement that fails should stop; it needs a part of the module, whose tests come with it"
)]

#[path = "../src/veil/mod.rs"]
mod veil;

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use portcullis_policy::{Filling, PolicyFile, PolicySet, ScreenRules, Situation, Subject};
use portcullis_rfb::{Change, Point, Rect, Screen, Size};

use veil::{Owed, Veil};

const SIZE: Size = Size::new(1920, 1080);
const WATERMARK: &str = "{watermark: '{subject} {time}'}";

fn rules(screen: &str) -> ScreenRules {
    let text = format!("policy: bench\napplies: {{}}\nscreen: {screen}\n");
    let subject = Subject { name: "alice@example.org".into(), groups: Vec::new(), issuer: "local".into() };
    let set = PolicySet::parse(&[PolicyFile { name: "bench.yaml".into(), text }]).unwrap();
    set.obligations(&Situation::new(&subject, "desk")).screen
}

fn owed(screen: &str, minute: u64) -> Owed {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_438_400 + 60 * minute);
    let filling = Filling { subject: "alice@example.org", issuer: "local", desktop: "desk", session: "0198", at };
    Owed::of(&rules(screen), &filling)
}

fn pixels(rect: Rect) -> Change {
    let shades = (0..=255u8).cycle().flat_map(|shade| [shade, shade ^ 85, 255 - shade, 0]);
    let length = usize::from(rect.width) * usize::from(rect.height) * 4;
    Change::Pixels { rect, pixels: shades.take(length).collect() }
}

fn updates(criterion: &mut Criterion) {
    let scroll = Change::Copy { to: Rect::new(100, 100, 1600, 800), from: Point::new(100, 120) };
    let updates = [
        ("typed character", pixels(Rect::new(900, 500, 10, 18))),
        ("scroll of 1600x800", scroll),
        ("whole picture", pixels(SIZE.bounds())),
    ];
    let over = [
        ("nothing", "{max_fps: 30}"),
        ("one mask", "{mask: [{x: 0, y: 0, width: 400, height: 40}]}"),
        ("tiled watermark", WATERMARK),
    ];
    for (what, update) in updates {
        let mut group = criterion.benchmark_group(what);
        for (name, screen) in over {
            let shown = Screen::new(SIZE);
            let mut veil = Veil::default();
            let _first = veil.change(owed(screen, 0), &shown);
            group.bench_function(name, |bench| {
                let fresh = || vec![update.clone()];
                bench.iter_batched(
                    fresh,
                    |update| black_box(veil.take(update, &shown).unwrap()),
                    BatchSize::LargeInput,
                );
            });
        }
    }
}

fn minutes(criterion: &mut Criterion) {
    let shown = Screen::new(SIZE);
    let mut veil = Veil::default();
    let mut minute = 0;
    criterion.bench_function("watermark's minute changes", |bench| {
        bench.iter(|| {
            minute = (minute + 1) % 10;
            black_box(veil.change(owed(WATERMARK, minute), &shown))
        });
    });
}

criterion_group!(benches, updates, minutes);
criterion_main!(benches);
