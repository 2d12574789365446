//! Names that are taken, and those that are not.
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

use portcullis_files::{FileName, MAX_NAME, NameRefused};
use proptest::prelude::*;

#[test]
fn ordinary_names_are_taken_as_they_are() {
    for name in [
        "report.pdf",
        "Rechnung März.docx",
        "a",
        "請求書.xlsx",
        "x-1_2 (3).tar.gz",
        "~draft.txt",
        "½ cup.txt",
        "Screenshot 3.04\u{202f}PM.png",
        "console.log",
        "com10.txt",
    ] {
        assert_eq!(FileName::parse(name).as_ref().map(FileName::as_str), Ok(name));
    }
    assert_eq!(FileName::parse("Ma\u{308}rz.TXT").unwrap().as_str(), "M\u{e4}rz.TXT");
    assert_eq!(FileName::parse("M.TXT").unwrap().extension().as_deref(), Some("txt"));
    assert_eq!(FileName::parse("Makefile").unwrap().extension(), None);
    assert!(FileName::parse(&"x".repeat(MAX_NAME)).is_ok());
}

#[test]
fn names_that_could_leave_or_hide_are_refused() {
    use NameRefused::{Beginning, Character, Control, Device, Empty, End, Invisible, Separator, TooLong};
    let cases = [
        ("", Empty),
        ("..", Beginning),
        (".", Beginning),
        (".bashrc", Beginning),
        ("-rf", Beginning),
        (" x", Beginning),
        ("\u{3000}x", Beginning),
        ("a/b", Separator),
        ("..\\b", Separator),
        ("..\u{2215}b", Separator),
        ("a\u{ff0f}b", Separator),
        ("a\u{29f8}b", Separator),
        ("a\u{2044}b", Separator),
        ("a\0b", Control),
        ("a\nb", Control),
        ("a\u{85}b", Control),
        ("a\u{2028}b", Control),
        ("invoice\u{202e}fdp.exe", Invisible),
        ("a\u{200b}b", Invisible),
        ("a\u{feff}b", Invisible),
        ("a\u{e0041}b", Invisible),
        ("a\u{ad}b", Invisible),
        ("file.txt:stream", Character),
        ("a*b", Character),
        ("a\u{fffd}b", Character),
        ("x.", End),
        ("x ", End),
        ("x.\u{a0}", End),
        ("NUL", Device),
        ("con.txt", Device),
        ("Com1.tar.gz", Device),
        ("lpt\u{b9}", Device),
        ("aux .h", Device),
    ];
    for (name, why) in cases {
        assert_eq!(FileName::parse(name), Err(why), "{name:?}");
    }
    assert_eq!(FileName::parse(&"\u{e4}".repeat(128)), Err(TooLong));
    assert_eq!(FileName::parse(&"e\u{301}".repeat(10_000)), Err(TooLong));
}

fn strange() -> impl Strategy<Value = char> {
    prop_oneof![
        3 => any::<char>(),
        2 => prop::sample::select(vec!['.', '/', '\\', ' ', '-', ':', '\0', '\u{202e}', '\u{301}', 'C', 'O', 'N', '1', '\u{2f}', '\u{ff0f}']),
    ]
}

proptest! {
    #[test]
    fn a_name_that_is_taken_stays_in_its_folder(characters in prop::collection::vec(strange(), 0..40)) {
        let name: String = characters.into_iter().collect();
        if let Ok(taken) = FileName::parse(&name) {
            let path = std::path::Path::new(taken.as_str());
            prop_assert_eq!(path.components().count(), 1);
            prop_assert!(matches!(path.components().next(), Some(std::path::Component::Normal(_))));
            prop_assert!(!taken.as_str().contains(['/', '\\', '\0', ':']));
            prop_assert!(!taken.as_str().starts_with(['.', '-']) && !taken.as_str().ends_with(['.', ' ']));
            prop_assert!(taken.as_str().len() <= MAX_NAME);
            prop_assert!(!taken.as_str().chars().any(char::is_control));
            // What was taken is taken again, as itself.
            prop_assert_eq!(FileName::parse(taken.as_str()), Ok(taken.clone()));
        }
    }

    #[test]
    fn letters_and_digits_are_always_taken(name in "[a-z]{1,20}(\\.[a-z0-9]{1,5})?") {
        let device = ["con", "prn", "aux", "nul"].contains(&name.split('.').next().unwrap());
        prop_assert_eq!(FileName::parse(&name).is_ok(), !device);
    }
}
