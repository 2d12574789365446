//! The other messages of a desktop: bell and cut text, and the 253 that are refused.

use super::*;
use crate::wire::DesktopMessage;

fn cut_text(text: &[u8]) -> Vec<u8> {
    [&[3, 0xaa, 0xaa, 0xaa], &(text.len() as u32).to_be_bytes()[..], text].concat()
}

#[test]
fn bells_and_cut_text() {
    let bytes = [vec![2], cut_text(b"caf\xe9\n"), cut_text(b""), vec![2]].concat();
    let wanted = [Event::Bell, Event::CutText("café\n".to_owned()), Event::CutText(String::new()), Event::Bell];
    assert_eq!(ready(64, 48).receive(&bytes).unwrap(), wanted);
}

#[test]
fn a_cut_text_over_the_limit_is_read_past() {
    let limit = crate::limits::MAX_CUT_TEXT as usize;
    let bytes = [cut_text(&vec![b'a'; limit]), cut_text(&vec![2; limit + 1]), cut_text(b"b")].concat();
    let events = ready(64, 48).receive(&bytes).unwrap();
    assert!(matches!(&events[..], [
        Event::CutText(longest),
        Event::CutTextTooLong { bytes: 262_145 },
        Event::CutText(next),
    ] if longest.len() == limit && next == "b"));
    let limits = Limits { cut_text: 3, ..Limits::default() };
    let mut strict = Connection::new(Config { limits, ..Config::default() });
    strict.receive(&greeting(1, 1)).unwrap();
    assert_eq!(strict.receive(&cut_text(b"four")).unwrap(), [Event::CutTextTooLong { bytes: 4 }]);
}

#[test]
fn impossible_lengths_of_cut_text() {
    for (length, reason) in [
        (0xffff_ffff_u32, "-1 is the extended clipboard"),
        (0x8000_0000, "-2147483648 is the extended clipboard"),
        (0x7fff_ffff, "2147483647 is over 16777216"),
        (0x0100_0001, "16777217 is over 16777216"),
    ] {
        let error = refusal(&[&[3, 0, 0, 0], &length.to_be_bytes()[..]].concat());
        assert_eq!((error.message, error.field.as_str()), ("ServerCutText", "length"));
        assert!(error.reason.starts_with(reason), "{error}");
    }
}

#[test]
fn every_other_message_is_refused_by_name() {
    for code in (0..=255).filter(|code| ![0, 2, 3].contains(code)) {
        let error = refusal(&[code, 0, 0, 0]);
        assert_eq!(error.field, "message-type");
        assert!(error.reason.starts_with(&format!("{code} was not asked for")), "{error}");
        assert_eq!(error.message, DesktopMessage(code).name().unwrap_or("unknown message"));
    }
    assert_eq!(refusal(&[180]).message, "KasmVNC BinaryClipboard");
    assert_eq!(refusal(&[1]).message, "SetColourMapEntries");
}
