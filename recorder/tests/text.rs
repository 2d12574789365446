//! The text of real recordings, read by the real tesseract: what stood where and when, and how little of the screen was looked at for it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests"
)]
mod stage;

use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use portcullis_evidence::{BundleFolder, Listing, ScreenLine};
use portcullis_recorder::{ReadError, ReadText, Reader, ReaderSettings, read_text, thumbnail};
use portcullis_rfb::{Change, Rect, Size};
use stage::Stage;

const SIZE: Size = Size::new(1024, 576);
static RUNS: AtomicBool = AtomicBool::new(false);

/// A line of letters as they are drawn on a screen: 15 pixels high, black on white.
fn drawn(text: &str) -> (Size, Vec<u8>) {
    let font = ["-background", "white", "-fill", "black", "-font", "DejaVu-Sans-Mono", "-pointsize", "13"];
    let drawn = Command::new("convert").args(font).arg(format!("label:{text}")).args(["-depth", "8", "ppm:-"]).output();
    let ppm = drawn.expect("ImageMagick's convert").stdout;
    let head: Vec<&[u8]> = ppm.splitn(4, |byte| *byte == b'\n').collect();
    let size = String::from_utf8(head[1].to_vec()).unwrap();
    let (width, height) = size.split_once(' ').unwrap();
    let pixels = head[3].chunks(3).flat_map(|rgb| [rgb[2], rgb[1], rgb[0], 0]).collect();
    (Size::new(width.parse().unwrap(), height.parse().unwrap()), pixels)
}

fn plain(rect: Rect, shade: u8) -> Change {
    Change::Pixels { rect, pixels: vec![shade; rect.area() as usize * 4] }
}

fn line(x: u16, y: u16, text: &str) -> (Rect, Change) {
    let (size, pixels) = drawn(text);
    let rect = Rect::new(x, y, size.width, size.height);
    (rect, Change::Pixels { rect, pixels })
}

fn reader() -> Reader {
    let settings =
        ReaderSettings { program: "tesseract".to_owned(), languages: vec!["eng".to_owned()], confidence: 60 };
    Reader::open(&settings).unwrap()
}

fn read(stage: &Stage) -> Result<ReadText, ReadError> {
    let folder = BundleFolder::at(&stage.bundle());
    let listing = Listing::read(&folder).unwrap();
    read_text(&folder, &listing, &reader(), &RUNS)
}

/// Shows each of these in turn, for 1.2 seconds or what a busy machine makes of that, and seals the recording: when each was shown, and
/// the end, in milliseconds.
async fn recorded(stage: &Stage, revisions: &[Vec<Change>]) -> Vec<u64> {
    let recording = stage.start(SIZE).await;
    let (start, mut times) = (std::time::Instant::now(), Vec::new());
    for (n, changes) in (1..).zip(revisions) {
        times.push(start.elapsed().as_millis() as u64);
        recording.hand_over(n, changes).await.unwrap();
        // The time that passes is what is tested.
        tokio::time::sleep(Duration::from_millis(1200)).await;
    }
    times.push(start.elapsed().as_millis() as u64);
    let sealed = recording.close("closed").await.unwrap();
    stage.assert_kept(&sealed);
    times
}

fn of<'a>(lines: &'a [ScreenLine], words: &str) -> &'a ScreenLine {
    let found: Vec<_> = lines.iter().filter(|line| line.text.contains(words)).collect();
    assert_eq!(found.len(), 1, "{words}: {lines:#?}");
    found[0]
}

#[track_caller]
fn lies(line: &ScreenLine, rect: Rect) {
    // Letters do not fill the label that they were drawn in.
    let near = |one: u16, other: u16, far: u16| one.abs_diff(other) <= far;
    assert!(near(line.x, rect.x, 6) && near(line.y, rect.y, 8), "{line:?} {rect:?}");
    assert!(near(line.w, rect.width, 10) && line.h <= rect.height + 4, "{line:?} {rect:?}");
}

