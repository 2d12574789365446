//! Pieces of any length mean the same as the whole, and places are on characters.
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod made;

use made::{Dice, all, base64, card, github, look_alikes, pem, utf16};
use portcullis_content::{AHEAD, BEFORE, Detector, Found, Known, Pattern, STEP, Searcher, Stream, Window, Words};
use proptest::prelude::*;

fn in_pieces(searcher: &Searcher, text: &[u8], mut length: impl FnMut() -> usize) -> Vec<Found> {
    let mut stream = Stream::new(searcher);
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(length().clamp(1, rest.len()));
        found.extend(stream.push(piece));
        rest = behind;
    }
    found.extend(stream.finish());
    found
}

fn everything() -> Searcher {
    let known = Known::ALL.into_iter().map(Detector::from);
    let pattern = Pattern::read("(?i)aurora|e.?e").unwrap();
    Searcher::new(known.chain([pattern.into(), Words::read(["night fall", "é"]).unwrap().into()])).unwrap()
}

/// Secrets in every spelling, one every so often.
fn long(dice: &mut Dice, length: usize) -> String {
    let mut text = String::new();
    while text.len() < length {
        let secret = match dice.below(5) {
            0 => card(dice, "4"),
            1 => github(dice, "ghp_", 36),
            2 => pem(dice, "PRIVATE KEY"),
            3 => "219-09-9999".to_owned(),
            _ => "DE89 3704 0044 0532 0130 00".to_owned(),
        };
        let secret = match dice.below(4) {
            0 => base64(secret.as_bytes()),
            1 => look_alikes(&secret),
            _ => secret,
        };
        let filler = ["lorem ipsum. ", "1234 5678 ", "é€😀 ", "QUJDREVGR0hJSktM", "\n"][dice.below(5)];
        text += &filler.repeat(dice.below(300));
        text += &format!(" {secret} ");
    }
    text
}

#[test]
fn long_texts_in_pieces_are_as_the_whole() {
    let searcher = everything();
    let mut dice = Dice(11);
    let text = long(&mut dice, 3 * STEP + AHEAD);
    let whole = searcher.search(&text);
    assert!(whole.len() > 100, "{}", whole.len());
    for found in &whole {
        assert!(text.get(found.range.clone()).is_some_and(|part| !part.is_empty()));
    }
    for most in [7, 1000, STEP, STEP + AHEAD, 2 * STEP + 1] {
        assert_eq!(in_pieces(&searcher, text.as_bytes(), || 1 + dice.below(most)), whole, "up to {most}");
    }
}

#[test]
fn a_secret_is_found_once_wherever_it_stands() {
    let searcher = all();
    let mut dice = Dice(12);
    let token = github(&mut dice, "ghp_", 36);
    for boundary in [STEP, STEP + AHEAD, 2 * STEP - BEFORE] {
        for shift in (0..=80).step_by(5) {
            let start = boundary - 60 + shift;
            for filler in ["a. ", "€. "] {
                let mut text = filler.repeat(start / filler.len());
                text += &" ".repeat(start - text.len());
                text += &token;
                text += &filler.repeat(200);
                let found = searcher.search(&text);
                assert_eq!(found.len(), 1, "at {start}");
                assert_eq!(found[0].range, start..start + token.len());
            }
        }
    }
}

#[test]
fn a_run_longer_than_all_that_is_held_is_seen_to_its_end() {
    let searcher = Searcher::new([Known::GithubToken.into()]).unwrap();
    let mut dice = Dice(13);
    for lead in 0..4 {
        let secret = github(&mut dice, "ghp_", 36);
        let inside = format!("{}{secret}{}", "no secret here. ".repeat(15_000 + lead), " and none here.".repeat(9_000));
        let text = format!("{}{}", "x".repeat(lead), base64(inside.as_bytes()));
        assert!(text.len() > 4 * STEP);
        let found = searcher.search(&text);
        let at = lead + inside.find(&secret).unwrap() * 4 / 3;
        assert_eq!(found.len(), 1);
        assert!(found[0].range.start <= at && at + 50 <= found[0].range.end, "{found:?} for {at}");
    }
}

