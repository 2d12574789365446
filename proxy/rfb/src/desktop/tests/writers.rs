//! What is said to the desktop, byte by byte.

use super::*;

fn said(connection: &mut Connection, say: impl FnOnce(&mut Connection)) -> Vec<u8> {
    say(connection);
    connection.take_output()
}

/// A connection to a desktop that has acknowledged extended keys and resizing.
fn able() -> Connection {
    able_to_take(Keys::default())
}

fn able_to_take(keys: Keys) -> Connection {
    let mut connection = Connection::new(Config { keys, ..Config::default() });
    connection.receive(&greeting(64, 48)).unwrap();
    connection.take_output();
    let abilities = update(&[
        rect(Rect::default(), Encoding::QEMU_EXTENDED_KEY_EVENT, &[]),
        rect(Rect::new(0, 0, 64, 48), Encoding::EXTENDED_DESKTOP_SIZE, &layout(&[0x0102_0304, 9])),
    ]);
    assert_eq!(connection.receive(&abilities), Ok(vec![Event::Update(vec![])]));
    connection
}

#[test]
fn update_requests_are_of_the_whole_screen() {
    let mut connection = ready(800, 600);
    assert_eq!(said(&mut connection, |it| it.request_update(false)), [3, 0, 0, 0, 0, 0, 3, 32, 2, 88]);
    assert_eq!(said(&mut connection, |it| it.request_update(true)), [3, 1, 0, 0, 0, 0, 3, 32, 2, 88]);
    assert_eq!(connection.take_output(), []);
}

#[test]
fn a_desktop_hears_the_keysym_that_was_judged_and_no_scan_code() {
    let forged = Key { down: true, keysym: 0x61, scancode: Some(0x10) };
    let plain = [4, 1, 0, 0, 0, 0, 0, 0x61];
    assert_eq!(said(&mut ready(64, 48), |it| it.key(forged)), plain);
    assert_eq!(said(&mut able(), |it| it.key(forged)), plain, "though it takes scan codes");
    assert_eq!(said(&mut able(), |it| it.key(Key { keysym: 0, ..forged })), [], "nothing of it was judged");
}

#[test]
fn scan_codes_are_for_who_was_configured_for_them_and_takes_them() {
    let key = Key { down: true, keysym: 0xffe1, scancode: Some(0x2a) };
    #[rustfmt::skip]
    let extended = [
        255, 0,                 // QEMU, extended key
        0, 1,                   // down-flag
        0, 0, 0xff, 0xe1,       // keysym
        0, 0, 0, 0x2a,          // keycode
    ];
    let mut machine = able_to_take(Keys::Scancodes);
    assert_eq!(said(&mut machine, |it| it.key(key)), extended);
    let up = Key { down: false, scancode: None, ..key };
    assert_eq!(said(&mut machine, |it| it.key(up)), [4, 0, 0, 0, 0, 0, 0xff, 0xe1]);
    let mut silent = Connection::new(Config { keys: Keys::Scancodes, ..Config::default() });
    silent.receive(&greeting(64, 48)).unwrap();
    silent.take_output();
    assert_eq!(said(&mut silent, |it| it.key(key)), [4, 1, 0, 0, 0, 0, 0xff, 0xe1], "it has not acknowledged them");
}

#[test]
fn the_pointer_is_six_bytes_and_on_the_screen() {
    let forged = Pointer { buttons: 0x81, at: Point::new(65535, 47) };
    assert_eq!(said(&mut ready(64, 48), |it| it.pointer(forged)), [5, 1, 0, 63, 0, 47]);
}

#[test]
fn a_size_is_asked_of_who_can_change_it() {
    assert_eq!(said(&mut ready(64, 48), |it| assert!(!it.set_size(Size::new(100, 80)))), []);
    #[rustfmt::skip]
    let wanted = [
        251, 0, 0, 100, 0, 80,  // SetDesktopSize, padding, width, height
        1, 0,                   // number-of-screens, padding
        1, 2, 3, 4,             // id
        0, 0, 0, 0,             // x-position, y-position
        0, 100, 0, 80,          // width, height
        0, 0, 0, 0,             // flags
    ];
    assert_eq!(said(&mut able(), |it| assert!(it.set_size(Size::new(100, 80)))), wanted);
    for size in [Size::new(0, 80), Size::new(3841, 80), Size::new(65535, 65535)] {
        assert_eq!(said(&mut able(), |it| assert!(!it.set_size(size))), [], "{size}");
    }
}

#[test]
fn nothing_is_said_after_the_protocol_was_broken() {
    let mut connection = able();
    connection.request_update(true);
    assert!(connection.receive(&[1]).is_err());
    assert!(!connection.is_ready());
    connection.request_update(true);
    connection.pointer(Pointer::new(0, Point::default()));
    assert_eq!(connection.cut_text(&"x".into()), Delivery::NotReady);
    assert!(!connection.request_cut_text() && !connection.provide_cut_text() && !connection.set_size(Size::new(1, 1)));
    assert_eq!(connection.take_output(), []);
}
