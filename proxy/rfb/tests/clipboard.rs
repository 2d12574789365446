//! The clipboard of real desktops, both ways: Xvnc by the extended clipboard, x11vnc by classic cut text, xclip as the program there.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use portcullis_rfb::clipboard::{Delivery, Event as Clipboard, Text};
use portcullis_rfb::desktop::{Config, Connection, Event};

/// Longer than anything here takes; a wait that is over it has failed.
const PATIENCE: Duration = Duration::from_secs(75);

/// Text of four scripts, with both kinds of line end.
const MIXED: &str = "é 漢字 😀 ‏שלום\r\nline\n";

/// A desktop of its own, which ends with the test.
struct Desk {
    processes: Vec<Child>,
    display: String,
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn xvnc() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("rfb.sock");
        let mut command = Command::new("Xvnc");
        command.args(["-displayfd", "1", "-rfbport", "-1", "-rfbunixmode", "0600", "-SecurityTypes", "None"]);
        command.args(["-AlwaysShared", "-noreset", "-geometry", "64x64", "-nolisten", "tcp", "-SendPrimary=0"]);
        // Twice the limit and room: every line feed of a text may be a CR LF on the wire.
        command.args(["-MaxCutText", "4194304", "-rfbunixpath"]).arg(&socket);
        let (server, display) = display_of(command);
        Self { processes: vec![server], display, socket, _folder: folder }
    }

    fn x11vnc() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("rfb.sock");
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "64x64x24", "-nolisten", "tcp"]);
        let (server, display) = display_of(command);
        let mut x11vnc = Command::new("x11vnc");
        x11vnc.args([
            "-display",
            &display,
            "-rfbport",
            "0",
            "-no6",
            "-nopw",
            "-forever",
            "-shared",
            "-noshm",
            "-nonap",
            "-wait",
            "10",
            "-q",
            "-unixsock",
        ]);
        let x11vnc = x11vnc.arg(&socket).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let desk = Self { processes: vec![x11vnc, server], display, socket, _folder: folder };
        let started = Instant::now();
        while UnixStream::connect(&desk.socket).is_err() {
            assert!(started.elapsed() < PATIENCE, "x11vnc listens");
            std::thread::sleep(Duration::from_millis(20));
        }
        desk
    }

    /// A program there copies; it serves the text as long as the child lives.
    fn copy(&self, text: &[u8]) -> Owner {
        let mut xclip = self.xclip(&["-selection", "clipboard", "-quiet"]);
        let mut owner = xclip.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        owner.stdin.take().unwrap().write_all(text).unwrap();
        Owner(owner)
    }

    /// A program there pastes; what it gets, which is nothing where nobody has copied.
    fn paste(&self, gate: &mut Gate, target: &str) -> Vec<u8> {
        let mut xclip = self.xclip(&["-selection", "clipboard", "-o", "-t", target]);
        let mut reader = xclip.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = reader.stdout.take().unwrap();
        let text = std::thread::spawn(move || {
            let mut text = Vec::new();
            output.read_to_end(&mut text).map(|_| text)
        });
        gate.until("the program there has pasted", |_| text.is_finished());
        reader.wait().unwrap();
        text.join().unwrap().unwrap()
    }

    fn xclip(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("xclip");
        command.args(arguments).env("DISPLAY", &self.display).env_remove("XAUTHORITY").stderr(Stdio::null());
        command
    }
}

/// Starts an X server; its number is written when it accepts connections.
fn display_of(mut command: Command) -> (Child, String) {
    let mut server = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("setup.sh test installs it");
    let mut number = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
    (server, format!(":{}", number.trim()))
}

impl Drop for Desk {
    fn drop(&mut self) {
        for process in &mut self.processes {
            process.kill().ok();
            process.wait().ok();
        }
    }
}

/// The program that owns the clipboard.
struct Owner(Child);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A gate's end of the desktop, which permits everything.
struct Gate {
    socket: UnixStream,
    connection: Connection,
    heard: Vec<Clipboard>,
    /// Whether it asks for what it is offered.
    asks: bool,
}

