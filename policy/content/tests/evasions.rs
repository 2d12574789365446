//! The ways to write a secret so that it is not seen at once, and that it is found in each of them; and those in which it is not.
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod made;

use made::{
    Dice, all, base64, base64url, between, card, full_width, github, hex, jwt, look_alikes, pem, utf16, wrapped,
};
use portcullis_content::{Detector, Known, MARK, Pattern, Searcher, TAIL, Window, Words};

/// One secret of each detector.
fn secrets() -> Vec<(Known, String)> {
    let mut dice = Dice(9);
    vec![
        (Known::PaymentCard, card(&mut dice, "4")),
        (Known::PaymentCard, "5555 5555 5555 4444".to_owned()),
        (Known::Iban, "DE89 3704 0044 0532 0130 00".to_owned()),
        (Known::UsSsn, "219-09-9999".to_owned()),
        (Known::GermanTaxId, "86095742719".to_owned()),
        (Known::PrivateKey, pem(&mut dice, "OPENSSH PRIVATE KEY")),
        (Known::Jwt, jwt(&mut dice, r#"{"alg":"HS256"}"#, r#"{"sub":"alice"}"#)),
        (Known::AwsKey, "AKIAIOSFODNN7EXAMPLE".to_owned()),
        (Known::GithubToken, github(&mut dice, "ghp_", 36)),
        (
            Known::SlackToken,
            format!("xoxb-{}-{}-{}", dice.digits(12), dice.digits(12), dice.text(made::ALPHANUMERIC, 24)),
        ),
        (Known::GoogleKey, format!("AIza{}", dice.text(made::ALPHANUMERIC, 35))),
    ]
}

/// Each secret, hidden, is found by its detector, and the text without what was found holds nothing of it.
fn check(name: &str, hide: impl Fn(&str) -> String) {
    let searcher = all();
    for (known, secret) in secrets() {
        let text = format!("before: {} :behind", hide(&secret));
        let found = searcher.search(&text);
        let place = Known::ALL.iter().position(|other| *other == known).unwrap();
        assert!(found.iter().any(|found| found.detector == place), "{known}, {name}: {text}");
        let clean = searcher.clean(&text).expect("it comes to an end");
        assert!(searcher.search(&clean.text).is_empty(), "{known}, {name}: {}", clean.text);
        assert!(
            clean.text.starts_with("before: ") && clean.text.ends_with(":behind") && clean.text.contains(MARK),
            "{known}, {name}: {}",
            clean.text
        );
        assert_eq!(clean.found, found);
    }
}

#[test]
fn other_characters() {
    check("as it is", str::to_owned);
    check("full width", full_width);
    check("look-alikes", look_alikes);
    check("zero width", |secret| between(secret, "\u{200b}"));
    check("bidirectional controls", |secret| between(secret, "\u{202e}\u{2066}"));
    check("soft hyphens and tags", |secret| between(secret, "\u{ad}\u{e0041}"));
    check("variation selectors", |secret| between(secret, "\u{fe0f}"));
    check("strokes through", |secret| between(secret, "\u{336}"));
    check("acute accents over", |secret| {
        let accented =
            |letter: char| if letter.is_ascii_digit() { format!("{letter}\u{301}") } else { letter.to_string() };
        secret.chars().map(accented).collect()
    });
    check("other spaces and dashes", |secret| secret.replace(' ', "\u{202f}").replace('-', "\u{2011}"));
    check("mathematical digits", |secret| {
        secret
            .chars()
            .map(|letter| letter.to_digit(10).map_or(letter, |digit| char::from_u32(0x1d7f6 + digit).unwrap()))
            .collect()
    });
    check("Arabic digits", |secret| {
        secret
            .chars()
            .map(|letter| letter.to_digit(10).map_or(letter, |digit| char::from_u32(0x660 + digit).unwrap()))
            .collect()
    });
    check("Cyrillic O for zero", |secret| {
        let key = secret.contains("-----")
            || secret.contains('_')
            || secret.contains('.')
            || secret.contains("AIza")
            || secret.contains("xox");
        if key { secret.to_owned() } else { secret.replace('0', "\u{41e}") }
    });
    check("NUL between", |secret| between(secret, "\0"));
}

#[test]
fn behind_much_to_decode() {
    let rows = format!("{}.\n", "3".repeat(400)).repeat(150);
    let short = "333333333333. ".repeat(400);
    check("behind rows that decode to rows", |secret| format!("{rows}{short}{}", base64(secret.as_bytes())));
}

#[test]
fn other_encodings() {
    check("base64", |secret| base64(secret.as_bytes()));
    check("base64 for URLs", |secret| base64url(secret.as_bytes()));
    check("base64 in lines", |secret| wrapped(&base64(secret.as_bytes()), 16, "\n"));
    check("base64 in quoted lines", |secret| wrapped(&base64(secret.as_bytes()), 12, "\r\n> "));
    for junk in ["x", "xy", "xyz"] {
        check("base64 behind other digits", |secret| format!("{junk}{}", base64(secret.as_bytes())));
    }
    check("base64 of more", |secret| base64(format!("\u{1}\u{7f}binary {secret} and more").as_bytes()));
    check("base64 in base64", |secret| base64(base64(secret.as_bytes()).as_bytes()));
    check("base64 in base64 in base64", |secret| base64(base64(base64(secret.as_bytes()).as_bytes()).as_bytes()));
    check("base64 in full width", |secret| full_width(&base64(secret.as_bytes())));
    check("hexadecimal", |secret| hex(secret.as_bytes()));
    check("hexadecimal, odd", |secret| format!("a{}", hex(secret.as_bytes())));
    check("hexadecimal in pairs", |secret| wrapped(&hex(secret.as_bytes()), 2, " ").to_uppercase());
    check("hexadecimal in a dump", |secret| wrapped(&hex(secret.as_bytes()), 32, "\n").replace("..", "$0 "));
    check("hexadecimal for C", |secret| secret.bytes().map(|byte| format!("0x{byte:02x}, ")).collect());
    check("escapes of C", |secret| secret.bytes().map(|byte| format!("\\x{byte:02x}")).collect());
    check("escapes of URLs", |secret| secret.bytes().map(|byte| format!("%{byte:02X}")).collect());
    check("hexadecimal in base64", |secret| base64(hex(secret.as_bytes()).as_bytes()));
    check("UTF-16", |secret| String::from_utf8(utf16(secret, u16::to_le_bytes)).unwrap());
    check("UTF-16, the other order", |secret| String::from_utf8(utf16(secret, u16::to_be_bytes)).unwrap());
    check("UTF-16 in base64", |secret| base64(&utf16(secret, u16::to_le_bytes)));
    check("UTF-16 of look-alikes in base64", |secret| {
        base64(&utf16(&format!("this: {}", look_alikes(secret)), u16::to_be_bytes))
    });
    check("UTF-16 in hexadecimal", |secret| hex(&utf16(secret, u16::to_be_bytes)));
}

#[test]
fn tokens_wrapped_over_lines() {
    for (known, secret) in secrets() {
        if matches!(known, Known::AwsKey | Known::GithubToken | Known::GoogleKey) {
            for width in [3, 7, 20] {
                let text = format!("the key\n{}\nis it", wrapped(&secret, width, "\r\n  "));
                let found = made::found(known, &text);
                assert_eq!(found, [&text[8..text.len() - 6]], "{known}");
            }
        }
    }
}

#[test]
fn secrets_in_several_copies() {
    let searcher = all();
    for (known, secret) in secrets() {
        for pieces in [2, 3, 7] {
            let mut window = Window::default();
            window.remember("what was copied before. ");
            let size = secret.len().div_ceil(pieces);
            let parts: Vec<&str> =
                secret.as_bytes().chunks(size).map(|part| std::str::from_utf8(part).unwrap()).collect();
            let place = Known::ALL.iter().position(|other| *other == known).unwrap();
            let mut when = None;
            for (number, part) in parts.iter().enumerate() {
                let text = if number + 1 == parts.len() { format!("{part} and more") } else { (*part).to_owned() };
                let found = window.search(&searcher, &text);
                if let Some(found) = found.iter().find(|found| found.detector == place) {
                    assert_eq!(found.range.start, 0, "{known}");
                    assert!(!searcher.clean(&text).unwrap().text.is_empty());
                    when = Some(number);
                }
                window.remember(&text);
            }
            // A key is found before its last part comes, a number with it.
            assert!(
                when.is_some_and(|when| when + 1 == parts.len()
                    || known == Known::PrivateKey
                    || known == Known::Jwt
                    || known == Known::SlackToken),
                "{known}: {when:?}"
            );
        }
    }
}

#[test]
fn a_window_forgets_what_is_far_and_what_was_stopped() {
    let searcher = Searcher::new([Known::PaymentCard.into()]).unwrap();
    let mut window = Window::default();
    assert!(window.search(&searcher, "4111 1111").is_empty());
    // It did not cross, so it is not remembered.
    assert!(window.search(&searcher, " 1111 1111").is_empty());
    window.remember("4111 1111");
    assert_eq!(window.search(&searcher, " 1111 1111 x")[0].range, 0..10);
    assert_eq!(window.search(&searcher, "x 4111111111111111")[0].range, 2..18);
    // What stood before takes nothing away from what stands in the text alone.
    assert_eq!(window.search(&searcher, "4111111111111111")[0].range, 0..16);
    window.remember(&"\u{e9}".repeat(TAIL / 2));
    assert!(window.search(&searcher, " 1111 1111").is_empty());
    assert_eq!(format!("{window:?}"), format!("Window of {TAIL} bytes"));
}

#[test]
fn expressions_and_words_see_through_the_same() {
    let pattern = Pattern::read(r"(?i)project\s+aurora").unwrap();
    let words = Words::read(["Проект Аврора", "nightfall"]).unwrap();
    let searcher = Searcher::new([Detector::from(pattern), words.into()]).unwrap();
    let places = |text: &str| searcher.search(text).into_iter().map(|found| found.detector).collect::<Vec<_>>();
    for text in [
        "Project  Aurora",
        "ргоject аurоrа".replace('г', "r").as_str(),
        &full_width("Project Aurora"),
        &base64(b"about project aurora"),
        &hex(b"Project aurora"),
    ] {
        assert_eq!(places(text), [0], "{text}");
    }
    for text in [
        "проект\nаврора",
        "NIGHTFALL",
        "nіghtfаll",
        &base64("ПРОЕКТ АВРОРА".as_bytes()),
        &between("nightfall", "\u{200d}"),
    ] {
        assert_eq!(places(text), [1], "{text}");
    }
    // An expression in another script sees the text as it is written too.
    let cyrillic = Searcher::new([Pattern::read("проект").unwrap().into()]).unwrap();
    assert_eq!(cyrillic.search("это проект").len(), 1);
    for text in ["projectaurora", "nightfalls", "проекты аврора"] {
        assert!(places(text).is_empty(), "{text}");
    }
}

#[test]
fn what_is_found_in_a_run_takes_the_whole_run() {
    let searcher = Searcher::new([Known::UsSsn.into()]).unwrap();
    let run = base64("name: Müller, 219-09-9999, more".as_bytes());
    let text = format!("see {run}, é");
    let found = searcher.search(&text);
    assert_eq!(found.len(), 1);
    assert_eq!(text[found[0].range.clone()], run);
    assert_eq!(searcher.clean(&text).unwrap().text, format!("see {MARK}, é"));
}

#[test]
fn a_text_that_cannot_be_cleaned_does_not_cross() {
    let searcher = Searcher::new([Pattern::read(r"\].").unwrap().into()]).unwrap();
    assert!(searcher.clean(&format!("]{}", "b".repeat(40))).is_none());
    let searcher = Searcher::new([Pattern::read(r"\S+").unwrap().into()]).unwrap();
    assert_eq!(searcher.clean("a [b").unwrap().text, format!("{MARK} {MARK}"));
    // Without what was found before it, a number stands alone and is found as well.
    let searcher = Searcher::new([Pattern::read("abc").unwrap().into(), Known::PaymentCard.into()]).unwrap();
    assert_eq!(searcher.clean("abc4111111111111111").unwrap().text, format!("{MARK}{MARK}"));
}

#[test]
fn what_is_not_seen() {
    let searcher = all();
    let number = "4111111111111111";
    for text in [
        number.chars().rev().collect::<String>(),
        number.replace('1', "one "),
        number.replace('1', "l"),
        between(number, " x "),
        base64(base64(base64(base64(number.as_bytes()).as_bytes()).as_bytes()).as_bytes()),
    ] {
        assert!(searcher.search(&text).is_empty(), "{text}");
    }
}
