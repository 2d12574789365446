//! Patches as a decoder sees them: FFmpeg's, through this package's own binding to it.
use ffmpeg_next as ffmpeg;
use ffmpeg_next::util::frame::Video as Frame;
use portcullis_rfb::Rect;

use super::*;
use crate::encoder::Encoder;

/// An encoder and a decoder that is given everything that it makes.
struct Pair {
    size: Size,
    encoder: Encoder,
    decoder: ffmpeg::decoder::Video,
    at_us: u64,
}

/// A deterministic source of what looks like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

impl Pair {
    fn new(size: Size) -> Self {
        let encoder = Encoder::open(size, 23, 1).unwrap();
        let codec = ffmpeg::decoder::find(ffmpeg::codec::Id::H264).unwrap();
        let mut context = ffmpeg::codec::Context::new_with_codec(codec);
        context.set_flags(ffmpeg::codec::Flags::LOW_DELAY);
        let decoder = context.decoder().video().unwrap();
        Self { size, encoder, decoder, at_us: 0 }
    }

    /// Encodes the canvas; the access unit, with start codes, and the decoded picture.
    fn picture(&mut self, key: bool, drawn: Rect) -> (usize, Frame) {
        let mut region = Region::new();
        region.add(drawn);
        self.at_us += 1000;
        let sample = self.encoder.encode(self.at_us, key, &region).unwrap();
        let mut stream = Vec::new();
        if key {
            for set in self.encoder.parameter_sets().units() {
                stream.extend([0, 0, 0, 1]);
                stream.extend(set);
            }
        }
        let mut rest = &sample[..];
        while let Some((length, behind)) = rest.split_first_chunk() {
            let (unit, behind) = behind.split_at(u32::from_be_bytes(*length) as usize);
            stream.extend([0, 0, 0, 1]);
            stream.extend(unit);
            rest = behind;
        }
        self.decoder.send_packet(&ffmpeg::Packet::copy(&stream)).unwrap();
        let mut frame = Frame::empty();
        self.decoder.receive_frame(&mut frame).expect("a picture for each access unit, at once");
        assert!(!frame.is_corrupt() && !frame.has_decode_errors());
        (sample.len(), frame)
    }

    fn draw(&mut self, rect: Rect, mut sample: impl FnMut(usize, usize) -> u8) {
        let canvas = self.encoder.canvas();
        for y in usize::from(rect.y)..usize::from(rect.y + rect.height) {
            for x in usize::from(rect.x)..usize::from(rect.x + rect.width) {
                canvas.luma[y * canvas.luma_stride + x] = sample(x, y);
                canvas.chroma[y / 2 * canvas.chroma_stride + x] = sample(x + 7, y + 3);
            }
        }
    }

    /// The greatest difference of the decoded picture from the canvas, and from another picture outside of `rect`.
    fn worst(&mut self, frame: &Frame, before: Option<(&Frame, Rect)>) -> (u8, u8) {
        let (size, canvas) = (self.size, self.encoder.canvas());
        let (mut off, mut moved) = (0, 0);
        for (y, x) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (y, x))) {
            let (column, row) = (usize::from(x), usize::from(y));
            let luma = frame.data(0)[row * frame.stride(0) + column];
            let plane = 1 + column % 2;
            let chroma = frame.data(plane)[row / 2 * frame.stride(plane) + column / 2];
            off = off.max(luma.abs_diff(canvas.luma[row * canvas.luma_stride + column]));
            off = off.max(chroma.abs_diff(canvas.chroma[row / 2 * canvas.chroma_stride + column]));
            if let Some((before, rect)) = before
                && !around(rect).intersects(Rect::new(x, y, 1, 1))
            {
                moved = moved.max(luma.abs_diff(before.data(0)[row * before.stride(0) + column]));
                moved = moved.max(chroma.abs_diff(before.data(plane)[row / 2 * before.stride(plane) + column / 2]));
            }
        }
        (off, moved)
    }
}

/// The macroblocks of a rectangle.
fn around(rect: Rect) -> Rect {
    let (x, y) = (rect.x & !15, rect.y & !15);
    let end = |start: u16, length: u16| (start + length).next_multiple_of(16);
    Rect::new(x, y, end(rect.x, rect.width) - x, end(rect.y, rect.height) - y)
}

