//! The handshake of each version, and every way in which a desktop may try to leave it.

use super::*;

/// One line of a dialogue: what the desktop writes, and what it is answered.
fn dialogue(lines: &[(&[u8], &[u8])]) -> (Connection, Vec<Event>) {
    let mut connection = Connection::new(Config::default());
    let mut events = Vec::new();
    for (said, answer) in lines {
        events.extend(connection.receive(said).unwrap());
        assert_eq!(connection.take_output(), *answer, "after {:?}", said.escape_ascii().to_string());
    }
    (connection, events)
}

fn refused(bytes: &[u8]) -> String {
    let mut connection = Connection::new(Config::default());
    let error = connection.receive(bytes).unwrap_err();
    assert!(!connection.is_ready() && connection.take_output().is_empty());
    assert_eq!(error.side, crate::error::Side::Desktop);
    error.to_string()
}

#[test]
fn version_3_8() {
    let init = server_init(800, 600, "bücher".as_bytes());
    let (connection, events) = dialogue(&[
        (b"RFB 003.008\n", b"RFB 003.008\n"),
        (b"\x03\x02\x13", b""),
        (b"\x01", b"\x01"),
        (b"\0\0\0\0", b"\x01"),
        (&init, &CANONICAL),
    ]);
    assert!(connection.is_ready());
    assert_eq!(events, [Event::Ready { size: Size::new(800, 600), name: "bücher".to_owned() }]);
}

#[test]
fn version_3_7_has_no_result_for_none() {
    let (connection, _) = dialogue(&[
        (b"RFB 003.007\n", b"RFB 003.007\n"),
        (b"\x01\x01", b"\x01\x01"),
        (&server_init(1, 1, b""), &CANONICAL),
    ]);
    assert!(connection.is_ready());
}

#[test]
fn version_3_3_is_told_the_type() {
    let (connection, _) = dialogue(&[
        (b"RFB 003.003\n", b"RFB 003.003\n"),
        (b"\0\0\0\x01", b"\x01"),
        (&server_init(3840, 2160, b"\xff"), &CANONICAL),
    ]);
    assert!(connection.is_ready());
}

