//! Conversations between a scripted viewer and its connection; the decoder here knows nothing of the encoder.

mod clipboard;
mod decoder;
mod flow;
mod handshakes;
mod messages;
mod pixels;

use crate::geometry::{Point, Rect, Size};
use crate::limits::Limits;
use crate::pixel::{PixelFormat, RGB0};
use crate::screen::{Change, Screen};
use crate::viewer::{Config, Connection, Event};
use decoder::{Decoder, Way};

/// What noVNC 1.7 lists in Chromium with its defaults, as it comes on the wire.
const NOVNC: &[i32] = &[
    1,
    50,
    7,
    -260,
    16,
    21,
    5,
    2,
    6,
    0,
    -26,
    -254,
    -223,
    -224,
    -258,
    -261,
    -308,
    -309,
    -312,
    -313,
    -307,
    -1_063_131_698,
    -316,
    0x574d_5664,
    -239,
];

/// Everything that makes pictures, without JPEG, fences and agreements.
const LOSSLESS: &[i32] = &[1, 7, 0, -223, -239];

fn config(size: Size) -> Config {
    Config { name: "a desktop".into(), size, limits: Limits::default(), jpeg: true }
}

/// A connection after the handshake, and the decoder of what it sends.
struct Peer {
    connection: Connection,
    decoder: Decoder,
    /// What [`Peer::say`] was answered with.
    events: Vec<Event>,
}

impl Peer {
    fn ready(size: Size, encodings: &[i32]) -> Self {
        let mut connection = Connection::new(config(size));
        let events = connection.receive(b"RFB 003.008\n\x01\x01").unwrap();
        assert_eq!(events, [Event::Ready { shared: true }]);
        let init = connection.take_output();
        assert_eq!(init.len(), 12 + 2 + 4 + 24 + "a desktop".len());
        let mut peer = Self { connection, decoder: Decoder::new(size), events: Vec::new() };
        if !encodings.is_empty() {
            peer.say(&set_encodings(encodings));
        }
        peer
    }

    /// As noVNC: its pixel format, its encodings, continuous updates as soon as they are offered.
    fn novnc(size: Size) -> Self {
        let mut peer = Self::ready(size, &[]);
        peer.say(&set_pixel_format(RGB0));
        peer.decoder.rgb_first = true;
        peer.say(&set_encodings(NOVNC));
        peer.say(&request(false));
        assert_eq!((peer.decoder.ends, peer.decoder.fences.len()), (1, 1));
        peer.say(&continuous_updates(true));
        peer.answer_fences();
        peer
    }

    fn say(&mut self, bytes: &[u8]) {
        self.events = self.connection.receive(bytes).unwrap();
        self.hear();
    }

    fn hear(&mut self) {
        let output = self.connection.take_output();
        self.decoder.feed(&output);
    }

    fn answer_fences(&mut self) {
        for (flags, payload) in std::mem::take(&mut self.decoder.fences) {
            assert_ne!(flags & 0x8000_0000, 0);
            self.say(&fence(flags & 0b11, &payload));
        }
    }

    /// One update, decoded.
    fn update(&mut self, screen: &Screen) -> bool {
        let sent = self.connection.update(screen).unwrap();
        self.hear();
        sent
    }

    /// Asks and answers until there is nothing left.
    fn settle(&mut self, screen: &Screen) {
        for _ in 0..1000 {
            self.say(&request(true));
            let sent = self.update(screen);
            self.answer_fences();
            if !sent {
                return;
            }
        }
        panic!("updates without end");
    }

    fn refine(&mut self, screen: &Screen) {
        for _ in 0..1000 {
            self.say(&request(true));
            let sent = self.connection.refine(screen);
            self.hear();
            self.answer_fences();
            if !sent {
                assert!(!self.connection.is_lossy());
                return;
            }
        }
        panic!("refinement without end");
    }

    fn assert_shows(&self, screen: &Screen) {
        assert_eq!(self.decoder.size, screen.size());
        let width = usize::from(screen.size().width);
        for (n, (shown, wanted)) in self.decoder.pixels.iter().zip(rgb(screen)).enumerate() {
            assert_eq!(*shown, wanted, "pixel {},{} of {}", n % width, n / width, screen.size());
        }
    }
}

