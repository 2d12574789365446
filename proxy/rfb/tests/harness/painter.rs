//! An X client that puts pictures onto a desktop's root window, pixel by pixel (X11 protocol, version 11).

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use portcullis_rfb::Size;

/// Bytes of pixels in one request: well below the 256 KiB that every X server takes.
const STRIP: usize = 128 * 1024;

/// Requests, by their numbers.
const GET_INPUT_FOCUS: u8 = 43;
const CREATE_GC: u8 = 55;
const PUT_IMAGE: u8 = 72;

/// A connection to an X server.
pub(crate) struct Painter {
    stream: UnixStream,
    root: [u8; 4],
    context: [u8; 4],
}

impl Painter {
    /// Connects to a display of this machine that asks for no key.
    pub(crate) fn connect(display: &str) -> Self {
        let mut stream = UnixStream::connect(format!("/tmp/.X11-unix/X{}", &display[1..])).unwrap();
        stream.set_read_timeout(Some(super::PATIENCE)).unwrap();
        stream.write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
        let mut head = [0; 8];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(head[0], 1, "the X server lets us in");
        let mut setup = vec![0; usize::from(u16::from_le_bytes([head[6], head[7]])) * 4];
        stream.read_exact(&mut setup).unwrap();
        let context = setup[4..8].try_into().unwrap();
        let vendor = usize::from(u16::from_le_bytes([setup[16], setup[17]])).next_multiple_of(4);
        let root = setup[32 + vendor + usize::from(setup[21]) * 8..][..4].try_into().unwrap();
        let mut painter = Self { stream, root, context };
        painter.request(CREATE_GC, 0, &[&context[..], &root, &[0; 4]].concat());
        painter
    }

    /// Paints B, G, R, 0 of each pixel at 0,0; it is on the screen when this returns.
    pub(crate) fn paint(&mut self, size: Size, pixels: &[u8]) {
        let stride = usize::from(size.width) * 4;
        let rows = STRIP / stride;
        for (n, strip) in pixels.chunks(rows * stride).enumerate() {
            let (height, y) = ((strip.len() / stride) as u16, (n * rows) as u16);
            let place = [size.width, height, 0, y].map(u16::to_le_bytes);
            let body = [&self.root[..], &self.context, place.as_flattened(), &[0, 24, 0, 0], strip].concat();
            self.request(PUT_IMAGE, 2, &body);
        }
        // The answer comes after what was asked before.
        self.request(GET_INPUT_FOCUS, 0, &[]);
        self.stream.read_exact(&mut [0; 32]).unwrap();
    }

    fn request(&mut self, code: u8, detail: u8, body: &[u8]) {
        let words = u16::try_from(1 + body.len() / 4).unwrap().to_le_bytes();
        self.stream.write_all(&[&[code, detail, words[0], words[1]], body].concat()).unwrap();
    }
}

/// Lines of glyph-like cells with soft edges on white, below a coloured bar: what an office has on its screens.
pub(crate) fn office(size: Size) -> Vec<u8> {
    picture(size, |x, y| match (x / 8, y / 16) {
        (_, 0..3) => 0x0033_6699,
        (column, line) => {
            let blank =
                column > 40 + noise(line, 7) % 160 || noise(column, line).is_multiple_of(6) || y % 16 < 3 || x % 8 == 7;
            match noise(noise(column, line) % 26 * 8 + x % 8, y % 16) % 5 {
                0 if !blank => 0x0022_2222,
                1 if !blank => 0x0099_9999,
                _ => 0x00ff_ffff,
            }
        }
    })
}

/// Blocks of one colour each.
pub(crate) fn blocks(size: Size) -> Vec<u8> {
    picture(size, |x, y| noise(x / 50, y / 30) & 0x00ff_ffff)
}

/// Soft waves with a little noise, as a photograph has.
pub(crate) fn photo(size: Size) -> Vec<u8> {
    picture(size, |x, y| {
        let wave = |step: f64| (f64::from(x) * step + f64::from(y) * step * 0.7).sin() * 100.0 + 110.0;
        let level = |step: f64, seed: u32| wave(step) as u32 + noise(x ^ seed, y) % 4;
        level(0.004, 1) | level(0.007, 2) << 8 | level(0.011, 3) << 16
    })
}

fn picture(size: Size, colour: impl Fn(u32, u32) -> u32) -> Vec<u8> {
    let places = (0..u32::from(size.height)).flat_map(|y| (0..u32::from(size.width)).map(move |x| (x, y)));
    places.flat_map(|(x, y)| colour(x, y).to_le_bytes()).collect()
}

fn noise(x: u32, y: u32) -> u32 {
    let mixed = x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77);
    (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D) >> 5
}
