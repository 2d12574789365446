//! The attacks: what is sent, in which pieces, and to which side.

use std::io::Write;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use portcullis_rfb::desktop::{self, Encodings, Event, Jpeg};
use portcullis_rfb::wire::Encoding;
use portcullis_rfb::{Change, Limits, Screen, Size, viewer};

const SCREEN: Size = Size::new(3840, 2160);

/// A screen of noise, which no encoding makes shorter.
pub(crate) static NOISE: LazyLock<Screen> = LazyLock::new(|| {
    let mut screen = Screen::new(SCREEN);
    let noise = |index: u32| index.wrapping_mul(2_654_435_761).rotate_left(7) & 0x00ff_ffff;
    let pixels = (0..3840 * 2160).flat_map(|index| noise(index).to_le_bytes()).collect();
    screen.apply(&[Change::Pixels { rect: SCREEN.bounds(), pixels }]).expect("it fits");
    screen
});

/// One attack.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Messages of `scale` times the usual number.
    pub(crate) script: Box<dyn Fn(usize) -> Vec<Vec<u8>>>,
    /// Bytes that are handed over at once; 0: each message whole.
    pub(crate) piece: usize,
    pub(crate) play: fn(&[Vec<u8>], usize),
    /// Bytes of memory that it may take.
    pub(crate) bound: u64,
}

pub(crate) fn all() -> Vec<Attack> {
    let limits = Limits::default();
    let desktop = |name, piece, script: Box<dyn Fn(usize) -> Vec<Vec<u8>>>| Attack {
        name,
        script,
        piece,
        play: from_desktop,
        bound: limits.desktop_bytes(),
    };
    let viewer = |name, piece, script: Box<dyn Fn(usize) -> Vec<Vec<u8>>>| Attack {
        name,
        script,
        piece,
        play: from_viewer,
        bound: limits.viewer_bytes(),
    };
    let specks = |encoding, body: Vec<u8>| -> Box<dyn Fn(usize) -> Vec<Vec<u8>>> {
        Box::new(move |scale| vec![update(16_383 * scale, encoding, 1, &body)])
    };
    vec![
        desktop("65,532 Raw rectangles of a pixel, byte by byte", 1, specks(Encoding::RAW, vec![1, 2, 3, 4])),
        desktop("65,532 CopyRects of a pixel, byte by byte", 1, specks(Encoding::COPY_RECT, vec![0; 4])),
        desktop("65,532 Tight fills, byte by byte", 1, specks(Encoding::TIGHT, vec![0x80, 1, 2, 3])),
        desktop("65,532 Hextiles of a pixel, byte by byte", 1, specks(Encoding::HEXTILE, vec![2, 1, 2, 3, 0])),
        desktop("65,532 RREs of a pixel, byte by byte", 1, specks(Encoding::RRE, rre_of_one())),
        desktop("65,532 rectangles, 64 KiB at once", 65_536, specks(Encoding::TIGHT, vec![0x80, 1, 2, 3])),
        desktop("ZRLE that inflates to 1000 times its length", 0, Box::new(|scale| vec![bomb(Encoding::ZRLE, scale)])),
        desktop(
            "Tight that inflates to 1000 times its length",
            0,
            Box::new(|scale| vec![bomb(Encoding::TIGHT, scale)]),
        ),
        desktop("a storm of sizes, 1x1 to 3840x2160", 0, Box::new(|scale| storm(32 * scale))),
        desktop("whole screens in Raw", 0, Box::new(|scale| (0..scale).map(|_| whole()).collect())),
        desktop("cut texts of 16 MiB", 0, Box::new(|scale| (0..scale).map(|_| cut_text(3, 16 << 20)).collect())),
        viewer("pointer moves, byte by byte", 1, Box::new(|scale| vec![[5, 0, 0, 9, 0, 9].repeat(50_000 * scale)])),
        viewer("SetEncodings of 128, byte by byte", 1, Box::new(|scale| vec![encodings().repeat(500 * scale)])),
        viewer("whole screens asked for", 0, Box::new(|scale| vec![refresh(); 4 * scale])),
        viewer("cut texts of 16 MiB", 0, Box::new(|scale| (0..scale).map(|_| cut_text(6, 16 << 20)).collect())),
    ]
}