#[test]
fn files_are_searched_as_they_are() {
    let searcher = Searcher::new([Known::UsSsn.into()]).unwrap();
    let ranges = |bytes: &[u8]| {
        in_pieces(&searcher, bytes, || 5)
            .into_iter()
            .map(|found| (found.range.start, found.range.end))
            .collect::<Vec<_>>()
    };
    assert_eq!(ranges(b"\xff\xfe\xe4\xf6 219-09-9999 \xfc"), [(5, 16)]);
    assert_eq!(ranges(b"SSN\xa0219\xa009\xa09999 \xff"), [(4, 15)]);
    let mut file = b"\xff\xfe".to_vec();
    file.extend(utf16("Größe: 219-09-9999.", u16::to_le_bytes));
    let ranges = ranges(&file);
    assert_eq!((ranges.len(), ranges[0].0), (1, 16));
}

fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        "[0-9 .-]{0,24}",
        "[A-Za-z0-9+/=\n]{0,40}",
        "[\u{300}-\u{304}\u{200b}\u{430}-\u{440}a-e]{0,12}",
        Just("4111 1111 1111 1111".to_owned()),
        Just("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".to_owned()),
        Just("SSN 219099999".to_owned()),
        Just("NDExMTExMTExMTExMTExMQ==".to_owned()),
        Just("34313131313131313131313131313131".to_owned()),
        Just(made::between("4111111111111111", "\0")),
        Just("AKIAIOSFODNN7EXAMPLE\n".to_owned()),
        Just("\n".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_in_any_pieces(parts in prop::collection::vec(part(), 0..12), seed in any::<u64>(), most in 1_usize..64) {
        let text = parts.concat();
        let searcher = everything();
        let whole = searcher.search(&text);
        let mut dice = Dice(seed);
        prop_assert_eq!(&in_pieces(&searcher, text.as_bytes(), || 1 + dice.below(most)), &whole);
        for found in &whole {
            prop_assert!(text.get(found.range.clone()).is_some_and(|part| !part.is_empty()), "{:?}", found);
        }
        for pair in whole.windows(2) {
            prop_assert!(pair[0].range.start <= pair[1].range.start);
        }
        if let Some(clean) = all().clean(&text) {
            prop_assert!(all().search(&clean.text).is_empty());
        }
    }
}

#[test]
fn a_searcher_of_some_detectors_finds_theirs_alone() {
    let words = Words::read(["nightfall"]).unwrap();
    let pattern = Pattern::read("aurora").unwrap();
    let all = Searcher::new([Known::PaymentCard.into(), pattern.into(), Detector::from(words)]).unwrap();
    let text = "aurora nightfall 4111 1111 1111 1111";
    let places =
        |searcher: &Searcher| searcher.search(text).into_iter().map(|found| found.detector).collect::<Vec<_>>();
    assert_eq!(places(&all), [1, 2, 0]);
    for place in 0..3 {
        assert_eq!(places(&all.only(&[place])), [place]);
        assert!(places(&all.only(&[place]).only(&[(place + 1) % 3])).is_empty());
    }
    assert_eq!(all.only(&[0]).clean(text).unwrap().text, "aurora nightfall [redacted]");
    assert_eq!(format!("{all:?}"), "Searcher of 3 detectors");
}

#[test]
fn what_began_in_an_earlier_text_is_redacted_in_the_present_one() {
    let searcher = Searcher::new([Known::PaymentCard.into()]).unwrap();
    let mut window = Window::default();
    window.remember("4111 1111 ");
    let cleaned = window.clean(&searcher, "1111 1111 and more").unwrap();
    assert_eq!((cleaned.text.as_str(), cleaned.places("1111 1111 and more")), ("[redacted] and more", 1));
    assert!(window.search(&searcher, &cleaned.text).is_empty());
    // Alone there is nothing in it.
    assert_eq!(searcher.clean("1111 1111 and more").unwrap().places(""), 0);
}