impl Gate {
    fn connect(desk: &Desk) -> Self {
        let socket = UnixStream::connect(&desk.socket).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut gate = Self { socket, connection: Connection::new(Config::default()), heard: Vec::new(), asks: true };
        gate.until("the handshake", |gate| gate.connection.is_ready());
        gate.connection.request_update(false);
        gate
    }

    /// Talks until it holds.
    fn until(&mut self, what: &str, done: impl Fn(&Gate) -> bool) {
        let started = Instant::now();
        let mut bytes = vec![0; 65536];
        while !done(self) {
            assert!(started.elapsed() < PATIENCE, "waited for {what}; heard {:?}", self.heard);
            self.flush();
            let count = match self.socket.read(&mut bytes) {
                Ok(0) => panic!("the desktop hung up, waiting for {what}"),
                Ok(count) => count,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(error) => panic!("{error}"),
            };
            for event in self.connection.receive(&bytes[..count]).unwrap() {
                match event {
                    Event::Update(_) => self.connection.request_update(true),
                    Event::Clipboard(event) => self.act(event),
                    _ => {}
                }
            }
        }
        self.flush();
    }

    fn act(&mut self, event: Clipboard) {
        match event {
            Clipboard::Offered if self.asks => assert!(self.connection.request_cut_text()),
            Clipboard::Asked => assert!(self.connection.provide_cut_text()),
            _ => {}
        }
        self.heard.push(event);
    }

    fn flush(&mut self) {
        let output = self.connection.take_output();
        self.socket.write_all(&output).unwrap();
    }

    /// Waits for a text that was copied there.
    fn hears(&mut self, text: &str) {
        let wanted = Clipboard::Text(text.into());
        self.until("a copied text", |gate| gate.heard.contains(&wanted));
    }
}

/// A gate at an Xvnc that has said what it can do.
fn xvnc() -> (Desk, Gate) {
    let desk = Desk::xvnc();
    let mut gate = Gate::connect(&desk);
    gate.until("its caps", |gate| gate.connection.takes_unicode());
    (desk, gate)
}

#[test]
fn every_character_is_copied_from_xvnc() {
    let (desk, mut gate) = xvnc();
    for text in ["café", MIXED, "😀", "a\rb\r\n\r\n", "tab\tand \u{1b}[31m"] {
        let _owner = desk.copy(text.as_bytes());
        gate.hears(Text::new(text).as_str());
    }
}

#[test]
fn every_character_is_pasted_into_xvnc() {
    let (desk, mut gate) = xvnc();
    for text in ["café", MIXED, "😀", "a\rb\r\n\r\n", ""] {
        let text = Text::new(text);
        assert_eq!(gate.connection.cut_text(&text), Delivery::Offered);
        gate.flush();
        assert_eq!(desk.paste(&mut gate, "UTF8_STRING"), text.as_str().as_bytes());
        // It is asked for once, and pasted as often as one likes.
        let asked = gate.heard.iter().filter(|event| **event == Clipboard::Asked).count();
        assert_eq!(desk.paste(&mut gate, "UTF8_STRING"), text.as_str().as_bytes());
        assert_eq!(gate.heard.iter().filter(|event| **event == Clipboard::Asked).count(), asked);
    }
}

