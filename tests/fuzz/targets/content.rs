//! Texts searched for what policy names: whole or in pieces the same is found, on characters; what was cleaned has nothing left; no bytes are too strange.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portcullis_content::{Detector, Found, Known, Pattern, Searcher, Stream, Window, Words, beside_marks, redact};
use portcullis_fuzz::pieces;

static BUILT_IN: LazyLock<Searcher> = LazyLock::new(|| Searcher::new(Known::ALL.map(Detector::from)).expect("they compile"));
static ALL: LazyLock<Searcher> = LazyLock::new(|| {
    let pattern = Pattern::read(r"(?i)aurora|[^\s\w]\d").expect("it compiles");
    let words = Words::read(["night fall", "\u{fc}ber", "\u{43f}\u{440}\u{43e}\u{435}\u{43a}\u{442}"]).expect("they are words");
    let detectors = Known::ALL.into_iter().map(Detector::from).chain([pattern.into(), words.into()]);
    Searcher::new(detectors).expect("they compile")
});

fn in_pieces(bytes: &[u8], seed: u8) -> Vec<Found> {
    let mut stream = Stream::new(&*ALL);
    let mut found: Vec<Found> = pieces(bytes, seed).flat_map(|piece| stream.push(piece)).collect();
    found.extend(stream.finish());
    found
}

fn check(text: &str, found: &[Found]) {
    for found in found {
        assert!(text.get(found.range.clone()).is_some_and(|part| !part.is_empty()), "{found:?} of {} bytes", text.len());
    }
}

fuzz_target!(|data: &[u8]| {
    let [seed, data @ ..] = data else { return };
    for found in in_pieces(data, 0) {
        assert!(found.range.start < found.range.end && found.range.end <= data.len(), "{found:?} of {} bytes", data.len());
    }
    let text = String::from_utf8_lossy(data);
    let whole = ALL.search(&text);
    check(&text, &whole);
    assert_eq!(in_pieces(text.as_bytes(), *seed), whole);
    assert_eq!(redact(&text, &whole) == *text, whole.is_empty());
    if let Some(clean) = BUILT_IN.clean(&text) {
        assert!(BUILT_IN.search(&clean.text).is_empty());
    }
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let (before, behind) = text.split_at(middle);
    let mut window = Window::default();
    window.remember(before);
    check(behind, &window.search(&ALL, behind));
    if let Some(clean) = window.clean(&BUILT_IN, behind) {
        assert!(beside_marks(&clean.text, window.search(&BUILT_IN, &clean.text)).is_empty());
    }
    let place = usize::from(*seed) % ALL.detectors().len();
    let alone: Vec<Found> = whole.into_iter().filter(|found| found.detector == place).collect();
    assert_eq!(ALL.only(&[place]).search(&text), alone);
});
