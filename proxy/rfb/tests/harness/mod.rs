//! Real desktops for tests and benches: Xvnc and x11vnc, what is painted on them, and a gate's end of their connection.

#![allow(dead_code, reason = "each that includes it uses a part")]

pub(crate) mod painter;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use portcullis_rfb::desktop::{Config, Connection, Event};
use portcullis_rfb::{Screen, Size};

use painter::Painter;

/// Longer than anything here takes; a wait that is over it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A desktop of its own, which ends with the test.
pub(crate) struct Xvnc {
    _process: Ended,
    display: String,
    folder: tempfile::TempDir,
}

impl Xvnc {
    pub(crate) fn start(geometry: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("rfb.sock");
        let mut process = Command::new("Xvnc")
            .args(["-displayfd", "1", "-rfbport", "-1", "-rfbunixmode", "0600", "-SecurityTypes", "None"])
            .args([
                "-AlwaysShared",
                "-noreset",
                "-depth",
                "24",
                "-geometry",
                geometry,
                "-nolisten",
                "tcp",
                "-desktop",
                "test",
            ])
            .arg("-rfbunixpath")
            .arg(&socket)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("tigervnc-standalone-server is installed");
        // The display's number is written when the desktop accepts connections.
        let mut number = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { _process: Ended(process), display: format!(":{}", number.trim()), folder }
    }

    /// Where it keeps its socket.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A viewer's connection to it.
    pub(crate) fn connect(&self) -> UnixStream {
        UnixStream::connect(self.folder.path().join("rfb.sock")).unwrap()
    }

    /// One that paints on it.
    pub(crate) fn painter(&self) -> Painter {
        Painter::connect(&self.display)
    }

    /// An x11vnc that shows the same desktop, and its only viewer's connection.
    pub(crate) fn x11vnc(&self) -> (Ended, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let [input, output] = [theirs.try_clone().unwrap(), theirs].map(|end| Stdio::from(OwnedFd::from(end)));
        let mut command = self.command("x11vnc");
        command.args(["-inetd", "-q", "-nopw", "-noshm", "-display", &self.display]).stdin(input).stdout(output);
        (Ended(command.spawn().expect("x11vnc is installed")), ours)
    }

    /// A program on this desktop.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DISPLAY", &self.display).env_remove("XAUTHORITY").stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.command(program).args(arguments).status().unwrap().success(), "{program}");
    }
}

/// QEMU's own VNC server: a machine that never starts, whose screen says so.
pub(crate) struct Qemu {
    _process: Ended,
    folder: tempfile::TempDir,
}

impl Qemu {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("qemu-system-x86_64");
        command.args(["-S", "-nodefaults", "-vga", "std", "-m", "32", "-accel", "tcg", "-display"]);
        command.arg(format!("vnc=unix:{}/rfb.sock", folder.path().display())).stdout(Stdio::null());
        let process = Ended(command.stderr(Stdio::null()).spawn().expect("qemu-system-x86 is installed"));
        Self { _process: process, folder }
    }

    /// A viewer's connection to it, once it listens.
    pub(crate) fn connect(&self) -> UnixStream {
        let started = Instant::now();
        loop {
            match UnixStream::connect(self.folder.path().join("rfb.sock")) {
                Ok(stream) => return stream,
                Err(error) => assert!(started.elapsed() < PATIENCE, "waited for QEMU: {error}"),
            }
            std::thread::yield_now();
        }
    }
}

/// A process that ends with the test.
pub(crate) struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A gate's end of the desktop, with an update request always outstanding.
pub(crate) struct Gate {
    pub(crate) socket: UnixStream,
    pub(crate) connection: Connection,
    pub(crate) screen: Screen,
    pub(crate) seen: Vec<Event>,
    /// Bytes that came.
    pub(crate) bytes: usize,
}

impl Gate {
    pub(crate) fn new(socket: UnixStream, config: Config) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let (connection, screen) = (Connection::new(config), Screen::new(Size::new(1, 1)));
        Self { socket, connection, screen, seen: Vec::new(), bytes: 0 }
    }

    /// Talks until what has been seen and the screen satisfy `done`.
    pub(crate) fn until(&mut self, what: &str, done: impl Fn(&Gate) -> bool) {
        let started = Instant::now();
        let mut bytes = vec![0; 65536];
        while !done(self) {
            assert!(started.elapsed() < PATIENCE, "waited for {what}");
            let output = self.connection.take_output();
            self.socket.write_all(&output).unwrap();
            let count = self.socket.read(&mut bytes).unwrap_or_else(|error| panic!("waited for {what}: {error}"));
            assert!(count > 0, "the desktop hung up");
            self.bytes += count;
            for event in self.connection.receive(&bytes[..count]).unwrap() {
                match &event {
                    Event::Ready { size, .. } => {
                        self.screen = Screen::new(*size);
                        self.connection.request_update(false);
                    }
                    Event::Update(changes) => {
                        self.screen.apply(changes).unwrap();
                        self.connection.request_update(true);
                    }
                    _ => {}
                }
                self.seen.push(event);
            }
        }
        let output = self.connection.take_output();
        self.socket.write_all(&output).unwrap();
    }

    /// Whether every pixel is this one.
    pub(crate) fn is_all(&self, pixel: [u8; 4]) -> bool {
        self.screen.pixels().chunks_exact(4).all(|found| found == pixel)
    }
}