#[track_caller]
fn stood(line: &ScreenLine, from_ms: u64, until_ms: u64) {
    // The recording's clock began a little before this test's.
    let near = |one: u64, other: u64| one.abs_diff(other) <= 700;
    assert!(near(line.from_ms, from_ms) && near(line.until_ms, until_ms), "{line:?}: {from_ms}..{until_ms}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stood_where_and_when_is_read_and_nothing_twice() {
    let stage = Stage::new();
    let whole = Rect::new(0, 0, SIZE.width, SIZE.height);
    let (first, show_first) = line(40, 60, "Quarterly payroll transfer to ACME Holding");
    let (second, show_second) = line(300, 300, "Project Aurora is confidential");
    let (third, show_third) = line(60, 480, "<script>alert(1)</script> <b>bold</b>");
    let times = recorded(
        &stage,
        &[
            vec![plain(whole, 255), show_first],
            vec![show_second],
            // The first one goes, and nothing else moves.
            vec![plain(first, 255)],
            vec![show_third],
            // A picture of which nothing is another.
            vec![plain(Rect::new(900, 20, 4, 4), 255)],
        ],
    )
    .await;
    let text = read(&stage).unwrap();
    let lines = &text.lines;
    let payroll = of(lines, "Quarterly payroll transfer to ACME Holding");
    lies(payroll, first);
    stood(payroll, times[0], times[2]);
    let aurora = of(lines, "Project Aurora is confidential");
    lies(aurora, second);
    stood(aurora, times[1], times[5]);
    // What was drawn is text, whatever it looks like.
    let markup = of(lines, "alert(1)");
    assert!(markup.text.contains("<script>") && markup.text.contains("<b>bold</b>"), "{markup:?}");
    lies(markup, third);
    assert!(lines.iter().all(|line| line.confidence >= 60 && line.confidence <= 100), "{lines:?}");
    // One region for each line, and none for what went, for what stayed or at the end.
    assert_eq!((text.work.regions, text.work.failed, text.until_ms), (3, 0, None), "{:?}", text.work);
    assert!(text.work.pixels * 10 < text.work.shown, "{:?}", text.work);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_painted_over_is_not_there_to_be_read() {
    let stage = Stage::new();
    let whole = Rect::new(0, 0, SIZE.width, SIZE.height);
    let (seen, show_seen) = line(40, 60, "This line is for everybody");
    let (hidden, show_hidden) = line(40, 120, "Password hunter2hunter2");
    // The veil hands over what it has drawn: what was below never comes to the recorder.
    let veiled = plain(Rect::new(0, 110, SIZE.width, 40), 0);
    let _ = (hidden, show_hidden);
    recorded(&stage, &[vec![plain(whole, 255), show_seen, veiled]]).await;
    let text = read(&stage).unwrap();
    lies(of(&text.lines, "This line is for everybody"), seen);
    assert_eq!(text.lines.len(), 1, "{:?}", text.lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_picture_is_of_where_there_is_most_to_see() {
    let mut stage = Stage::new();
    (stage.config.segment, stage.config.still) = (Duration::from_millis(500), Duration::from_millis(500));
    let whole = Rect::new(0, 0, SIZE.width, SIZE.height);
    let busy: Vec<Change> =
        (0..20).map(|n| line(20, 20 + n * 26, "The quick brown fox jumps over the lazy dog").1).collect();
    let red = Change::Pixels { rect: Rect::new(700, 100, 200, 200), pixels: [0, 0, 255, 0].repeat(200 * 200) };
    let filled = [vec![plain(whole, 255)], busy, vec![red]].concat();
    // It begins and ends blank.
    recorded(&stage, &[vec![plain(whole, 0)], filled, vec![plain(whole, 0)]]).await;
    let folder = BundleFolder::at(&stage.bundle());
    let listing = Listing::read(&folder).unwrap();
    let (jpeg, _) = thumbnail(&folder, &listing, &RUNS).unwrap();
    assert!((500..20_000).contains(&jpeg.len()), "{} bytes", jpeg.len());
    let path = stage.folder.join("small.jpg");
    std::fs::write(&path, &jpeg).unwrap();
    let told = Command::new("convert")
        .arg(&path)
        .args(["-format", "%w %h %[pixel:p{250,62}] %[pixel:p{310,170}]", "info:"])
        .output();
    let told = String::from_utf8(told.unwrap().stdout).unwrap();
    let mut words = told.split(' ');
    assert_eq!((words.next(), words.next()), (Some("320"), Some("180")), "{told}");
    let colour = |word: Option<&str>| -> Vec<i64> {
        let numbers = word.unwrap().trim_start_matches(|letter: char| !letter.is_ascii_digit()).trim_end_matches(')');
        numbers.split(',').map(|number| number.parse::<f64>().unwrap() as i64).collect()
    };
    let near = |one: &[i64], other: [i64; 3]| one.iter().zip(other).all(|(one, other)| (one - other).abs() < 30);
    let (red, white) = (colour(words.next()), colour(words.next()));
    assert!(near(&red, [255, 0, 0]) && near(&white, [255, 255, 255]), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_is_not_read() {
    let stage = Stage::new();
    recorded(&stage, &[vec![plain(Rect::new(0, 0, SIZE.width, SIZE.height), 255)]]).await;
    let segment = stage.bundle().join("video/00001.m4s");
    let mut bytes = std::fs::read(&segment).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let ReadError::Video(error) = read(&stage).unwrap_err() else { panic!("another error") };
    assert!(error.to_string().contains("not the file that was signed"), "{error}");
}
