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
mod desk;

use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::{Desk, fill};
use portcullis_evidence::{Manifest, Mode, Recipients, SigningKey, VERSION, stamp};
use portcullis_recorder::{Config, Encrypting, Recording};
use portcullis_rfb::{Change, Cursor, Point, Rect, Size};
use portcullis_vault::Folder;

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
        text: None,
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