/// Every length around the borders of the peer's buffers, and the largest.
#[test]
fn long_texts_cross_whole() {
    let (desk, mut gate) = xvnc();
    let lengths = [4096, 8192, 16384, 65536].into_iter().flat_map(|edge| edge - 8..edge + 2);
    // xclip hands over more than 1,048,575 bytes in parts (INCR, ICCCM §2.7.2), which Xvnc does not take.
    for length in lengths.chain([262_144, 262_145, 1_048_575]) {
        let text: String =
            (0..length).map(|n| char::from(b"0123456789abcdefghijklmnopqrstu\n"[(n * n / 7) % 32])).collect();
        assert_eq!(gate.connection.cut_text(&text.as_str().into()), Delivery::Offered);
        gate.flush();
        assert!(desk.paste(&mut gate, "UTF8_STRING") == text.as_bytes(), "{length} bytes pasted");
        let _owner = desk.copy(text.as_bytes());
        gate.hears(&text);
    }
    let most = Text::new(&"é\n".repeat(1024 * 1024 / 3));
    assert_eq!(gate.connection.cut_text(&most), Delivery::Offered);
    gate.flush();
    assert!(desk.paste(&mut gate, "UTF8_STRING") == most.as_str().as_bytes());
    assert_eq!(gate.connection.cut_text(&"x".repeat(1024 * 1024 + 1).as_str().into()), Delivery::TooLong);
}

#[test]
fn what_is_not_asked_for_stays_in_xvnc() {
    let (desk, mut gate) = xvnc();
    gate.asks = false;
    let _secret = desk.copy(b"secret");
    gate.until("an offer", |gate| gate.heard.contains(&Clipboard::Offered));
    gate.asks = true;
    let _next = desk.copy(b"next");
    gate.hears("next");
    let texts = gate.heard.iter().filter(|event| matches!(event, Clipboard::Text(_))).count();
    assert_eq!(texts, 1, "{:?}", gate.heard);
}

#[test]
fn a_text_that_is_taken_back_is_not_pasted() {
    let (desk, mut gate) = xvnc();
    assert_eq!(gate.connection.cut_text(&"let in".into()), Delivery::Offered);
    gate.connection.withdraw_cut_text();
    gate.flush();
    let mut xclip = desk.xclip(&["-selection", "clipboard", "-o"]);
    let output = xclip.output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
}

#[test]
fn bytes_that_are_no_text_do_not_end_the_session() {
    let (desk, mut gate) = xvnc();
    let mut xclip = desk.xclip(&["-selection", "clipboard", "-quiet", "-t", "UTF8_STRING"]);
    let mut owner = Owner(xclip.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap());
    owner.0.stdin.take().unwrap().write_all(b"broken \xff\xfe \xc0\x80").unwrap();
    gate.until("the broken copy", |gate| gate.heard.iter().any(|event| matches!(event, Clipboard::Unreadable(_))));
    let _next = desk.copy(b"whole again");
    gate.hears("whole again");
}

#[test]
fn latin1_crosses_to_and_from_x11vnc_and_the_rest_is_told_apart() {
    let desk = Desk::x11vnc();
    let mut gate = Gate::connect(&desk);
    // It begins with the clipboard 15 seconds after somebody has connected, with its cut buffer, which is empty, and looks at what
    // programs copy after 45.
    gate.hears("");
    let _owner = desk.copy(b"caf\xe9\nau lait");
    gate.hears("café\nau lait");
    // Its caps have no word for being notified, and what it is provided with it drops: it gets the classic message.
    assert!(!gate.connection.takes_unicode());
    assert_eq!(gate.connection.cut_text(&"naïve\r\n".into()), Delivery::Sent { lost: 0 });
    pasted(&desk, &mut gate, b"na\xefve\n");
    assert_eq!(gate.connection.cut_text(&"10 € 漢字".into()), Delivery::Sent { lost: 3 });
    pasted(&desk, &mut gate, b"10 ? ??");
    assert_eq!(gate.connection.cut_text(&"é".repeat(200_000).as_str().into()), Delivery::Sent { lost: 0 });
    pasted(&desk, &mut gate, &[0xe9; 200_000]);
}

/// Waits until a program there pastes these Latin-1 bytes: x11vnc takes the clipboard when it gets to it.
fn pasted(desk: &Desk, gate: &mut Gate, latin1: &[u8]) {
    let started = Instant::now();
    while desk.paste(gate, "STRING") != latin1 {
        assert!(started.elapsed() < PATIENCE, "waited for the paste");
    }
}
