//! What it costs to read a recorded minute of typing: `cargo run --release -p portcullis-recorder --example read -- [SECONDS]`, or of a bundle that is there: `… read -- FOLDER`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use portcullis_evidence::{BundleFolder, Listing, Manifest, Mode, SigningKey, VERSION, stamp};
use portcullis_recorder::{Config, Reader, ReaderSettings, Recording, read_text, thumbnail};
use portcullis_rfb::{Change, Rect, Size};
use portcullis_vault::Folder;

const SIZE: Size = Size::new(1280, 800);
/// Letters a second: a quick typist.
const PACE: Duration = Duration::from_millis(150);
const TEXT: &str = "The quarterly report is due on Thursday; please check the figures for March, and send invoice 4711 to ACME Holding before noon. ";

/// Seconds of the processor that this process and what it started have used.
fn processor() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<f64> =
        stat.rsplit_once(") ").unwrap().1.split(' ').skip(11).take(4).map(|ticks| ticks.parse().unwrap()).collect();
    ((fields[0] + fields[1]) / 100.0, (fields[2] + fields[3]) / 100.0)
}

/// A letter of 8 by 15 pixels, as a terminal draws it.
fn letter(letter: char) -> Vec<u8> {
    let text = if letter == ' ' { "label:\\ ".to_owned() } else { format!("label:{letter}") };
    let look = ["-background", "white", "-fill", "black", "-font", "DejaVu-Sans-Mono", "-pointsize", "13"];
    let shape = ["-gravity", "northwest", "-extent", "8x15", "-depth", "8", "rgb:-"];
    let drawn = Command::new("convert").args(look).arg(text).args(shape).output().expect("ImageMagick's convert");
    drawn.stdout.chunks(3).flat_map(|rgb| [rgb[2], rgb[1], rgb[0], 0]).collect()
}

async fn typed(folder: &Path, seconds: u64) -> PathBuf {
    let key = Arc::new(SigningKey::generate(&[7; 32]));
    let manifest = Manifest {
        v: VERSION,
        id: "typed".to_owned(),
        subject: "alice".to_owned(),
        issuer: String::new(),
        groups: Vec::new(),
        desktop: "terminal".to_owned(),
        policy: "p".to_owned(),
        rule: "r".to_owned(),
        started: stamp(time::OffsetDateTime::UNIX_EPOCH),
        mode: Mode::Strict,
        gate: "0.1.0".to_owned(),
        key: key.kid().to_owned(),
        keep: None,
        text: None,
        recipients: Vec::new(),
    };
    let place = folder.join("vault").join(manifest.prefix());
    let vault = Arc::new(Folder::open(&folder.join("vault")).unwrap());
    let letters: std::collections::BTreeMap<char, Vec<u8>> = TEXT.chars().map(|one| (one, letter(one))).collect();
    let recording = Recording::start(Config::new(folder.join("spool")), vault, key, manifest, SIZE).await.unwrap();
    let whole = Rect::new(0, 0, SIZE.width, SIZE.height);
    recording
        .hand_over(1, &[Change::Pixels { rect: whole, pixels: vec![255; whole.area() as usize * 4] }])
        .await
        .unwrap();
    let start = Instant::now();
    for (n, one) in TEXT.chars().cycle().enumerate() {
        if start.elapsed() > Duration::from_secs(seconds) {
            break;
        }
        let (column, row) = (n as u16 % 100, (n as u16 / 100) % 40);
        let rect = Rect::new(40 + column * 8, 40 + row * 18, 8, 15);
        recording.hand_over(n as u64 + 2, &[Change::Pixels { rect, pixels: letters[&one].clone() }]).await.unwrap();
        // Between words and sentences one thinks.
        let rest = if matches!(one, ';' | ',' | '.') { 1200 } else { 0 };
        tokio::time::sleep(PACE + Duration::from_millis(rest)).await;
    }
    recording.close("closed").await.unwrap();
    place
}

#[tokio::main]
async fn main() {
    let argument = std::env::args().nth(1).unwrap_or_else(|| "60".to_owned());
    let folder = tempfile::tempdir().unwrap();
    let place = match argument.parse() {
        Ok(seconds) => typed(folder.path(), seconds).await,
        Err(_) => PathBuf::from(argument),
    };
    let source = BundleFolder::at(&place);
    let listing = Listing::read(&source).unwrap();
    let minutes = listing.duration_us() as f64 / 60e6;
    let settings = ReaderSettings { program: "tesseract".into(), languages: vec!["eng".into()], confidence: 60 };
    let (reader, stop) = (Reader::open(&settings).unwrap(), AtomicBool::new(false));
    let (own, childrens) = processor();
    let start = Instant::now();
    let text = read_text(&source, &listing, &reader, &stop).unwrap();
    let (own, childrens) = (processor().0 - own, processor().1 - childrens);
    let work = text.work;
    println!("{:.2} minutes, {} pictures, {} regions read, {} not", minutes, work.pictures, work.regions, work.failed);
    println!(
        "{} lines, the longest: {:?}",
        text.lines.len(),
        text.lines.iter().max_by_key(|line| line.text.len()).map(|line| &line.text)
    );
    println!(
        "CPU seconds: {own:.2} looking, {childrens:.2} of readers, without what their jails hide; {:.1} s by the clock",
        start.elapsed().as_secs_f64()
    );
    println!("for a recorded minute, without that: {:.2} CPU seconds", (own + childrens) / minutes);
    let regions = work.regions.max(1);
    println!(
        "a region has {} pixels of {} on the screen: {:.1} %",
        work.pixels / regions,
        SIZE.area(),
        work.pixels as f64 * 100.0 / (regions as f64 * SIZE.area() as f64)
    );
    let (own, _) = processor();
    let (jpeg, work) = thumbnail(&source, &listing, &stop).unwrap();
    println!("small picture: {} bytes, {} pictures, {:.2} CPU seconds", jpeg.len(), work.pictures, processor().0 - own);
}
