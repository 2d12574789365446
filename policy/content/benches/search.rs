//! How long a paste is searched, and that hostile texts take time linear in their length: `cargo bench -p portcullis-content --bench search`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::panic,
    reason = "a measurement that fails should stop"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use portcullis_content::{Detector, Known, Pattern, Searcher, Stream, Window, Words};

const PASTE: usize = 4 << 10;
/// The shortest hostile text; the others are twice as long each.
const HOSTILE: usize = 128 << 10;
/// Four times the text takes at most so many times as long for each byte. The machine is noisy; what grows with the square would have 4.
const LINEAR: f64 = 2.0;

/// Every built-in detector, two expressions, and a list of a thousand words.
fn all() -> Searcher {
    let words: Vec<String> = (0..1000).map(|word| format!("codename{word}x")).collect();
    let words = Words::read(words.iter().map(String::as_str)).unwrap();
    let patterns = [r"(?i)project\s+aurora", r"\bEMP-\d{6}\b"].map(|pattern| Pattern::read(pattern).unwrap().into());
    let known = Known::ALL.into_iter().map(Detector::from);
    Searcher::new(known.chain(patterns).chain([Detector::from(words)])).unwrap()
}

fn cut(text: &str, length: usize) -> String {
    let end = (0..=length).rev().find(|end| text.is_char_boundary(*end)).unwrap();
    text[..end].to_owned()
}

fn repeated(part: &str, length: usize) -> String {
    cut(&part.repeat(length / part.len() + 1), length)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value =
        |chunk: &[u8]| chunk.iter().chain(&[0, 0]).take(3).fold(0_usize, |value, byte| value << 8 | usize::from(*byte));
    let digits = |chunk| [18, 12, 6, 0].map(|shift| char::from(DIGITS[value(chunk) >> shift & 63]));
    bytes.chunks(3).flat_map(digits).collect()
}

fn nested(length: usize) -> String {
    let mut text = "the secret of all ".repeat(length / 18 * 27 / 64);
    for _ in 0..3 {
        text = base64(text.as_bytes());
    }
    text
}

/// Pseudo-random bytes, the same every time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u8::try_from(state >> 24).unwrap()
    };
    (0..length).map(|_| next()).collect()
}

