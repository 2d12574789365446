//! Tight (community specification, "Tight Encoding"): a rectangle as one colour, as JPEG, or filtered and deflated.

mod filter;
mod jpeg;

use super::canvas::{Pixel, pixels_in};
use super::inflate::{Stream, Streams, most_deflated};
use crate::geometry::Size;
use crate::intake::{Intake, fill};
use crate::limits::{JPEG_SLACK, MAX_COMPRESSED, MAX_TIGHT_WIDTH};
use filter::{Filter, tpixel};

/// Upper half of the compression-control byte: one colour.
const FILL: u8 = 8;
/// A JPEG image.
const JPEG: u8 = 9;
/// Of the others, this bit says that a filter is named.
const NAMED_FILTER: u8 = 4;
/// Bit of the others that no desktop sets which was not asked to.
const BEYOND: u8 = 8;

/// Shorter data comes as it is, with neither length nor zlib.
const MIN_DEFLATED: usize = 12;

/// A rectangle that is being read.
#[derive(Debug)]
pub(super) struct Tight {
    size: Size,
    allow_jpeg: bool,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Control,
    Fill,
    FilterId { stream: Stream },
    PaletteSize { stream: Stream },
    Palette { stream: Stream, length: usize, colours: Vec<u8> },
    Length { body: Content, most: u64, read: u32, shift: u32 },
    Body { body: Content, length: usize, bytes: Vec<u8> },
}

/// What the bytes of a body are.
#[derive(Debug)]
enum Content {
    Jpeg,
    Plain(Filter),
    Deflated(Stream, Filter),
}

impl Tight {
    pub(super) fn new(size: Size, allow_jpeg: bool) -> Self {
        Self { size, allow_jpeg, step: Step::Control }
    }

    /// Takes what is there of it; its pixels, row by row, when it is whole.
    pub(super) fn advance(
        &mut self,
        streams: &mut Streams,
        intake: &mut Intake,
        input: &mut &[u8],
    ) -> Result<Option<Vec<u8>>, String> {
        loop {
            let next = match &mut self.step {
                Step::Control => {
                    let Some([control]) = intake.take(input) else { return Ok(None) };
                    streams.reset(control & 0x0f);
                    self.begin(control >> 4)?
                }
                Step::Fill => {
                    let Some(colour) = intake.take(input) else { return Ok(None) };
                    return Ok(Some(vec![tpixel(colour); pixels_in(self.size)].into_flattened()));
                }
                Step::FilterId { stream } => {
                    let Some([filter]) = intake.take(input) else { return Ok(None) };
                    let stream = *stream;
                    match filter {
                        0 => self.data(stream, Filter::Copy),
                        1 => Step::PaletteSize { stream },
                        2 => self.data(stream, Filter::Gradient),
                        other => return Err(format!("filter {other} is unknown")),
                    }
                }
                Step::PaletteSize { stream } => {
                    let Some([last]) = intake.take(input) else { return Ok(None) };
                    if last == 0 {
                        return Err("a palette of one colour".to_owned());
                    }
                    Step::Palette { stream: *stream, length: (usize::from(last) + 1) * 3, colours: Vec::new() }
                }
                Step::Palette { stream, length, colours } => {
                    if !fill(colours, *length, input) {
                        return Ok(None);
                    }
                    let (stream, filter) = (*stream, Filter::palette(colours));
                    self.data(stream, filter)
                }
                Step::Length { body, most, read, shift } => {
                    let Some([byte]) = intake.take(input) else { return Ok(None) };
                    // Seven bits, seven bits and eight, the lowest first.
                    let (bits, more) = if *shift < 14 { (byte & 0x7f, byte & 0x80 != 0) } else { (byte, false) };
                    *read |= u32::from(bits) << *shift;
                    *shift += 7;
                    if more {
                        continue;
                    }
                    if u64::from(*read) > *most {
                        return Err(format!("{read} bytes, where {most} are enough for {}", self.size));
                    }
                    let length = crate::intake::length(*read);
                    let body = std::mem::replace(body, Content::Jpeg);
                    Step::Body { body, length, bytes: Vec::with_capacity(length) }
                }
                Step::Body { body, length, bytes } => {
                    if !fill(bytes, *length, input) {
                        return Ok(None);
                    }
                    return body.pixels(bytes, self.size, streams).map(|pixels| Some(pixels.into_flattened()));
                }
            };
            self.step = next;
        }
    }

    /// What follows a compression-control byte with this upper half.
    fn begin(&self, kind: u8) -> Result<Step, String> {
        if kind != FILL && self.size.width > MAX_TIGHT_WIDTH {
            return Err(format!("{} is wider than {MAX_TIGHT_WIDTH} and no fill", self.size));
        }
        match kind {
            FILL => Ok(Step::Fill),
            JPEG if self.allow_jpeg => {
                let most = (self.size.area() * 4 + JPEG_SLACK).min(MAX_COMPRESSED);
                Ok(Step::Length { body: Content::Jpeg, most, read: 0, shift: 0 })
            }
            JPEG => Err("JPEG was not asked for".to_owned()),
            beyond if beyond & BEYOND != 0 => Err(format!("compression type {beyond} is unknown")),
            named if named & NAMED_FILTER != 0 => Ok(Step::FilterId { stream: Stream::Tight(named) }),
            stream => Ok(self.data(Stream::Tight(stream), Filter::Copy)),
        }
    }

    /// What follows a filter.
    fn data(&self, stream: Stream, filter: Filter) -> Step {
        let length = filter.row_bytes(self.size.width) * usize::from(self.size.height);
        if length < MIN_DEFLATED {
            return Step::Body { body: Content::Plain(filter), length, bytes: Vec::with_capacity(length) };
        }
        let most = most_deflated(u64::try_from(length).unwrap_or(u64::MAX));
        Step::Length { body: Content::Deflated(stream, filter), most, read: 0, shift: 0 }
    }
}

impl Content {
    fn pixels(&self, bytes: &[u8], size: Size, streams: &mut Streams) -> Result<Vec<Pixel>, String> {
        match self {
            Self::Jpeg => jpeg::decode(bytes, size),
            Self::Plain(filter) => {
                let mut pixels = Vec::with_capacity(pixels_in(size));
                filter.rows(bytes, usize::from(size.width), &mut pixels)?;
                Ok(pixels)
            }
            Self::Deflated(stream, filter) => filter.inflated(streams.read(*stream, bytes), size),
        }
    }
}
