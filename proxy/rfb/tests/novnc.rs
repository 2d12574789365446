//! A second opinion on what a viewer is sent: noVNC's own RFB class, run by Node, ends messages where we end them and paints what we show.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use portcullis_rfb::clipboard::{Delivery, Event as Clipboard, Text};
use portcullis_rfb::viewer::{Config, Connection, Event};
use portcullis_rfb::{Change, Cursor, Limits, Point, Rect, Screen, Size};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// noVNC and the viewer's side of the gate, connected.
struct Pair {
    process: Child,
    input: ChildStdin,
    output: ChildStdout,
    gate: Connection,
    /// What noVNC said apart from RFB.
    said: Vec<(u8, Vec<u8>)>,
    heard: Vec<Event>,
}

impl Pair {
    fn new(screen: &Screen) -> Self {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let module = format!("{root}/web/ui/node_modules/@novnc/novnc/core/rfb.js");
        assert!(std::path::Path::new(&module).is_file(), "noVNC is not installed: npm ci --prefix web/ui");
        let mut process = Command::new("node")
            .args([&format!("{root}/tests/oracle/novnc.mjs"), &module])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed");
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let config = Config { name: "desk".into(), size: screen.size(), limits: Limits::default(), jpeg: false };
        let gate = Connection::new(config);
        let mut pair = Self { process, input, output, gate, said: Vec::new(), heard: Vec::new() };
        pair.flush();
        while !pair.gate.wants_update() {
            pair.listen();
        }
        pair
    }

    fn send(&mut self, kind: u8, content: &[u8]) {
        let length = u32::try_from(content.len()).unwrap();
        self.input.write_all(&[&[kind], &length.to_be_bytes()[..], content].concat()).unwrap();
        self.input.flush().unwrap();
    }

    fn flush(&mut self) {
        let bytes = self.gate.take_output();
        if !bytes.is_empty() {
            self.send(b'd', &bytes);
        }
    }

    /// Takes one thing that noVNC says; RFB goes to the gate, whose answer goes back.
    fn listen(&mut self) -> u8 {
        let mut head = [0; 5];
        self.output.read_exact(&mut head).expect("noVNC still runs");
        let [kind, length @ ..] = head;
        let mut content = vec![0; u32::from_be_bytes(length) as usize];
        self.output.read_exact(&mut content).unwrap();
        if kind == b'd' {
            self.heard.extend(self.gate.receive(&content).unwrap());
            self.flush();
        } else {
            assert_ne!(kind, b'x', "noVNC ended the connection: {}", String::from_utf8_lossy(&content));
            self.said.push((kind, content));
        }
        kind
    }

    fn until(&mut self, kind: u8) -> Vec<u8> {
        while self.listen() != kind {}
        self.said.pop().unwrap().1
    }

    /// Waits until noVNC did this with its clipboard.
    fn clipboard(&mut self, wanted: &Clipboard) {
        let wanted = Event::Clipboard(wanted.clone());
        while !self.heard.contains(&wanted) {
            self.listen();
        }
        self.heard.clear();
    }

    /// Brings noVNC to the screen's state, and compares.
    fn compare(&mut self, screen: &Screen) {
        // It is asked for its pixels behind each update, so its requests and fences have been taken when the answer comes.
        loop {
            self.gate.update(screen).unwrap();
            self.flush();
            self.send(b'p', &[]);
            let shown = self.until(b'p');
            if self.gate.revision() == screen.revision() && !self.lacks(screen) {
                let size = screen.size();
                let expected: Vec<u8> = [size.width.to_be_bytes(), size.height.to_be_bytes()]
                    .concat()
                    .into_iter()
                    .chain(screen.pixels().chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0], 255]))
                    .collect();
                assert!(shown == expected, "noVNC shows other pixels at revision {}", screen.revision());
                return;
            }
        }
    }

    /// Whether more than one update is needed to bring it there.
    fn lacks(&mut self, screen: &Screen) -> bool {
        self.gate.wants_update() && self.gate.update(screen).unwrap() && {
            self.flush();
            true
        }
    }

    fn cursor(&mut self) -> Vec<u8> {
        self.send(b'c', &[]);
        self.until(b'c')
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// One step of a desktop.
#[derive(Debug, Clone)]
enum Step {
    /// Pixels of a kind: of one colour, of few, of a gradient, of noise.
    Paint {
        rect: Rect,
        colours: u32,
        seed: u32,
    },
    Copy {
        to: Rect,
        from: Point,
    },
    Resize(Size),
}

fn pixels(rect: Rect, colours: u32, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let area = u32::try_from(rect.area()).unwrap();
    (0..area)
        .flat_map(|index| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = match colours {
                0 => index.wrapping_mul(0x0001_0203) ^ seed,
                few => ((state >> 16) % few).wrapping_mul(0x0045_2311).wrapping_add(seed),
            };
            let [blue, green, red, _] = value.to_le_bytes();
            [blue, green, red, 0]
        })
        .collect()
}