#[test]
fn other_versions_are_refused_by_name() {
    assert!(refused(b"RFB 003.889\n").ends_with(r#"version: "RFB 003.889\n" is not 3.3, 3.7 or 3.8"#));
    assert!(refused(b"RFB 003.006\n").contains("is not 3.3, 3.7 or 3.8"));
    assert!(refused(b"RFB 000.000\n").contains("repeater"));
    assert!(refused(b"HTTP/1.1 400 Bad Request\r\n").contains("is HTTP, as KasmVNC speaks it: another protocol"));
    assert!(refused(b"SSH-2.0-OpenSSH").contains("is not RFB"));
    assert!(refused(b"RFB 003.008\r").contains("is not 3.3, 3.7 or 3.8"));
}

#[test]
fn no_falling_back_to_what_was_not_configured() {
    assert!(
        refused(b"RFB 003.008\n\x02\x02\x13").ends_with(
            "security-types: configured is None (1), the desktop offers VNC Authentication (2), VeNCrypt (19)"
        )
    );
    assert!(refused(b"RFB 003.003\n\0\0\0\x02").contains("offers VNC Authentication (2)"));
    assert!(refused(b"RFB 003.003\n\0\0\x01\x01").contains("offers 257"));
    let all_others: Vec<u8> = (0..=255).filter(|code| *code != 1).collect();
    let long = refused(&[b"RFB 003.008\n\xff".as_slice(), &all_others].concat());
    assert!(long.len() < 1000, "{long}");
}

/// What a desktop says when it declines; nothing comes of it afterwards.
fn declined(bytes: &[u8]) -> (Declined, String) {
    let mut connection = Connection::new(Config::default());
    let events = connection.receive(bytes).unwrap();
    let [Event::Declined { what, reason }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(connection.receive(b"RFB 003.008\n").unwrap(), [], "it is over");
    assert!(!connection.is_ready());
    connection.take_output();
    connection.request_update(false);
    assert!(connection.take_output().is_empty());
    (*what, reason.clone())
}

#[test]
fn a_reason_for_a_refusal_is_bounded_and_harmless() {
    let at_the_door = |reason: &str| (Declined::Connection, reason.to_owned());
    assert_eq!(declined(b"RFB 003.008\n\0\0\0\0\x07Too\nbad"), at_the_door(r"Too\nbad"));
    assert_eq!(declined(b"RFB 003.008\n\0\0\0\0\0"), at_the_door(""));
    assert_eq!(declined(b"RFB 003.003\n\0\0\0\0\0\0\0\x02no"), at_the_door("no"));
    let result = declined(b"RFB 003.008\n\x01\x01\0\0\0\x01\0\0\0\x02no");
    assert_eq!(result, (Declined::Login, "no".to_owned()));
    let (_, long) = declined(&[b"RFB 003.008\n\0\0\0\x10\0".as_slice(), &[0x1b; 4096]].concat());
    assert!(long.starts_with(r"\x1b\x1b") && long.len() < 600, "{long}");
    assert!(refused(b"RFB 003.008\n\0\xff\xff\xff\xff").ends_with("Security, reason-length: 4294967295 is over 4096"));
    assert!(
        refused(b"RFB 003.008\n\x01\x01\0\0\0\x01\0\0\x10\x01")
            .ends_with("SecurityResult, reason-length: 4097 is over 4096")
    );
    assert!(refused(b"RFB 003.008\n\x01\x01\0\0\0\x02").contains("status: 2 is neither"));
}

#[test]
fn server_init_is_bounded_before_anything_is_allocated() {
    let after = |init: &[u8]| refused(&[b"RFB 003.008\n\x01\x01\0\0\0\0".as_slice(), init].concat());
    for (width, height) in [(65535, 65535), (0, 1), (1, 0), (3841, 1), (1, 2161)] {
        let error = after(&server_init(width, height, b""));
        assert!(error.contains(&format!("{width}x{height} is empty or larger than 3840x2160")), "{error}");
    }
    let mut endless = server_init(1, 1, b"");
    endless.splice(20..24, [0xff; 4]);
    assert!(after(&endless).ends_with("name-length: 4294967295 is over 256"));
    assert!(after(&server_init(1, 1, &[b'x'; 257])).contains("name-length: 257"));
}

#[test]
fn nothing_is_said_before_the_handshake_is_over() {
    let mut connection = Connection::new(Config::default());
    connection.request_update(true);
    connection.key(Key { down: true, keysym: 0x61, scancode: None });
    connection.pointer(Pointer::new(0, Point::new(1, 1)));
    assert_eq!(connection.cut_text(&"x".into()), Delivery::NotReady);
    assert!(!connection.set_size(Size::new(10, 10)));
    assert!(connection.take_output().is_empty());
}

#[test]
fn lowered_limits_hold_and_raised_ones_do_not() {
    let greet = |limits, width| Connection::new(Config { limits, ..Config::default() }).receive(&greeting(width, 10));
    let lowered = Limits { framebuffer: Size::new(800, 600), ..Limits::default() };
    assert!(greet(lowered, 800).is_ok() && greet(lowered, 801).is_err());
    let raised = Limits { framebuffer: Size::new(65535, 65535), ..Limits::default() };
    assert!(greet(raised, 3840).is_ok() && greet(raised, 3841).is_err());
    let raised = Limits { cursor: Size::new(65535, 65535), cut_text: u32::MAX, ..Limits::default() };
    let mut connection = Connection::new(Config { limits: raised, ..Config::default() });
    connection.receive(&greeting(1, 1)).unwrap();
    assert!(connection.receive(&[3, 0, 0, 0, 0x80, 0, 0, 0]).is_err());
    let mut connection = Connection::new(Config { limits: raised, ..Config::default() });
    connection.receive(&greeting(1, 1)).unwrap();
    let cursor = rect(Rect::new(0, 0, 257, 1), Encoding::CURSOR, &[]);
    assert!(connection.receive(&update(&[cursor])).is_err());
}
