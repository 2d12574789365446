//! The Tight encoding (community specification, "Tight Encoding"): each piece of the screen in the way that suits it.

mod content;
mod jpeg;
mod palette;
mod streams;
#[cfg(test)]
mod tests;
mod tiles;

use super::picture::{Picture, colour, tpixel};
use super::update::Update;
use crate::geometry::Rect;
use crate::wire::Encoding;
use content::Content;
use jpeg::Jpeg;
use palette::Palette;
use streams::{SMALL_PALETTE, Stream, Streams};
use tiles::{MAX_WIDTH, Piece, Tiles};

/// Compression-control byte of a fill.
const FILL: u8 = 0x80;
/// Compression-control byte of a JPEG image.
const JPEG: u8 = 0x90;
/// Bit of the compression-control byte that says that a filter byte follows.
const EXPLICIT_FILTER: u8 = 0x40;
/// Filter byte of indexed pixels.
const PALETTE_FILTER: u8 = 1;

/// Shorter data is sent as it is, with neither length nor zlib.
const MIN_DEFLATED: usize = 12;

/// Up to this many pixels are one piece without a look at its content: a typed character, a cursor in a terminal.
const SMALL_AREA: u64 = 4096;

/// A piece with too many colours for a palette is halved, in the hope of parts with fewer, down to this many pixels.
const SPLIT_AREA: u64 = 16 * 1024;

/// One viewer's Tight encoder: the zlib streams go with its decoder, the rest is scratch.
pub(super) struct Tight {
    streams: Streams,
    palette: Palette,
    tiles: Tiles,
    jpeg: Jpeg,
    scratch: Vec<u8>,
}

impl Tight {
    pub(super) fn new() -> Self {
        Self {
            streams: Streams::new(),
            palette: Palette::new(),
            tiles: Tiles::default(),
            jpeg: Jpeg::default(),
            scratch: Vec::new(),
        }
    }

    /// The viewer's wish by its compress-level pseudo-encoding, 0–9; honoured within bounds and by streams that have not begun.
    pub(super) fn set_level(&mut self, wish: u8) {
        self.streams.set_level(u32::from(wish));
    }

    /// Writes `rect` of the picture; photographs as JPEG if there is a `quality` level, 0–9, and then notes them as lossy.
    /// What no longer fits in the update is noted as owed, what zlib failed at as unpacked.
    pub(super) fn encode(&mut self, update: &mut Update, picture: Picture<'_>, rect: Rect, quality: Option<u8>) {
        if rect.area() <= SMALL_AREA && u32::from(rect.width) <= MAX_WIDTH {
            self.piece(update, picture, (rect, Content::Sharp), quality);
            return;
        }
        let mut tiles = std::mem::take(&mut self.tiles);
        for &piece in tiles.cut(picture, rect, quality.is_some()) {
            self.piece(update, picture, piece, quality);
        }
        self.tiles = tiles;
    }

    fn piece(&mut self, update: &mut Update, picture: Picture<'_>, (rect, content): Piece, quality: Option<u8>) {
        if update.is_full() {
            return update.owe(rect);
        }
        match content {
            Content::Solid(colour) => fill(update, rect, colour),
            Content::Photo if self.photo(update, picture, rect, quality) => {}
            Content::Photo | Content::Sharp | Content::Sent => self.lossless(update, picture, rect),
        }
    }

    fn photo(&mut self, update: &mut Update, picture: Picture<'_>, rect: Rect, quality: Option<u8>) -> bool {
        let Some(image) = quality.and_then(|level| self.jpeg.compress(picture, rect, level)) else {
            return false;
        };
        let bytes = update.rect(rect, Encoding::TIGHT);
        bytes.push(JPEG);
        put_length(bytes, image.len());
        bytes.extend_from_slice(image);
        update.lossy(rect);
        true
    }

    /// Writes `rect` exactly, with as few bits a pixel as its colours need.
    fn lossless(&mut self, update: &mut Update, picture: Picture<'_>, rect: Rect) {
        if self.palette.index(picture, rect) {
            match *self.palette.colours() {
                [] => {}
                [only] => fill(update, rect, only),
                [zero, one] => self.mono(update, rect, [zero, one]),
                _ => self.indexed(update, picture, rect),
            }
        } else if rect.area() > SPLIT_AREA {
            for half in halves(rect) {
                self.lossless(update, picture, half);
            }
        } else {
            self.full_colour(update, picture, rect);
        }
    }

