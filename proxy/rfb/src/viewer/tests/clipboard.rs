//! The clipboard between a viewer and us, byte by byte.

use super::*;
use crate::clipboard::{Delivery, Event as Clipboard};
use crate::input::Key;
use crate::limits::{MAX_CUT_TEXT, MAX_CUT_TEXT_SKIPPED};

const SIZE: Size = Size::new(64, 48);
/// The extended clipboard's pseudo-encoding.
const EXTENDED: i32 = 0xC0A1_E5CE_u32.cast_signed();

fn message(length: i32, body: &[u8]) -> Vec<u8> {
    [&[6, 0, 0, 0][..], &length.to_be_bytes(), body].concat()
}

fn extended(flags: u32, body: &[u8]) -> Vec<u8> {
    message(-(body.len() as i32 + 4), &[&flags.to_be_bytes()[..], body].concat())
}

fn text(text: &str) -> Event {
    Event::Clipboard(Clipboard::Text(text.into()))
}

/// As noVNC: it lists the pseudo-encoding, hears our caps, says its own.
fn novnc() -> Peer {
    let mut peer = Peer::novnc(SIZE);
    assert_eq!(peer.decoder.clipboard, [(0x1f00_0001, vec![0; 4])]);
    peer.decoder.clipboard.clear();
    peer.say(&extended(0x1f00_0001, &[0; 4]));
    peer
}

/// The field that a viewer's bytes are refused by.
fn refused(mut peer: Peer, bytes: &[u8]) -> String {
    let error = peer.connection.receive(bytes).unwrap_err();
    assert_eq!((error.side, error.message), (crate::Side::Viewer, "ClientCutText"));
    assert_eq!(peer.connection.receive(&[]).unwrap_err(), error, "it is over");
    error.field
}

#[test]
fn classic_cut_text_is_latin1_and_bounded() {
    let mut peer = Peer::ready(SIZE, &[]);
    peer.say(&message(5, b"caf\xe9\n"));
    assert_eq!(peer.events, [text("café\n")]);
    peer.say(&message(0, b""));
    assert_eq!(peer.events, [text("")]);

    let classic = |length: u32| message(length as i32, &vec![b'x'; length as usize]);
    peer.say(&classic(MAX_CUT_TEXT));
    assert!(
        matches!(&peer.events[..], [Event::Clipboard(Clipboard::Text(text))] if text.bytes() == MAX_CUT_TEXT.into())
    );
    let key = [4, 1, 0, 0, 0, 0, 0, 0x41];
    peer.say(&[&classic(MAX_CUT_TEXT + 1)[..], &key].concat());
    let after = Event::Key(Key { down: true, keysym: 0x41, scancode: None });
    assert_eq!(peer.events, [Event::Clipboard(Clipboard::TooLong { bytes: MAX_CUT_TEXT + 1 }), after]);

    let over = message(MAX_CUT_TEXT_SKIPPED as i32 + 1, &[]);
    assert_eq!(refused(Peer::ready(SIZE, &[]), &over), "length");
}

#[test]
fn extended_messages_are_refused_until_they_are_agreed() {
    for length in [-1, -4, -5, i32::MIN] {
        assert_eq!(refused(Peer::ready(SIZE, &[]), &message(length, &[])), "length");
    }
    let mut peer = novnc();
    peer.say(&set_encodings(&[7, 0]));
    assert_eq!(refused(peer, &extended(0x0800_0001, &[])), "length", "it has taken the extension back");
    for bytes in [message(i32::MIN, &[]), message(-3, &[0; 3]), extended(0x1800_0001, &[]), extended(0x0800_0001, &[0])]
    {
        refused(novnc(), &bytes);
    }
}

#[test]
fn a_paste_crosses_when_it_is_asked_for() {
    let mut peer = novnc();
    peer.say(&extended(0x0800_0001, &[]));
    assert_eq!(peer.events, [Event::Clipboard(Clipboard::Offered)]);
    assert_eq!(peer.decoder.clipboard, [], "nobody asks by itself");
    assert!(peer.connection.request_cut_text());
    peer.hear();
    assert_eq!(std::mem::take(&mut peer.decoder.clipboard), [(0x0200_0001, vec![])]);
    let mut deflate = flate2::Compress::new(flate2::Compression::default(), true);
    let mut body = Vec::with_capacity(256);
    let plain = ["\0\0\0\u{15}é 漢字 😀\r\nline\0".as_bytes(), b"slack"].concat();
    deflate.compress_vec(&plain, &mut body, flate2::FlushCompress::Full).unwrap();
    peer.say(&extended(0x1000_0001, &body));
    assert_eq!(peer.events, [text("é 漢字 😀\nline")]);
    peer.say(&extended(0x1000_0001, &body));
    assert_eq!(peer.events, [Event::Clipboard(Clipboard::Offered)], "nobody asked this time");
}

#[test]
fn a_copy_is_announced_and_provided_when_asked_for() {
    let mut peer = novnc();
    assert_eq!(peer.connection.cut_text(&"one".into()), Delivery::Offered);
    assert_eq!(peer.connection.cut_text(&"é 漢字 😀\r\nline".into()), Delivery::Offered);
    peer.hear();
    assert_eq!(std::mem::take(&mut peer.decoder.clipboard), [(0x0800_0001, vec![])]);
    peer.say(&extended(0x0200_0001, &[]));
    assert_eq!(peer.events, [Event::Clipboard(Clipboard::Asked)]);
    assert_eq!(peer.decoder.clipboard, []);
    assert!(peer.connection.provide_cut_text());
    peer.hear();
    let [(0x1000_0001, body)] = &peer.decoder.clipboard[..] else { panic!("{:?}", peer.decoder.clipboard) };
    let mut plain = Vec::with_capacity(256);
    flate2::Decompress::new(true).decompress_vec(body, &mut plain, flate2::FlushDecompress::Sync).unwrap();
    assert_eq!(plain, "\0\0\0\u{15}é 漢字 😀\r\nline\0".as_bytes());
}

#[test]
fn classic_viewers_get_latin1_one_text_at_a_time() {
    let mut peer = Peer::ready(SIZE, &[]);
    for (text, lost) in [("one", 0), ("two €", 1), ("café\r\n", 0)] {
        assert_eq!(peer.connection.cut_text(&text.into()), Delivery::Sent { lost });
    }
    assert_eq!(peer.connection.cut_text(&"x".repeat(256 * 1024 + 1).as_str().into()), Delivery::TooLong);
    peer.hear();
    assert_eq!(peer.decoder.texts, [b"caf\xe9\n"]);
    assert_eq!(peer.connection.take_output(), []);

    let mut early = Connection::new(config(SIZE));
    early.take_output();
    assert_eq!(early.cut_text(&"too early".into()), Delivery::NotReady);
    assert_eq!(early.take_output(), []);
}

#[test]
fn the_pseudo_encoding_is_answered_each_time_it_is_listed() {
    let mut peer = Peer::ready(SIZE, &[EXTENDED]);
    peer.say(&set_encodings(&[EXTENDED]));
    let twice = [set_encodings(&[EXTENDED]), set_encodings(&[EXTENDED])].concat();
    peer.say(&twice);
    assert_eq!(peer.decoder.clipboard, vec![(0x1f00_0001, vec![0; 4]); 3], "once for each time that it reads");
}