#[test]
fn patches_show_the_canvas_and_touch_nothing_else() {
    let mut chance = Chance(1);
    for size in [Size::new(320, 192), Size::new(174, 98), Size::new(34, 18), Size::new(16, 16)] {
        let mut pair = Pair::new(size);
        let whole = Rect::new(0, 0, size.width, size.height);
        pair.draw(whole, |x, y| (x / 8 * 9 + y / 8 * 5) as u8);
        let (_, mut base) = pair.picture(true, whole);
        let (mut patched, mut rect) = (0, Rect::new(0, 0, 0, 0));
        for _ in 0..120 {
            let (x, y) = (chance.below(usize::from(size.width)) & !1, chance.below(usize::from(size.height)) & !1);
            let width = ((2 + chance.below(30)) & !1).min(usize::from(size.width) - x);
            let height = ((2 + chance.below(20)) & !1).min(usize::from(size.height) - y);
            let drawn = Rect::new(x as u16, y as u16, width as u16, height as u16);
            let (low, high) = (chance.below(200), 1 + chance.below(56));
            pair.draw(drawn, |_, _| (low + chance.below(high)) as u8);
            rect = rect.union(drawn);
            let before = pair.encoder.patcher.patches;
            let (length, frame) = pair.picture(false, drawn);
            if pair.encoder.patcher.patches > before {
                assert!(length <= LONGEST + 4);
                let (off, moved) = pair.worst(&frame, Some((&base, rect)));
                assert_eq!(moved, 0, "outside of {rect} it is the picture before");
                assert!(off < 60, "off by {off} in {rect}");
                patched += 1;
            } else {
                (base, rect) = (frame, Rect::new(0, 0, 0, 0));
            }
        }
        assert!(patched > 20, "{patched} at {size}");
    }
}

#[test]
fn every_size_of_difference_can_be_coded() {
    // Noise of every strength: long and short codes, many and few coefficients, all contexts.
    let size = Size::new(64, 48);
    let (mut chance, mut pair) = (Chance(7), Pair::new(size));
    let whole = Rect::new(0, 0, 64, 48);
    let mut patched = 0;
    for n in 0..600 {
        pair.draw(whole, |_, _| 128);
        pair.picture(true, whole);
        let strength = 1 + n % 127;
        let sparse = 1 + n % 5;
        let part = Rect::new(16, 16, 16 + 2 * (n % 7) as u16, 16);
        pair.draw(part, |_, _| {
            if chance.below(sparse) == 0 { (128 - strength / 2 + chance.below(strength + 1)) as u8 } else { 128 }
        });
        let before = pair.encoder.patcher.patches;
        let (_, frame) = pair.picture(false, part);
        if pair.encoder.patcher.patches > before {
            let (off, _) = pair.worst(&frame, None);
            assert!(off <= 24, "strength {strength}, one in {sparse}: off by {off}");
            patched += 1;
        }
    }
    assert!(patched > 400, "{patched}");
}

#[test]
fn what_shows_again_what_was_there_is_next_to_nothing() {
    let mut pair = Pair::new(Size::new(640, 480));
    let whole = Rect::new(0, 0, 640, 480);
    pair.draw(whole, |x, y| (x + y) as u8);
    pair.picture(true, whole);
    let caret = Rect::new(100, 100, 2, 16);
    pair.draw(caret, |_, _| 235);
    assert!(pair.picture(false, caret).0 < 100);
    pair.draw(caret, |x, y| (x + y) as u8);
    assert!(pair.picture(false, caret).0 < 20);
    assert!(pair.encoder.patcher.stale.is_empty());
}

#[test]
fn many_patches_in_a_row_keep_their_order() {
    let mut pair = Pair::new(Size::new(32, 32));
    let whole = Rect::new(0, 0, 32, 32);
    pair.picture(true, whole);
    let dot = Rect::new(4, 4, 2, 2);
    // Past the wrap of the order's 16 bits, and the most in a row.
    for n in 0..40_000 {
        let shade = 16 + (n * 37 % 200) as u8;
        pair.draw(dot, |_, _| shade);
        let (_, frame) = pair.picture(false, dot);
        let found = frame.data(0)[5 * frame.stride(0) + 5];
        assert!(found.abs_diff(shade) < 30, "picture {n}: {found} for {shade}");
    }
}
