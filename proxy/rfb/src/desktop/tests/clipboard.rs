//! The clipboard between a desktop and us, byte by byte.

use super::*;
use crate::clipboard::Event as Clipboard;

fn cut_text(text: &[u8]) -> Vec<u8> {
    [&[3, 0xaa, 0xaa, 0xaa], &(text.len() as u32).to_be_bytes()[..], text].concat()
}

/// TigerVNC's caps: everything, for text, nothing unasked.
const CAPS: [u8; 16] = [3, 0, 0, 0, 0xff, 0xff, 0xff, 0xf8, 0x1f, 0, 0, 1, 0, 0, 0, 0];
const NOTIFY: [u8; 12] = [3, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 0x08, 0, 0, 1];
const REQUEST: [u8; 12] = [3, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 0x02, 0, 0, 1];

/// A connection to a desktop that has said what it can do, and been answered.
fn extended() -> Connection {
    let mut connection = ready(64, 48);
    assert!(!connection.takes_unicode());
    assert_eq!(connection.receive(&CAPS), Ok(vec![]));
    assert!(connection.takes_unicode());
    let ours = connection.take_output();
    assert_eq!(ours, [6, 0, 0, 0, 0xff, 0xff, 0xff, 0xf8, 0x1f, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(connection.receive(&CAPS.repeat(100)), Ok(vec![]));
    assert_eq!(connection.take_output(), [], "ours do not change");
    connection
}

fn text(text: &str) -> Event {
    Event::Clipboard(Clipboard::Text(text.into()))
}

#[test]
fn classic_cut_text_comes_as_before() {
    let bytes = [cut_text(b"caf\xe9\r\n"), cut_text(b"")].concat();
    for mut connection in [ready(64, 48), extended()] {
        assert_eq!(connection.receive(&bytes).unwrap(), [text("café\n"), text("")]);
    }
}

#[test]
fn a_cut_text_over_the_limit_is_read_past() {
    let limit = crate::limits::MAX_CUT_TEXT as usize;
    let bytes = [cut_text(&vec![b'a'; limit]), cut_text(&vec![2; limit + 1]), cut_text(b"b")].concat();
    let events = ready(64, 48).receive(&bytes).unwrap();
    let [Event::Clipboard(Clipboard::Text(longest)), over, next] = &events[..] else { panic!("{events:?}") };
    assert_eq!(longest.bytes(), 262_144);
    assert_eq!((over, next), (&Event::Clipboard(Clipboard::TooLong { bytes: 262_145 }), &text("b")));
    let limits = Limits { cut_text: 3, ..Limits::default() };
    let mut strict = Connection::new(Config { limits, ..Config::default() });
    strict.receive(&greeting(1, 1)).unwrap();
    let over = Event::Clipboard(Clipboard::TooLong { bytes: 4 });
    assert_eq!(strict.receive(&cut_text(b"four")).unwrap(), [over]);
}

#[test]
fn impossible_lengths() {
    for (length, reason) in [
        (0xffff_ffff_u32, "-1 has no room for the flags"),
        (0x8000_0000, "-2147483648 is over 16777216"),
        (0x7fff_ffff, "2147483647 is over 16777216"),
        (0x0100_0001, "16777217 is over 16777216"),
    ] {
        let error = refusal(&[&[3, 0, 0, 0], &length.to_be_bytes()[..]].concat());
        assert_eq!((error.message, error.field.as_str(), error.reason.as_str()), ("ServerCutText", "length", reason));
    }
}

#[test]
fn a_desktop_says_what_it_can_do_before_anything_else() {
    let error = refusal(&NOTIFY);
    assert_eq!((error.message, error.field.as_str()), ("ServerCutText", "flags"));
}

#[test]
fn a_copy_crosses_when_it_is_asked_for() {
    let mut connection = extended();
    assert_eq!(connection.receive(&NOTIFY).unwrap(), [Event::Clipboard(Clipboard::Offered)]);
    assert!(connection.request_cut_text());
    assert_eq!(connection.take_output(), [6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 0x02, 0, 0, 1]);
    // What TigerVNC sends for "é": 4 + 3 bytes, deflated, ended by a sync flush.
    #[rustfmt::skip]
    let provide = [
        3, 0, 0, 0, 0xff, 0xff, 0xff, 0xe6,                 // -26
        0x10, 0, 0, 1,                                      // provide, text
        0x78, 0x01,
        0x00, 7, 0, 0xf8, 0xff, 0, 0, 0, 3, 0xc3, 0xa9, 0,  // stored: size 3, é, NUL
        0x00, 0, 0, 0xff, 0xff,
        0, 0, 0,                                            // slack
    ];
    assert_eq!(connection.receive(&provide).unwrap(), [text("é")]);
    assert_eq!(connection.receive(&provide).unwrap(), [Event::Clipboard(Clipboard::Offered)], "nobody asked this time");
}

#[test]
fn a_paste_is_told_before_the_keys_that_follow_it() {
    let mut connection = extended();
    assert_eq!(connection.cut_text(&"漢".into()), Delivery::Offered);
    connection.key(Key { down: true, keysym: 0x76, scancode: None });
    let notify = [6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 0x08, 0, 0, 1];
    assert_eq!(connection.take_output(), [&notify[..], &[4, 1, 0, 0, 0, 0, 0, 0x76]].concat());
    assert_eq!(connection.receive(&REQUEST).unwrap(), [Event::Clipboard(Clipboard::Asked)]);
    assert_eq!(connection.offered_cut_text().map(crate::clipboard::Text::as_str), Some("漢"));
    assert_eq!(connection.take_output(), []);
    assert!(connection.provide_cut_text());
    let provided = connection.take_output();
    assert_eq!((&provided[..4], &provided[8..12]), (&[6, 0, 0, 0][..], &[0x10, 0, 0, 1][..]));
    let length = i32::from_be_bytes(provided[4..8].try_into().unwrap());
    assert_eq!(provided.len(), 8 + length.unsigned_abs() as usize);
    let mut plain = Vec::with_capacity(64);
    flate2::Decompress::new(true).decompress_vec(&provided[12..], &mut plain, flate2::FlushDecompress::Sync).unwrap();
    assert_eq!(plain, b"\0\0\0\x04\xe6\xbc\xa2\0");
}

#[test]
fn a_desktop_with_classic_cut_text_alone_gets_latin1() {
    let mut connection = ready(64, 48);
    let mut said = |text: &str, told| {
        assert_eq!(connection.cut_text(&text.into()), told);
        connection.take_output()
    };
    assert_eq!(said("é\r\n€", Delivery::Sent { lost: 1 }), [6, 0, 0, 0, 0, 0, 0, 3, 0xe9, 10, b'?']);
    assert_eq!(said("", Delivery::Sent { lost: 0 }), [6, 0, 0, 0, 0, 0, 0, 0]);
    let longest = "é".repeat(crate::limits::MAX_CUT_TEXT as usize);
    assert_eq!(said(&longest, Delivery::Sent { lost: 0 }).len(), 8 + 262_144);
    assert_eq!(said(&(longest + "x"), Delivery::TooLong), []);
    assert!(!connection.request_cut_text(), "it cannot be asked");
}

#[test]
fn no_text_is_shown() {
    let mut connection = extended();
    connection.receive(&[3, 0, 0, 0, 0, 0, 0, 9, b's', b'e', b'c', b'r']).unwrap();
    let shown = format!("{connection:?} {:?}", text("secret"));
    assert!(!shown.contains("secr") && !shown.contains("115, 101"), "{shown}");
}
