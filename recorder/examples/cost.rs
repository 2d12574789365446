//! What recording costs: CPU, bytes, and how long a hand-over takes, for the kinds of changes that a desktop makes.
//!
//! `cargo run --release -p portcullis-recorder --example cost [WIDTHxHEIGHT] [age1…]`: with a public key of age, of encrypted recordings.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a measurement on made-up screens"
)]
use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_evidence::{Manifest, Mode, Recipients, SigningKey, VERSION, stamp};
use portcullis_recorder::{Config, Encrypting, Recording};
use portcullis_rfb::{Change, Cursor, Point, Rect, Screen, Size};
use portcullis_vault::Folder;

/// A desktop with two windows of text.
struct Desk {
    size: Size,
    screen: Screen,
    seed: u32,
}

impl Desk {
    fn new(size: Size) -> (Self, Vec<Change>) {
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

    fn typed(&mut self, n: u16) -> Vec<Change> {
        let columns = (self.size.width / 2 - 60) / 8;
        let rows = (self.size.height - 100) / 16;
        vec![self.glyph(20 + n % columns * 8, 40 + n / columns % rows * 16)]
    }

    /// A window scrolls by a line.
    fn scrolled(&mut self) -> Vec<Change> {
        let window = Rect::new(20, 40, (self.size.width / 2 - 60) & !7, (self.size.height - 100) & !15);
        let to = Rect::new(window.x, window.y, window.width, window.height - 16);
        let mut changes = vec![Change::Copy { to, from: Point::new(window.x, window.y + 16) }];
        for column in 0..window.width / 8 {
            changes.push(self.glyph(window.x + column * 8, window.y + window.height - 16));
        }
        changes
    }

    /// Everything is another picture.
    fn replaced(&mut self) -> Vec<Change> {
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

fn fill(rect: Rect, colour: [u8; 4]) -> Change {
    Change::Pixels { rect, pixels: colour.repeat(rect.area() as usize) }
}

struct Cost {
    cpu: Duration,
    bytes: u64,
    hand_overs: Vec<Duration>,
}

fn cpu() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(used.tv_sec as u64, used.tv_nsec as u32)
}

/// Records one session: the desk appears, then `count` times what `change` does. What that cost beyond the session's own.
async fn record(size: Size, count: u16, change: impl Fn(&mut Desk, &Recording, u16) -> Vec<Change>) -> Cost {
    let folder = tempfile::tempdir().unwrap();
    let key = Arc::new(SigningKey::generate(&[1; 32]));
    let manifest = Manifest {
        v: VERSION,
        id: "cost".to_owned(),
        subject: "alice".to_owned(),
        issuer: String::new(),
        groups: Vec::new(),
        desktop: "desk".to_owned(),
        policy: "p".to_owned(),
        rule: "r".to_owned(),
        started: stamp(time::OffsetDateTime::UNIX_EPOCH),
        mode: Mode::Strict,
        gate: "0".to_owned(),
        key: key.kid().to_owned(),
        keep: None,
        recipients: Vec::new(),
    };
    let vault = Arc::new(Folder::open(&folder.path().join("vault")).unwrap());
    let mut config = Config::new(folder.path().join("spool"));
    let keys = std::path::Path::new("/dev/shm").join(format!("cost-{}", std::process::id()));
    config.encrypting = std::env::args().nth(2).map(|recipient| Encrypting {
        recipients: Recipients::parse([recipient.as_str()]).unwrap(),
        keys: keys.clone(),
    });
    let (mut desk, first) = Desk::new(size);
    let updates: Vec<_> = (0..count).collect();
    let recording = Recording::start(config, vault, key, manifest.clone(), size).await.unwrap();
    recording.hand_over(1, &first).await.unwrap();
    let (mut hand_overs, mut making) = (Vec::new(), Duration::ZERO);
    let before = cpu();
    for (revision, n) in (2..).zip(updates) {
        let began = cpu();
        let changes = change(&mut desk, &recording, n);
        making += cpu() - began;
        let began = Instant::now();
        recording.hand_over(revision, &changes).await.unwrap();
        hand_overs.push(began.elapsed());
    }
    recording.close("done").await.unwrap();
    // Making the changes is not the recorder's doing; while it lasts, the encoder works too: what it did then is not counted.
    let cpu = (cpu() - before).saturating_sub(making);
    let video = folder.path().join("vault").join(manifest.prefix()).join("video");
    let bytes = std::fs::read_dir(video).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    let _ = std::fs::remove_dir_all(&keys);
    hand_overs.sort();
    Cost { cpu, bytes, hand_overs }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let size = std::env::args().nth(1).and_then(|text| {
        let (width, height) = text.split_once('x')?;
        Some(Size::new(width.parse().ok()?, height.parse().ok()?))
    });
    let size = size.unwrap_or(Size::new(1920, 1080));
    println!("{size}: per change, beyond what a session costs that only appears");
    println!("{:24} {:>7} {:>10} {:>10} {:>12} {:>12}", "", "times", "CPU ms", "bytes", "hand-over us", "p99 us");
    let empty = record(size, 0, |_, _, _| Vec::new()).await;
    println!("{:24} {:>7} {:>10.1} {:>10}", "a session", 1, empty.cpu.as_secs_f64() * 1e3, empty.bytes);
    let say = |what: &str, count: u16, cost: Cost| {
        let per = |whole: f64| whole / f64::from(count);
        let at =
            |share: f64| cost.hand_overs[((cost.hand_overs.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
        let (ms, bytes) =
            (cost.cpu.saturating_sub(empty.cpu).as_secs_f64() * 1e3, cost.bytes.saturating_sub(empty.bytes) as f64);
        println!("{what:24} {count:>7} {:>10.3} {:>10.0} {:>12.1} {:>12.1}", per(ms), per(bytes), at(0.5), at(0.99));
    };
    say("a letter typed", 1000, record(size, 1000, |desk, _, n| desk.typed(n)).await);
    let caret = |desk: &mut Desk, _: &Recording, n: u16| {
        vec![fill(Rect::new(100, desk.size.height / 2, 2, 16), if n.is_multiple_of(2) { [255; 4] } else { [0; 4] })]
    };
    say("a caret blinks", 300, record(size, 300, caret).await);
    let pointer = |desk: &mut Desk, recording: &Recording, n: u16| {
        recording.pointer(Point::new(n * 5 % desk.size.width, n * 3 % desk.size.height));
        let arrow =
            Cursor { hotspot: Point::default(), size: Size::new(16, 24), pixels: [255, 255, 255, 255].repeat(384) };
        if n == 0 { vec![Change::Cursor(Arc::new(arrow))] } else { vec![fill(Rect::new(0, 0, 1, 1), [n as u8; 4])] }
    };
    say("the pointer moves", 300, record(size, 300, pointer).await);
    say("a window scrolls", 100, record(size, 100, |desk, _, _| desk.scrolled()).await);
    say("all is another picture", 40, record(size, 40, |desk, _, _| desk.replaced()).await);
}
