//! ZRLE (RFC 6143 §7.7.6): tiles of 64x64 by palette and run length, deflated as one stream.

use super::canvas::{Canvas, Pieces, Pixel};
use super::inflate::{Inflated, ROOM, Stream, Streams, most_deflated};
use crate::geometry::{Rect, Size};
use crate::intake::{Intake, fill, length};

/// Width and height of a tile; those at the right and at the bottom may be smaller.
const SIDE: u16 = 64;
/// Pixels of a whole tile.
const TILE: usize = 64 * 64;
/// Bytes of the longest palette and its subencoding.
const HEAD: u64 = 1 + 127 * 3;
/// Bytes of the longest tile: runs of one pixel each, a CPIXEL and a length.
const LONGEST_TILE: usize = 1 + TILE * 4;
const _: () = assert!(LONGEST_TILE <= ROOM);

/// A rectangle that is being read.
#[derive(Debug)]
pub(super) struct Zrle {
    size: Size,
    body: Option<(usize, Vec<u8>)>,
}

impl Zrle {
    pub(super) fn new(size: Size) -> Self {
        Self { size, body: None }
    }

    /// Takes what is there of it; its pixels, row by row, when it is whole.
    pub(super) fn advance(
        &mut self,
        streams: &mut Streams,
        intake: &mut Intake,
        input: &mut &[u8],
    ) -> Result<Option<Vec<u8>>, String> {
        let (total, bytes) = match &mut self.body {
            Some(body) => body,
            None => {
                let Some(bytes) = intake.take(input) else { return Ok(None) };
                let announced = u32::from_be_bytes(bytes);
                let most = most_deflated(longest(self.size));
                if u64::from(announced) > most {
                    return Err(format!("{announced} bytes, where {most} are enough for {}", self.size));
                }
                self.body.insert((length(announced), Vec::with_capacity(length(announced))))
            }
        };
        if !fill(bytes, *total, input) {
            return Ok(None);
        }
        tiles(streams.read(Stream::Zrle, bytes), self.size).map(Some)
    }
}

/// The most bytes that a rectangle of `size` needs before it is deflated.
fn longest(size: Size) -> u64 {
    let tiles = u64::from(size.width.div_ceil(SIDE)) * u64::from(size.height.div_ceil(SIDE));
    tiles * HEAD + size.area() * 4
}

/// The pixels of all tiles of a rectangle, which are all that `data` has.
fn tiles(mut data: Inflated<'_>, size: Size) -> Result<Vec<u8>, String> {
    let mut canvas = Canvas::new(size, Pixel::default());
    let mut room = [Pixel::default(); TILE];
    for place in Pieces::new(size, SIDE) {
        let bytes = data.peek(LONGEST_TILE)?;
        let mut tile = Tile { place, rest: bytes };
        canvas.paint(place, tile.decode(&mut room)?);
        let used = bytes.len() - tile.rest.len();
        data.skip(used);
    }
    data.finish()?;
    Ok(canvas.take())
}

/// A tile and the bytes from its own on.
struct Tile<'a> {
    place: Rect,
    rest: &'a [u8],
}

/// A CPIXEL for the format that the desktop was told: B, G, R.
fn cpixel([blue, green, red]: [u8; 3]) -> Pixel {
    [blue, green, red, 0]
}

