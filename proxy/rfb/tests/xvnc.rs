//! The desktop's side against TigerVNC's Xvnc on a unix socket: frame, cursor, size and keys of a real desktop.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

mod harness;

use std::io::Write;

use harness::{Gate, PATIENCE, Xvnc};
use portcullis_rfb::desktop::{Config, Event};
use portcullis_rfb::{Change, Key, Point, Pointer, Size};

#[test]
fn a_frame_a_cursor_and_a_name() {
    let desktop = Xvnc::start("320x200");
    let mut gate = Gate::new(desktop.connect(), Config::default());
    gate.until("a frame", |gate| gate.screen.revision() > 0);
    assert_eq!(gate.screen.size(), Size::new(320, 200));
    let Some(Event::Ready { name, .. }) = gate.seen.first() else { panic!("{:?}", gate.seen.first()) };
    assert!(name.contains("test"), "{name}");
    // Xvnc paints the cursor into the frame as long as the pointer is not where its viewer has put it.
    gate.connection.pointer(Pointer::new(0, Point::new(10, 10)));
    desktop.run("xsetroot", &["-solid", "#123456", "-cursor_name", "crosshair"]);
    gate.until("the colour", |gate| gate.is_all([0x56, 0x34, 0x12, 0]));
    gate.until("a cursor", |gate| gate.screen.cursor().is_some_and(|cursor| !cursor.size.is_empty()));
    let cursor = gate.screen.cursor().unwrap();
    assert!(cursor.pixels.chunks_exact(4).any(|pixel| pixel[3] == 255));
    assert!(cursor.pixels.chunks_exact(4).all(|pixel| pixel[3] == 255 || pixel == [0; 4]));
}

#[test]
fn a_size_is_set_and_an_impossible_one_is_not_asked_for() {
    let desktop = Xvnc::start("320x200");
    let mut gate = Gate::new(desktop.connect(), Config::default());
    gate.until("a frame", |gate| gate.screen.revision() > 0);
    assert!(gate.connection.set_size(Size::new(500, 400)));
    gate.until("the size", |gate| gate.screen.size() == Size::new(500, 400));
    assert!(!gate.connection.set_size(Size::new(65535, 65535)));
    desktop.run("xsetroot", &["-solid", "#00ff00"]);
    gate.until("the colour", |gate| gate.is_all([0, 0xff, 0, 0]));
    let resizes = gate.seen.iter().filter_map(|event| match event {
        Event::Update(changes) => Some(changes.iter().filter(|change| matches!(change, Change::Resize(_))).count()),
        _ => None,
    });
    assert_eq!(resizes.sum::<usize>(), 1);
}

#[test]
fn keys_and_pointer_arrive() {
    let desktop = Xvnc::start("400x300");
    let mut gate = Gate::new(desktop.connect(), Config::default());
    gate.until("a frame", |gate| gate.screen.revision() > 0);
    let folder = desktop.folder().to_str().unwrap().to_owned();
    let script = format!("read line; echo \"$line\" > {folder}/typed.part; mv {folder}/typed.part {folder}/typed");
    let mut terminal =
        desktop.command("xterm").args(["-geometry", "80x24+0+0", "-e", "sh", "-c", &script]).spawn().unwrap();
    // The terminal is there when the screen is no longer the plain root window.
    gate.until("the terminal", |gate| {
        let first = &gate.screen.pixels()[..4];
        gate.screen.pixels().chunks_exact(4).any(|pixel| pixel != first)
    });
    gate.connection.pointer(Pointer::new(0, Point::new(100, 100)));
    for (keysym, scancode) in [(0x68, 0x23), (0x69, 0x17), (0xff0d, 0x1c)] {
        for down in [true, false] {
            gate.connection.key(Key { down, keysym, scancode: Some(scancode) });
        }
    }
    let output = gate.connection.take_output();
    gate.socket.write_all(&output).unwrap();
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || ended.send(terminal.wait().unwrap()));
    assert!(end.recv_timeout(PATIENCE).expect("the terminal has ended").success());
    assert_eq!(std::fs::read_to_string(format!("{folder}/typed")).unwrap(), "hi\n");
}