    /// One bit a pixel, the leftmost in the highest bit, rows padded to bytes.
    fn mono(&mut self, update: &mut Update, rect: Rect, colours: [u32; 2]) {
        self.scratch.clear();
        for row in self.palette.indices().chunks_exact(usize::from(rect.width).max(1)) {
            self.scratch.extend(row.chunks(8).map(|bits| {
                let byte = bits.iter().fold(0, |byte, &bit| (byte << 1) | bit);
                byte << (8 - bits.len())
            }));
        }
        let head = palette_head(&colours);
        put(update, &mut self.streams, Stream::Mono, rect, &head, &self.scratch);
    }

    /// One byte a pixel, unless the palette costs more than it saves.
    fn indexed(&mut self, update: &mut Update, picture: Picture<'_>, rect: Rect) {
        let (colours, indices) = (self.palette.colours(), self.palette.indices());
        if colours.len() * 3 >= indices.len() * 2 {
            return self.full_colour(update, picture, rect);
        }
        let stream = if colours.len() <= SMALL_PALETTE { Stream::Indexed } else { Stream::Rich };
        let head = palette_head(colours);
        put(update, &mut self.streams, stream, rect, &head, indices);
    }

    /// Three bytes a pixel.
    fn full_colour(&mut self, update: &mut Update, picture: Picture<'_>, rect: Rect) {
        self.scratch.clear();
        self.scratch.resize(usize::from(rect.width) * usize::from(rect.height) * 3, 0);
        let pixels = picture.rows(rect).flatten();
        for (&pixel, into) in pixels.zip(self.scratch.as_chunks_mut::<3>().0) {
            *into = tpixel(colour(pixel));
        }
        put(update, &mut self.streams, Stream::Colour, rect, &[], &self.scratch);
    }
}

fn fill(update: &mut Update, rect: Rect, colour: u32) {
    let bytes = update.rect(rect, Encoding::TIGHT);
    bytes.push(FILL);
    bytes.extend_from_slice(&tpixel(colour));
}

/// Filter byte, number of colours less one, colours.
fn palette_head(colours: &[u32]) -> Vec<u8> {
    let mut head = Vec::with_capacity(2 + colours.len() * 3);
    head.push(PALETTE_FILTER);
    head.push(u8::try_from(colours.len() - 1).unwrap_or(u8::MAX));
    head.extend(colours.iter().flat_map(|&colour| tpixel(colour)));
    head
}

/// Writes a rectangle of basic compression: control byte, filter head if any, data.
fn put(update: &mut Update, streams: &mut Streams, stream: Stream, rect: Rect, head: &[u8], data: &[u8]) {
    let short = data.len() < MIN_DEFLATED;
    let packed = if short { data } else { streams.pack(stream, data).unwrap_or_default() };
    if packed.is_empty() {
        return update.unpacked(rect);
    }
    let filter = if head.is_empty() { 0 } else { EXPLICIT_FILTER };
    let bytes = update.rect(rect, Encoding::TIGHT);
    bytes.push(filter | stream.control());
    bytes.extend_from_slice(head);
    if !short {
        put_length(bytes, packed.len());
    }
    bytes.extend_from_slice(packed);
}

/// Tight's compact length: 7, 7 and 8 bits, lowest first, a set high bit meaning that more follow.
fn put_length(bytes: &mut Vec<u8>, length: usize) {
    let [low, middle, high, _] = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let seven = (low >> 7) | (middle << 1);
    let eight = (middle >> 6) | (high << 2);
    match length {
        0..0x80 => bytes.push(low),
        0x80..0x4000 => bytes.extend([low | 0x80, seven & 0x7F]),
        _ => bytes.extend([low | 0x80, seven | 0x80, eight]),
    }
}

/// Two halves across the longer side.
fn halves(rect: Rect) -> [Rect; 2] {
    if rect.width >= rect.height {
        let left = rect.width / 2;
        [Rect { width: left, ..rect }, Rect { x: rect.x + left, width: rect.width - left, ..rect }]
    } else {
        let top = rect.height / 2;
        [Rect { height: top, ..rect }, Rect { y: rect.y + top, height: rect.height - top, ..rect }]
    }
}