impl<'a> Tile<'a> {
    /// Its pixels, row by row.
    fn decode<'r>(&mut self, room: &'r mut [Pixel; TILE]) -> Result<&'r [Pixel], String> {
        let (width, height) = (usize::from(self.place.width), usize::from(self.place.height));
        let pixels = room.get_mut(..width * height).unwrap_or_default();
        match self.byte()? {
            0 => {
                let bytes = self.bytes(pixels.len() * 3)?;
                for (pixel, bytes) in pixels.iter_mut().zip(bytes.as_chunks().0) {
                    *pixel = cpixel(*bytes);
                }
            }
            1 => {
                let colour = self.cpixel()?;
                pixels.fill(colour);
            }
            colours @ 2 => self.packed::<1>(colours, width, pixels)?,
            colours @ 3..=4 => self.packed::<2>(colours, width, pixels)?,
            colours @ 5..=16 => self.packed::<4>(colours, width, pixels)?,
            128 => self.runs(pixels)?,
            subencoding @ 130..=255 => self.palette_runs(subencoding - 128, pixels)?,
            unused @ (17..=127 | 129) => return Err(self.refused(&format!("has the unused subencoding {unused}"))),
        }
        Ok(pixels)
    }

    /// Indices of `BITS` bits, the leftmost highest, rows padded to bytes.
    fn packed<const BITS: usize>(&mut self, colours: u8, width: usize, pixels: &mut [Pixel]) -> Result<(), String> {
        let palette = self.palette(colours)?;
        let stride = (width * BITS).div_ceil(8);
        let bytes = self.bytes(pixels.len() / width.max(1) * stride)?;
        let mut highest = 0;
        for (row, bytes) in pixels.chunks_exact_mut(width.max(1)).zip(bytes.chunks_exact(stride.max(1))) {
            for (pixels, byte) in row.chunks_mut(8 / BITS).zip(bytes) {
                let mut bits = *byte;
                for pixel in pixels {
                    let index = bits >> (8 - BITS);
                    bits <<= BITS;
                    highest = highest.max(index);
                    *pixel = palette.get(usize::from(index)).copied().unwrap_or_default();
                }
            }
        }
        self.check_index(highest, colours)
    }

    /// Runs of a CPIXEL and a length.
    fn runs(&mut self, mut pixels: &mut [Pixel]) -> Result<(), String> {
        while !pixels.is_empty() {
            let colour = self.cpixel()?;
            let length = self.run_length()?;
            pixels = self.run(length, colour, pixels)?;
        }
        Ok(())
    }

    /// Runs of an index, with a length if its highest bit is set.
    fn palette_runs(&mut self, colours: u8, mut pixels: &mut [Pixel]) -> Result<(), String> {
        let palette = self.palette(colours)?;
        while !pixels.is_empty() {
            let byte = self.byte()?;
            let index = byte & 0x7f;
            self.check_index(index, colours)?;
            let colour = palette.get(usize::from(index)).copied().unwrap_or_default();
            let length = if byte & 0x80 == 0 { 1 } else { self.run_length()? };
            pixels = self.run(length, colour, pixels)?;
        }
        Ok(())
    }

    /// Paints a run; what is left of `pixels`.
    fn run<'p>(&self, length: usize, colour: Pixel, pixels: &'p mut [Pixel]) -> Result<&'p mut [Pixel], String> {
        let left = pixels.len();
        let (run, rest) = pixels
            .split_at_mut_checked(length)
            .ok_or_else(|| self.refused(&format!("has a run of {length} where {left} pixels are left")))?;
        run.fill(colour);
        Ok(rest)
    }

    /// One more than the sum of bytes up to the first that is not 255; read no further than to be over a tile.
    fn run_length(&mut self) -> Result<usize, String> {
        let mut length = 1;
        while length <= TILE {
            let byte = self.byte()?;
            length += usize::from(byte);
            if byte != u8::MAX {
                break;
            }
        }
        Ok(length)
    }

    fn palette(&mut self, colours: u8) -> Result<[Pixel; 128], String> {
        let bytes = self.bytes(usize::from(colours) * 3)?;
        let mut palette = [Pixel::default(); 128];
        for (colour, bytes) in palette.iter_mut().zip(bytes.as_chunks().0) {
            *colour = cpixel(*bytes);
        }
        Ok(palette)
    }

    fn check_index(&self, index: u8, colours: u8) -> Result<(), String> {
        if index >= colours {
            return Err(self.refused(&format!("has index {index} of a palette of {colours}")));
        }
        Ok(())
    }

    fn cpixel(&mut self) -> Result<Pixel, String> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(|| self.ends())?;
        self.rest = rest;
        Ok(cpixel(*bytes))
    }

    fn byte(&mut self) -> Result<u8, String> {
        let (byte, rest) = self.rest.split_first().ok_or_else(|| self.ends())?;
        self.rest = rest;
        Ok(*byte)
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.ends())?;
        self.rest = rest;
        Ok(bytes)
    }

    fn ends(&self) -> String {
        self.refused("is where its zlib data ends")
    }

    fn refused(&self, reason: &str) -> String {
        format!("tile {} {reason}", self.place)
    }
}