fn pastes() -> [(&'static str, String); 5] {
    let source = include_str!("../src/searcher.rs");
    let prose = include_str!("../../../ARCHITECTURE.md");
    [
        ("source code", cut(source, PASTE)),
        ("prose with some that is not ASCII", cut(&prose[prose.find("## The data path").unwrap()..], PASTE)),
        (
            "numbers",
            repeated("2026-03-02 12:00:01 4111 1111 1111 1112 DE89 3704 0044 0532 0130 01 12 345 678 901; ", PASTE),
        ),
        ("base64", cut(&base64(&noise(PASTE)), PASTE)),
        (
            "Cyrillic",
            repeated(
                "\u{41f}\u{440}\u{43e}\u{435}\u{43a}\u{442} \u{410}\u{432}\u{440}\u{43e}\u{440}\u{430} 4111, ",
                PASTE,
            ),
        ),
    ]
}

type Hostile = (&'static str, fn(usize) -> String);

fn hostile() -> [Hostile; 14] {
    [
        ("digits", |length| repeated("4", length)),
        ("groups of digits", |length| repeated("4111 ", length)),
        ("letter A", |length| repeated("A", length)),
        ("base64 in base64 in base64", |length| cut(&nested(length), length)),
        ("base64 of noise", |length| base64(&noise(length * 3 / 4))),
        ("combining marks", |length| repeated("\u{301}", length)),
        ("look-alikes with marks", |length| repeated("\u{430}\u{336}", length)),
        ("Hangul parts", |length| repeated("\u{1100}\u{1161}\u{11a8}", length)),
        ("worst for an expression", |length| repeated("Z", length)),
        ("begins of keys", |length| repeated("---BEGIN PRIVATE KEY---", length)),
        ("begins of OpenSSH keys", |length| repeated("b3BlbnNzaC1rZXktdjEA\n", length)),
        ("ids of AWS", |length| repeated("AKIAIOSFODNN7EXAMPLE/", length)),
        ("headers of JWT", |length| repeated("eyJhbGciOiJIUzI1NiJ9.", length)),
        ("line breaks and blanks", |length| repeated("a\n  ", length)),
    ]
}

/// Nanoseconds that this thread had a core; how long others had it does not count.
fn nanoseconds() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// The best of five, in nanoseconds a byte.
fn cost(searcher: &Searcher, text: &str) -> f64 {
    let run = || {
        std::thread::yield_now();
        let start = nanoseconds();
        black_box(searcher.search(black_box(text)));
        std::thread::yield_now();
        nanoseconds() - start
    };
    let best = (0..5).map(|_| run()).min().unwrap();
    best as f64 / text.len() as f64
}

/// Milliseconds of a core for a paste with every detector; the goal is one.
fn pasted(_: &mut Criterion) {
    let searcher = all();
    let mut faults = Vec::new();
    println!("\n| paste of 4 KiB | ms of a core |\n|---|---|");
    for (name, text) in pastes() {
        let best = (0..20).map(|_| cost(&searcher, &text)).fold(f64::MAX, f64::min);
        let milliseconds = best * PASTE as f64 / 1e6;
        println!("| {name} | {milliseconds:.2} |");
        if milliseconds > 1.0 {
            faults.push(name);
        }
    }
    assert!(faults.is_empty(), "more than a millisecond: {faults:?}");
}

/// Texts of files, 4 MiB each.
fn files() -> [(&'static str, Vec<u8>); 7] {
    const LENGTH: usize = 4 << 20;
    let source = include_str!("../src/searcher.rs").replace(|character: char| !character.is_ascii(), "-");
    let prose = include_str!("../../../docs/content-rules.md");
    let ascii = prose.replace(|character: char| !character.is_ascii(), "-");
    let log = "2026-03-02T12:00:01.113Z INFO gate: GET /api/sessions/0190f2aa-77d1 200 1731 us from 10.0.3.17:51214\n";
    let table = "4111;23.50;2026-03-02;DE;no;17\n20041;1.25;2026-03-03;AT;yes;4\n";
    [
        ("source code, ASCII", repeated(&source, LENGTH).into_bytes()),
        ("prose, ASCII", repeated(&ascii, LENGTH).into_bytes()),
        ("a gate's log", repeated(log, LENGTH).into_bytes()),
        ("a table of numbers", repeated(table, LENGTH).into_bytes()),
        ("prose with dashes and Cyrillic", repeated(prose, LENGTH).into_bytes()),
        ("base64 in lines", wrapped(&base64(&noise(LENGTH * 3 / 4))).into_bytes()),
        ("bytes of no text", noise(LENGTH)),
    ]
}

fn wrapped(text: &str) -> String {
    text.as_bytes().chunks(76).flat_map(|line| line.iter().chain(b"\n")).map(|byte| char::from(*byte)).collect()
}

/// MiB a second of a core through a stream, as files are searched: with all built-in detectors, and with expressions and words beside them.
fn throughput(_: &mut Criterion) {
    let known = Searcher::new(Known::ALL.map(Detector::from)).unwrap();
    let all = all();
    println!("\n| file | built-in detectors, MiB/s | and expressions and words, MiB/s |\n|---|---|---|");
    for (name, bytes) in files() {
        let [known, all] = [&known, &all].map(|searcher| {
            let run = || {
                let start = nanoseconds();
                let mut stream = Stream::new(searcher);
                for piece in bytes.chunks(64 << 10) {
                    black_box(stream.push(piece));
                }
                black_box(stream.finish());
                std::thread::yield_now();
                nanoseconds() - start
            };
            let best = (0..3).map(|_| run()).min().unwrap();
            bytes.len() as f64 / (1 << 20) as f64 / (best as f64 / 1e9)
        });
        println!("| {name} | {known:.0} | {all:.0} |");
    }
}

fn linear(_: &mut Criterion) {
    if std::env::args().any(|argument| argument == "--profile-time") {
        return;
    }
    // Its matches fail at the end of the text, each after a look at all of it.
    let worst = Pattern::read(".*[^A-Z]|[A-Z]").unwrap().into();
    let searcher = all();
    let searcher_of_worst = Searcher::new(Known::ALL.into_iter().map(Detector::from).chain([worst])).unwrap();
    println!(
        "\n| hostile text | ns a byte, {} KiB | twice as long | four times | ratio |\n|---|---|---|---|---|",
        HOSTILE >> 10
    );
    let mut faults = Vec::new();
    for (name, text) in hostile() {
        let searcher = if name.starts_with("worst") { &searcher_of_worst } else { &searcher };
        let costs = [1, 2, 4].map(|times| cost(searcher, &text(HOSTILE * times)));
        let ratio = costs[2] / costs[0];
        println!("| {name} | {:.0} | {:.0} | {:.0} | {ratio:.2} |", costs[0], costs[1], costs[2]);
        if ratio > LINEAR {
            faults.push(name);
        }
    }
    assert!(faults.is_empty(), "not linear: {faults:?}");
}

fn paste(criterion: &mut Criterion) {
    let searcher = all();
    let mut group = criterion.benchmark_group("4 KiB, all detectors");
    for (name, text) in pastes() {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| searcher.search(black_box(&text))));
    }
    let mut window = Window::default();
    let (_, text) = &pastes()[0];
    window.remember(text);
    group.bench_function("source code, behind 4 KiB that crossed before", |bencher| {
        bencher.iter(|| window.search(&searcher, black_box(text)));
    });
    group.finish();
    let mut group = criterion.benchmark_group("1 MiB, all detectors");
    let text = repeated(include_str!("../src/searcher.rs"), 1 << 20);
    group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(10);
    group.bench_function("source code", |bencher| bencher.iter(|| searcher.search(black_box(&text))));
    group.finish();
}

criterion_group!(benches, pasted, throughput, paste, linear);
criterion_main!(benches);
