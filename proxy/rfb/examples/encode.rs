//! Prints how long it takes to encode screens for a viewer, and how many bytes they become.
//!
//! `cargo run --release -p portcullis-rfb --example encode [picture.ppm …]`: without pictures (binary PPM), some of its own.

use std::time::{Duration, Instant};

use portcullis_rfb::geometry::{Rect, Size};
use portcullis_rfb::limits::Limits;
use portcullis_rfb::screen::{Change, Screen};
use portcullis_rfb::viewer::{Config, Connection};

type Failure = Box<dyn std::error::Error>;

const SCREEN: Size = Size::new(1920, 1080);

/// Updates of a kind; the fastest and the middle one are printed.
const ROUNDS: usize = 31;

/// What the measured viewers list: Tight with JPEG as noVNC does, Tight without, Raw.
const VIEWERS: [(&str, &[i32]); 3] =
    [("tight+jpeg", &[1, 7, -26, -254, -223]), ("tight", &[1, 7, -254, -223]), ("raw", &[1, 0, -223])];

fn main() -> Result<(), Failure> {
    let mut pictures = vec![
        ("solid".to_owned(), SCREEN, picture(SCREEN, |_, _| 0x0033_6699)),
        ("text".to_owned(), SCREEN, picture(SCREEN, text)),
        ("photo".to_owned(), SCREEN, picture(SCREEN, photo)),
        ("noise".to_owned(), SCREEN, picture(SCREEN, |x, y| noise(x, y) & 0x00FF_FFFF)),
    ];
    for path in std::env::args().skip(1) {
        let (size, pixels) = ppm(&std::fs::read(&path)?).ok_or_else(|| format!("{path} is not a binary PPM"))?;
        pictures.push((path, size, pixels));
    }
    println!("{:<28} {:<11} {:>9} {:>9} {:>10}", "update", "viewer", "min ms", "median ms", "bytes");
    for (name, size, pixels) in &pictures {
        for (viewer, encodings) in VIEWERS {
            let (times, bytes) = measure(*size, pixels, size.bounds(), encodings)?;
            report(&format!("{name} {size}"), viewer, times, bytes);
        }
    }
    let character = Rect::new(400, 300, 10, 20);
    for (viewer, encodings) in VIEWERS {
        let (times, bytes) = measure(SCREEN, &picture(SCREEN, text), character, encodings)?;
        report("typed character 10x20", viewer, times, bytes);
    }
    Ok(())
}

/// Times of updates that paint `rect` anew, and the bytes of the last.
fn measure(size: Size, pixels: &[u8], rect: Rect, encodings: &[i32]) -> Result<(Vec<Duration>, usize), Failure> {
    let mut screen = Screen::new(size);
    screen.apply(&[Change::Pixels { rect: size.bounds(), pixels: pixels.to_vec() }])?;
    let part: Vec<u8> = screen.rows(rect).flatten().copied().collect();
    let mut viewer = Connection::new(Config { name: String::new(), size, limits: Limits::default(), jpeg: true });
    viewer.receive(b"RFB 003.008\n\x01\x01")?;
    let mut list = vec![2, 0];
    list.extend(u16::try_from(encodings.len())?.to_be_bytes());
    list.extend(encodings.iter().flat_map(|encoding| encoding.to_be_bytes()));
    viewer.receive(&list)?;
    let (mut times, mut bytes) = (Vec::new(), 0);
    for _ in 0..ROUNDS {
        viewer.receive(&[3, 1, 0, 0, 0, 0, 0, 1, 0, 1])?;
        viewer.take_output();
        let start = Instant::now();
        viewer.update(&screen)?;
        let output = viewer.take_output();
        times.push(start.elapsed());
        bytes = output.len();
        screen.apply(&[Change::Pixels { rect, pixels: part.clone() }])?;
    }
    // The first paints the whole screen and makes the zlib streams.
    times.remove(0);
    times.sort();
    Ok((times, bytes))
}

fn report(update: &str, viewer: &str, times: Vec<Duration>, bytes: usize) {
    let ms = |at: usize| times.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0);
    println!("{update:<28} {viewer:<11} {:>9.3} {:>9.3} {bytes:>10}", ms(0), ms(times.len() / 2));
}

fn picture(size: Size, colour: impl Fn(u32, u32) -> u32) -> Vec<u8> {
    let places = (0..u32::from(size.height)).flat_map(|y| (0..u32::from(size.width)).map(move |x| (x, y)));
    places.flat_map(|(x, y)| colour(x, y).to_le_bytes()).collect()
}

fn noise(x: u32, y: u32) -> u32 {
    let mixed = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77);
    (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D) >> 5
}

/// Lines of glyph-like 8x16 cells with soft edges on white, of different lengths.
fn text(x: u32, y: u32) -> u32 {
    let (column, line) = (x / 8, y / 16);
    let (at, row) = (x % 8, y % 16);
    let glyph = noise(column, line);
    let blank = column > 40 + noise(line, 7) % 160 || glyph.is_multiple_of(6) || !(3..=13).contains(&row) || at == 7;
    let ink = noise(glyph % 26 * 8 + at, row) % 5;
    match ink {
        0 if !blank => 0x0022_2222,
        1 if !blank => 0x0099_9999,
        _ => 0x00FF_FFFF,
    }
}

fn photo(x: u32, y: u32) -> u32 {
    let wave = |step: f64| (f64::from(x) * step + f64::from(y) * step * 0.7).sin() * 100.0 + 110.0;
    // Rounded to a whole number of 0–255 by construction.
    #[allow(clippy::as_conversions, reason = "a sine between 10 and 210")]
    let level = |step: f64, seed: u32| wave(step) as u32 + noise(x ^ seed, y) % 12;
    level(0.004, 1) | level(0.007, 2) << 8 | level(0.011, 3) << 16
}

/// Size and B, G, R, 0 of a binary PPM without comments.
fn ppm(bytes: &[u8]) -> Option<(Size, Vec<u8>)> {
    let mut fields = bytes.splitn(4, |byte| byte.is_ascii_whitespace());
    let number = |field: Option<&[u8]>| std::str::from_utf8(field?).ok()?.parse::<u16>().ok();
    if fields.next() != Some(b"P6") {
        return None;
    }
    let size = Size::new(number(fields.next())?, number(fields.next())?);
    let pixels = fields.next()?.strip_prefix(b"255\n")?;
    Some((size, pixels.as_chunks::<3>().0.iter().flat_map(|&[red, green, blue]| [blue, green, red, 0]).collect()))
}
