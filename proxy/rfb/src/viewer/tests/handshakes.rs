//! The handshake in every version, whole and in pieces.

use super::*;

/// What the viewer sends, what it is sent, and how it ends.
fn check(input: &[u8], output: &[u8], ready: Option<bool>, refused: Option<&str>) {
    let whole = std::iter::once(input);
    let pieces = input.chunks(1);
    for chunks in [whole.collect::<Vec<_>>(), pieces.collect()] {
        let mut connection = Connection::new(config(Size::new(800, 600)));
        let mut events = Vec::new();
        let mut error = None;
        for chunk in chunks {
            match connection.receive(chunk) {
                Ok(more) => events.extend(more),
                Err(found) => error = Some(found.to_string()),
            }
        }
        let sent = connection.take_output();
        assert_eq!(sent.get(..output.len()), Some(output), "{}", sent.escape_ascii());
        assert_eq!(events.first(), ready.map(|shared| Event::Ready { shared }).as_ref());
        assert_eq!(connection.is_ready(), ready.is_some() && refused.is_none());
        assert_eq!(error.as_deref(), refused);
        if ready.is_none() {
            assert_eq!(sent.len(), output.len(), "{}", sent.escape_ascii());
        }
    }
}

/// ServerInit for 800x600.
#[rustfmt::skip]
const INIT: &[u8] = &[
    3, 32, 2, 88,                                                   // framebuffer-width, framebuffer-height
    32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0,        // server-pixel-format
    0, 0, 0, 9, b'a', b' ', b'd', b'e', b's', b'k', b't', b'o', b'p', // name
];

#[test]
fn three_eight_has_a_list_and_a_result() {
    let output = [b"RFB 003.008\n".as_slice(), &[1, 1], &[0, 0, 0, 0], INIT].concat();
    check(b"RFB 003.008\n\x01\x00", &output, Some(false), None);
    check(b"RFB 003.008\n\x01\x01", &output, Some(true), None);
    check(b"RFB 003.008\n\x01", &output[..18], None, None);
}

#[test]
fn three_seven_has_a_list_and_no_result() {
    let output = [b"RFB 003.008\n".as_slice(), &[1, 1], INIT].concat();
    check(b"RFB 003.007\n\x01\x01", &output, Some(true), None);
}

#[test]
fn three_three_is_told_the_type() {
    let output = [b"RFB 003.008\n".as_slice(), &[0, 0, 0, 1], INIT].concat();
    check(b"RFB 003.003\n\x01", &output, Some(true), None);
}

#[test]
fn messages_may_follow_at_once() {
    let mut connection = Connection::new(config(Size::new(800, 600)));
    let events = connection.receive(b"RFB 003.003\n\x01\x04\x01\0\0\0\0\0\x41").unwrap();
    let key = crate::input::Key { down: true, keysym: 0x41, scancode: None };
    assert_eq!(events, [Event::Ready { shared: true }, Event::Key(key)]);
}

#[test]
fn other_versions_are_refused() {
    for version in
        [b"RFB 003.006\n", b"RFB 003.889\n", b"RFB 000.000\n", b"RFB 004.001\n", b"GET / HTTP/1", b"RFB 003.008\r"]
    {
        let quoted = version.escape_ascii();
        let refused =
            format!("viewer broke the protocol: ProtocolVersion, version: \"{quoted}\" is not one of 3.3, 3.7 and 3.8");
        check(version, b"RFB 003.008\n", None, Some(&refused));
    }
}

#[test]
fn every_other_security_type_is_refused() {
    for chosen in (0..=255u8).filter(|chosen| *chosen != 1) {
        for version in [b"RFB 003.007\n", b"RFB 003.008\n"] {
            let mut connection = Connection::new(config(Size::new(800, 600)));
            connection.receive(version).unwrap();
            assert_eq!(connection.take_output(), [b"RFB 003.008\n".as_slice(), &[1, 1]].concat());
            let error = connection.receive(&[chosen]).unwrap_err();
            assert_eq!((error.message, error.field.as_str()), ("Security", "security-type"));
            assert!(error.reason.contains("was not offered, only None (1)"), "{error}");
            assert_eq!(connection.receive(b"\x01\x01").unwrap_err(), error, "it is over");
            assert_eq!(connection.take_output(), []);
        }
    }
}

#[test]
fn a_label_is_cut_between_characters() {
    let mut connection = Connection::new(Config { name: "é".repeat(200) + "x", ..config(Size::new(1, 1)) });
    connection.receive(b"RFB 003.003\n\x01").unwrap();
    let sent = connection.take_output();
    assert_eq!(sent[12 + 4 + 20..][..4], 256u32.to_be_bytes());
    assert_eq!(std::str::from_utf8(&sent[12 + 4 + 24..]), Ok("é".repeat(128).as_str()));

    let mut connection = Connection::new(Config { name: "€".repeat(90), ..config(Size::new(1, 1)) });
    connection.receive(b"RFB 003.003\n\x01").unwrap();
    assert_eq!(connection.take_output()[12 + 4 + 20..][..4], 255u32.to_be_bytes());
}