fn within(size: Size) -> impl Strategy<Value = Rect> {
    (0..size.width, 0..size.height).prop_flat_map(move |(x, y)| {
        (1..=size.width - x, 1..=size.height - y).prop_map(move |(width, height)| Rect::new(x, y, width, height))
    })
}

/// Rectangles are chosen on the smallest screen, and so lie on every one.
const SMALLEST: Size = Size::new(90, 70);

fn step() -> impl Strategy<Value = Step> {
    let paint = (within(SMALLEST), prop_oneof![Just(0u32), Just(1), Just(2), 3..40u32, Just(1 << 16)], any::<u32>());
    prop_oneof![
        6 => paint.prop_map(|(rect, colours, seed)| Step::Paint { rect, colours, seed }),
        2 => (within(Size::new(45, 35)), 0..45u16, 0..35u16).prop_map(|(to, x, y)| Step::Copy { to, from: Point::new(x, y) }),
        1 => (90..200u16, 70..150u16).prop_map(|(width, height)| Step::Resize(Size::new(width, height))),
    ]
}

fn change(step: &Step) -> Change {
    match step {
        Step::Paint { rect, colours, seed } => Change::Pixels { rect: *rect, pixels: pixels(*rect, *colours, *seed) },
        Step::Copy { to, from } => Change::Copy { to: *to, from: *from },
        Step::Resize(size) => Change::Resize(*size),
    }
}

#[test]
fn novnc_shows_the_screen_whatever_it_does() {
    let mut screen = Screen::new(Size::new(120, 90));
    let mut pair = Pair::new(&screen);
    pair.compare(&screen);
    let mut runner = TestRunner::deterministic();
    for _ in 0..400 {
        let steps = proptest::collection::vec(step(), 1..4).new_tree(&mut runner).unwrap().current();
        let changes: Vec<Change> = steps.iter().map(change).collect();
        screen.apply(&changes).unwrap();
        pair.compare(&screen);
    }
    assert!(pair.heard.iter().all(|event| matches!(event, Event::Ready { .. })), "{:?}", pair.heard);
}

#[test]
fn novnc_has_the_cursor_and_hears_the_bell() {
    let mut screen = Screen::new(Size::new(40, 30));
    let mut pair = Pair::new(&screen);
    let size = Size::new(3, 2);
    let cursor = [[1, 2, 3, 255], [0; 4], [4, 5, 6, 255], [7, 8, 9, 255], [0; 4], [0; 4]].concat();
    let shape = Cursor { hotspot: Point::new(2, 1), size, pixels: cursor };
    screen.apply(&[Change::Cursor(Arc::new(shape))]).unwrap();
    pair.compare(&screen);
    let expected = [3, 2, 1, 255, 0, 0, 0, 0, 6, 5, 4, 255, 9, 8, 7, 255, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(pair.cursor(), [&[0, 2, 0, 1, 0, 3, 0, 2][..], &expected[..]].concat());

    pair.gate.bell();
    pair.flush();
    pair.until(b'b');
}

#[test]
fn every_character_crosses_to_and_from_novnc() {
    let screen = Screen::new(Size::new(40, 30));
    let mut pair = Pair::new(&screen);
    pair.compare(&screen);
    let large: String = "é漢😀\n".chars().cycle().take(400_000).collect();
    for text in ["caf\u{e9}", "é 漢字 😀 ‏שלום\r\nline", "a\rb\n\n", &large] {
        let form = Text::new(text);
        pair.send(b'v', text.as_bytes());
        pair.clipboard(&Clipboard::Offered);
        assert!(pair.gate.request_cut_text());
        pair.flush();
        pair.clipboard(&Clipboard::Text(form.clone()));

        assert_eq!(pair.gate.cut_text(&form), Delivery::Offered);
        pair.flush();
        pair.clipboard(&Clipboard::Asked);
        assert!(pair.gate.provide_cut_text());
        pair.flush();
        assert!(pair.until(b't') == form.as_str().as_bytes(), "{} bytes", text.len());
    }
}