fn rgb(screen: &Screen) -> impl Iterator<Item = [u8; 3]> {
    screen.pixels().as_chunks::<4>().0.iter().map(|&[blue, green, red, _]| [red, green, blue])
}

fn set_pixel_format(format: PixelFormat) -> Vec<u8> {
    [&[0, 0, 0, 0][..], &format.to_wire()].concat()
}

fn set_encodings(encodings: &[i32]) -> Vec<u8> {
    let mut message = vec![2, 0];
    message.extend((encodings.len() as u16).to_be_bytes());
    message.extend(encodings.iter().flat_map(|encoding| encoding.to_be_bytes()));
    message
}

fn request(incremental: bool) -> Vec<u8> {
    vec![3, u8::from(incremental), 0, 0, 0, 0, 0, 64, 0, 64]
}

fn continuous_updates(enable: bool) -> Vec<u8> {
    vec![150, u8::from(enable), 0, 0, 0, 0, 0, 64, 0, 64]
}

fn fence(flags: u32, payload: &[u8]) -> Vec<u8> {
    let mut message = vec![248, 0, 0, 0];
    message.extend(flags.to_be_bytes());
    message.push(payload.len() as u8);
    message.extend_from_slice(payload);
    message
}

fn set_desktop_size(size: Size, screens: &[Rect]) -> Vec<u8> {
    let mut message = vec![251, 0];
    message.extend(size.width.to_be_bytes());
    message.extend(size.height.to_be_bytes());
    message.extend([screens.len() as u8, 0]);
    for screen in screens {
        message.extend([0, 0, 0, 7]);
        for number in [screen.x, screen.y, screen.width, screen.height] {
            message.extend(number.to_be_bytes());
        }
        message.extend([0, 0, 0, 9]);
    }
    message
}

/// A generator of numbers that look random and are always the same.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }
}

/// What an area is filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fill {
    Solid,
    /// So many colours, in short runs.
    Colours(u32),
    /// Glyph-like: strokes with soft edges on one background.
    Text,
    /// Soft waves with a little noise.
    Photo,
    Noise,
}

fn paint(rect: Rect, fill: Fill, seed: u64) -> Change {
    let mut numbers = Numbers(seed);
    let tint = numbers.next();
    let mut run = (0, 0);
    let mut pixels = Vec::with_capacity(rect.area() as usize * 4);
    for y in 0..u32::from(rect.height) {
        for x in 0..u32::from(rect.width) {
            let colour = match fill {
                Fill::Solid => tint,
                Fill::Noise => numbers.next(),
                Fill::Colours(many) => {
                    if run.0 == 0 {
                        run = (numbers.next() % 6, (numbers.next() % many).wrapping_mul(0x0101_3B1D) ^ tint);
                    } else {
                        run.0 -= 1;
                    }
                    run.1
                }
                Fill::Text => match (x * 7 + y * 3 + tint) % 11 {
                    0 => 0x0020_2020,
                    1 => 0x0080_8890 + (y % 4) * 0x0010_1010,
                    _ => 0x00F8_F8F0,
                },
                Fill::Photo => {
                    let wave = |step: f64| {
                        let at = f64::from(x) * step + f64::from(y) * step * 0.7 + f64::from(tint % 100);
                        ((at.sin() + 1.0) * 100.0) as u32 + numbers.next() % 8
                    };
                    let mut wave = wave;
                    wave(0.02) | wave(0.031) << 8 | wave(0.013) << 16
                }
            };
            pixels.extend((colour & 0x00FF_FFFF).to_le_bytes());
        }
    }
    Change::Pixels { rect, pixels }
}

fn screen(size: Size, fill: Fill) -> Screen {
    let mut screen = Screen::new(size);
    screen.apply(&[paint(size.bounds(), fill, 7)]).unwrap();
    screen
}

fn copy(to: Rect, x: u16, y: u16) -> Change {
    Change::Copy { to, from: Point::new(x, y) }
}
