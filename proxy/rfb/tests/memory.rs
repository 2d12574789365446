//! What texts make a connection hold, counted by the allocator: less than 2 MiB for a bomb, the stated bound for the longest text.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)
)]

use flate2::{Compress, Compression, FlushCompress};
use peak_alloc::PeakAlloc;
use portcullis_rfb::clipboard::{Delivery, Event as Clipboard, Text};
use portcullis_rfb::{Limits, Size, desktop, viewer};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// The side that faces a desktop, and the one that faces a viewer, each agreed and asked for its peer's text.
enum Ours {
    Desktop(Box<desktop::Connection>),
    Viewer(Box<viewer::Connection>),
}

impl Ours {
    fn both() -> [Self; 2] {
        let mut desktop = desktop::Connection::new(desktop::Config::default());
        let mut handshake = b"RFB 003.008\n\x01\x01\0\0\0\0\0\x40\0\x30".to_vec();
        handshake.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
        handshake.extend([3, 0, 0, 0, 0xff, 0xff, 0xff, 0xf8, 0x1f, 0, 0, 1, 0, 0, 0, 0]);
        desktop.receive(&handshake).unwrap();
        let size = Size::new(64, 48);
        let config = viewer::Config { name: "desk".into(), size, limits: Limits::default(), jpeg: false };
        let mut viewer = viewer::Connection::new(config);
        viewer.receive(b"RFB 003.008\n\x01\x01\x02\0\0\x01\xc0\xa1\xe5\xce").unwrap();
        [Self::Desktop(Box::new(desktop)), Self::Viewer(Box::new(viewer))]
    }

    /// The message type of its peer's cut text.
    fn kind(&self) -> u8 {
        match self {
            Self::Desktop(_) => 3,
            Self::Viewer(_) => 6,
        }
    }

    fn ask(&mut self) {
        assert!(match self {
            Self::Desktop(rfb) => rfb.request_cut_text(),
            Self::Viewer(rfb) => rfb.request_cut_text(),
        });
    }

    /// What its peer did with its clipboard, by bytes that come in pieces as from a socket.
    fn hear(&mut self, bytes: &[u8]) -> Vec<Clipboard> {
        let mut heard = Vec::new();
        for piece in bytes.chunks(64 * 1024) {
            match self {
                Self::Desktop(rfb) => {
                    heard.extend(rfb.receive(piece).unwrap().into_iter().filter_map(|event| match event {
                        desktop::Event::Clipboard(event) => Some(event),
                        _ => None,
                    }))
                }
                Self::Viewer(rfb) => {
                    heard.extend(rfb.receive(piece).unwrap().into_iter().filter_map(|event| match event {
                        viewer::Event::Clipboard(event) => Some(event),
                        _ => None,
                    }))
                }
            }
        }
        heard
    }

    /// Offers a text, hears that it is asked for, and says it.
    fn give(&mut self, text: &Text) -> Vec<u8> {
        let request = [&[self.kind(), 0, 0, 0], &(-4_i32).to_be_bytes()[..], &0x0200_0001_u32.to_be_bytes()].concat();
        let told = match self {
            Self::Desktop(rfb) => rfb.cut_text(text),
            Self::Viewer(rfb) => rfb.cut_text(text),
        };
        assert_eq!((told, self.hear(&request)), (Delivery::Offered, vec![Clipboard::Asked]));
        match self {
            Self::Desktop(rfb) => assert!(rfb.provide_cut_text()),
            Self::Viewer(rfb) => assert!(rfb.provide_cut_text()),
        }
        match self {
            Self::Desktop(rfb) => rfb.take_output(),
            Self::Viewer(rfb) => rfb.take_output(),
        }
    }
}

/// A provide message whose zlib stream holds this.
fn provide(kind: u8, plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(plain.len() + plain.len() / 100 + 256);
    Compress::new(Compression::best(), true).compress_vec(plain, &mut packed, FlushCompress::Sync).unwrap();
    let length = -(packed.len() as i32 + 4);
    [&[kind, 0, 0, 0], &length.to_be_bytes()[..], &0x1000_0001_u32.to_be_bytes(), &packed].concat()
}

/// Bytes allocated at the most while it runs, beyond those before.
fn peak<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let done = run();
    (done, ALLOCATED.peak_usage().saturating_sub(before))
}

/// One test: the allocator counts for the whole program.
#[test]
fn bombs_and_the_longest_texts_stay_within_their_bounds() {
    let limits = Limits::default();
    let size = |size: u32| size.to_be_bytes();
    for mut ours in Ours::both() {
        let zeros = vec![b'a'; 64 << 20];
        let bombs = [64 << 20, 2 << 20, (2 << 20) + 1, u32::MAX, 5]
            .map(|claim| provide(ours.kind(), &[&size(claim)[..], &zeros].concat()));
        drop(zeros);
        for bomb in &bombs {
            for asked in [true, false] {
                if asked {
                    ours.ask();
                }
                let (heard, most) = peak(|| ours.hear(bomb));
                assert_eq!(heard.len(), 1);
                assert!(most < 2 << 20, "{most} bytes for {heard:?}");
                assert!(asked || most < 64 * 1024, "{most} bytes for what nobody asked for");
            }
        }
        // The longest: each line feed is two bytes on the wire.
        let plain =
            [&size(2 * limits.clipboard_text + 1)[..], &b"\r\n".repeat(limits.clipboard_text as usize), &[0]].concat();
        let longest = provide(ours.kind(), &plain);
        drop(plain);
        ours.ask();
        let (heard, most) = peak(|| ours.hear(&longest));
        let [Clipboard::Text(text)] = &heard[..] else { panic!("{heard:?}") };
        assert_eq!(text.bytes(), u64::from(limits.clipboard_text));
        assert!(most as u64 <= limits.clipboard_bytes(), "{most} bytes to take it");
        let noise: String = (0..limits.clipboard_text)
            .map(|n| char::from(b'!' + (n.wrapping_mul(2_654_435_761) >> 26) as u8))
            .collect();
        for text in [text.clone(), Text::new(&noise)] {
            let (_, most) = peak(|| ours.give(&text));
            assert!(most as u64 <= limits.clipboard_bytes(), "{most} bytes to give it");
        }
    }
}