/// Plays to the side that faces a desktop, and applies what comes to a screen, as a session does.
fn from_desktop(script: &[Vec<u8>], piece: usize) {
    let encodings = Encodings::remote(Jpeg::Quality(6));
    let mut rfb = desktop::Connection::new(desktop::Config { encodings, ..desktop::Config::default() });
    let mut handshake = b"RFB 003.008\n\x01\x01\0\0\0\0\x0f\x00\x08\x70".to_vec();
    handshake.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(matches!(rfb.receive(&handshake).as_deref(), Ok([Event::Ready { .. }])));
    let mut screen = Screen::new(SCREEN);
    rfb.request_update(false);
    for message in script {
        for part in message.chunks(if piece == 0 { message.len() } else { piece }) {
            // A refusal ends it, which is as good as a whole update.
            let Ok(events) = rfb.receive(part) else { return };
            for event in events {
                if let Event::Update(changes) = event {
                    screen.apply(&changes).expect("what is parsed fits");
                    rfb.request_update(true);
                }
            }
            rfb.take_output();
        }
    }
}

/// Plays to the side that faces a viewer, with a screen whose every pixel is asked for.
fn from_viewer(script: &[Vec<u8>], piece: usize) {
    let mut rfb = viewer::Connection::new(viewer::Config {
        name: "desk".into(),
        size: SCREEN,
        limits: Limits::default(),
        jpeg: true,
    });
    rfb.receive(b"RFB 003.008\n\x01\x01").expect("a handshake");
    rfb.receive(&encodings()).expect("encodings");
    let screen = &*NOISE;
    for message in script {
        for part in message.chunks(if piece == 0 { message.len() } else { piece }) {
            if rfb.receive(part).is_err() {
                return;
            }
            rfb.grant_refresh();
            if rfb.wants_update() {
                rfb.update(screen).expect("an update");
            }
            rfb.take_output();
        }
    }
}

fn update(count: usize, encoding: Encoding, width: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(u16::try_from(count).expect("as many as an update counts").to_be_bytes());
    for index in 0..count {
        let [x, y] = [index % 3840, index / 3840].map(|place| u16::try_from(place).expect("on the screen"));
        for number in [x, y, width, 1] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(encoding.0.to_be_bytes());
        bytes.extend_from_slice(body);
    }
    bytes
}

fn rre_of_one() -> Vec<u8> {
    let mut body = vec![0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 0];
    body.extend([0, 0, 0, 0, 0, 1, 0, 1]);
    body
}

/// A rectangle of 64x64 whose Zlib stream holds megabytes of zeros.
fn bomb(encoding: Encoding, scale: usize) -> Vec<u8> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::best());
    packer.write_all(&vec![0; 4 * 1024 * 1024 * scale]).expect("memory");
    let packed = packer.finish().expect("memory");
    let mut bytes = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 64, 0, 64];
    bytes.extend(encoding.0.to_be_bytes());
    match encoding {
        Encoding::TIGHT => {
            bytes.push(0);
            let length = packed.len();
            bytes.extend([(length & 0x7f | 0x80) as u8, (length >> 7 & 0x7f | 0x80) as u8, (length >> 14) as u8]);
        }
        _ => bytes.extend(u32::try_from(packed.len()).expect("short").to_be_bytes()),
    }
    bytes.extend(packed);
    bytes
}

fn storm(updates: usize) -> Vec<Vec<u8>> {
    let size = |size: Size| {
        let mut bytes = vec![0, 0, 0, 0];
        bytes.extend(size.width.to_be_bytes());
        bytes.extend(size.height.to_be_bytes());
        bytes.extend(Encoding::DESKTOP_SIZE.0.to_be_bytes());
        bytes
    };
    let one = [vec![0, 0, 0, 8], [size(Size::new(1, 1)), size(SCREEN)].concat().repeat(4)].concat();
    vec![one; updates]
}

fn whole() -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 1, 0, 0, 0, 0, 0x0f, 0, 0x08, 0x70, 0, 0, 0, 0];
    bytes.resize(bytes.len() + 3840 * 2160 * 4, 7);
    bytes
}

fn cut_text(kind: u8, length: u32) -> Vec<u8> {
    let mut bytes = vec![kind, 0, 0, 0];
    bytes.extend(length.to_be_bytes());
    bytes.resize(bytes.len() + length as usize, b'x');
    bytes
}

/// SetEncodings with as many as may be listed: Tight, JPEG, and unknown ones.
fn encodings() -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 128];
    for number in [7, -23, -239, -308].into_iter().chain(10_000..10_124) {
        bytes.extend(i32::to_be_bytes(number));
    }
    bytes
}

fn refresh() -> Vec<u8> {
    vec![3, 0, 0, 0, 0, 0, 0x0f, 0, 0x08, 0x70]
}
