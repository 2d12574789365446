//! JPEG images (ITU-T T.81) from a desktop: one baseline scan of exactly the rectangle's size, or refused before it is decoded.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::desktop::canvas::{Pixel, pixels_in};
use crate::geometry::Size;
use crate::limits::MAX_JPEG_TABLES;

/// Second bytes of the markers (T.81, table B.1).
mod marker {
    pub(super) const SOF0: u8 = 0xc0;
    pub(super) const DHT: u8 = 0xc4;
    pub(super) const RST0: u8 = 0xd0;
    pub(super) const RST7: u8 = 0xd7;
    pub(super) const SOI: u8 = 0xd8;
    pub(super) const EOI: u8 = 0xd9;
    pub(super) const SOS: u8 = 0xda;
    pub(super) const DQT: u8 = 0xdb;
    pub(super) const DRI: u8 = 0xdd;
    pub(super) const APP0: u8 = 0xe0;
    pub(super) const APP15: u8 = 0xef;
    pub(super) const COM: u8 = 0xfe;
}

/// The pixels of an image of exactly `size`, row by row.
pub(super) fn decode(bytes: &[u8], size: Size) -> Result<Vec<Pixel>, String> {
    let image = plain(bytes, size)?;
    let options = DecoderOptions::new_safe()
        .set_use_unsafe(false)
        .set_strict_mode(true)
        .set_max_width(size.width.into())
        .set_max_height(size.height.into())
        .jpeg_set_out_colorspace(ColorSpace::RGBA);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&image), options);
    let mut pixels = vec![Pixel::default(); pixels_in(size)];
    let room = pixels.as_flattened_mut();
    let damaged = || "its JPEG data is damaged".to_owned();
    decoder.decode_headers().map_err(|_| damaged())?;
    if decoder.output_buffer_size() != Some(room.len()) {
        return Err(damaged());
    }
    decoder.decode_into(room).map_err(|_| damaged())?;
    for pixel in &mut pixels {
        let [red, green, blue, _] = *pixel;
        *pixel = [blue, green, red, 0];
    }
    Ok(pixels)
}

/// The image without what is no picture (comments, profiles, thumbnails), if it is one that a desktop sends.
///
/// INVARIANT: what the decoder sees has one frame, baseline, of `size`, and one scan of all its components; so its time and memory
/// are bounded by its pixels. (A progressive image may go over them once for every ten of its bytes.)
fn plain(bytes: &[u8], size: Size) -> Result<Vec<u8>, String> {
    let mut rest = bytes.strip_prefix(&[0xff, marker::SOI]).ok_or("it is no JPEG image")?;
    let mut image = Vec::with_capacity(bytes.len());
    image.extend_from_slice(&[0xff, marker::SOI]);
    let (mut tables, mut components) = (0, None);
    loop {
        let (code, segment) = segment(&mut rest)?;
        match code {
            marker::APP0..=marker::APP15 | marker::COM => continue,
            marker::DQT | marker::DHT | marker::DRI => {
                tables += segment.len();
                if tables > MAX_JPEG_TABLES {
                    return Err(format!("over {MAX_JPEG_TABLES} bytes of JPEG tables"));
                }
            }
            marker::SOF0 if components.is_some() => return Err("a second JPEG frame".to_owned()),
            marker::SOF0 => components = Some(frame(segment, size)?),
            marker::SOS => {
                let components = components.ok_or("a JPEG scan before its frame")?;
                if segment.first() != Some(&components) {
                    return Err("a JPEG scan of some components only".to_owned());
                }
            }
            other => return Err(format!("JPEG marker {other:#04x}, which baseline does not have")),
        }
        let length = u16::try_from(segment.len() + 2).unwrap_or(u16::MAX);
        image.extend_from_slice(&[0xff, code]);
        image.extend_from_slice(&length.to_be_bytes());
        image.extend_from_slice(segment);
        if code == marker::SOS {
            break;
        }
    }
    image.extend_from_slice(scan(rest)?);
    image.extend_from_slice(&[0xff, marker::EOI]);
    Ok(image)
}

/// The next marker and what its segment has after its length (T.81, B.1.1.4).
fn segment<'a>(rest: &mut &'a [u8]) -> Result<(u8, &'a [u8]), String> {
    const SHORT: &str = "its JPEG data ends within its headers";
    let [0xff, after @ ..] = *rest else {
        return Err("JPEG segments are not next to each other".to_owned());
    };
    // Any number of 0xff may stand before a marker.
    let fill = after.iter().take_while(|byte| **byte == 0xff).count();
    let (code, after) = after.get(fill..).and_then(<[u8]>::split_first).ok_or(SHORT)?;
    let (length, after) = after.split_first_chunk().ok_or(SHORT)?;
    let length =
        usize::from(u16::from_be_bytes(*length)).checked_sub(2).ok_or("a JPEG segment shorter than its length")?;
    let (segment, after) = after.split_at_checked(length).ok_or(SHORT)?;
    *rest = after;
    Ok((*code, segment))
}

/// The number of components of a frame of `size` (T.81, B.2.2): grey, or three of which only the first has more samples than others.
fn frame(segment: &[u8], size: Size) -> Result<u8, String> {
    let (head, components) = segment.split_first_chunk().ok_or("a JPEG frame without a header")?;
    let [precision, h0, h1, w0, w1, count] = *head;
    let found = Size::new(u16::from_be_bytes([w0, w1]), u16::from_be_bytes([h0, h1]));
    if found != size {
        return Err(format!("a JPEG image of {found} for {size}"));
    }
    let samplings: Vec<u8> = components.chunks(3).filter_map(|component| component.get(1)).copied().collect();
    let usual = match *samplings {
        [0x11] => true,
        [luma, 0x11, 0x11] => [0x11, 0x21, 0x12, 0x22].contains(&luma),
        _ => false,
    };
    if precision != 8 || !usual || components.len() != 3 * usize::from(count) {
        return Err("a JPEG frame of unusual precision or sampling".to_owned());
    }
    Ok(count)
}

/// The entropy-coded data up to the end of the image, which is the end of `bytes` (T.81, B.1.1.5).
fn scan(bytes: &[u8]) -> Result<&[u8], String> {
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 0xff)) {
        let place = at + found;
        match bytes.get(place + 1..) {
            Some([0x00 | marker::RST0..=marker::RST7, ..]) => at = place + 2,
            Some([0xff, ..]) => at = place + 1,
            Some([marker::EOI]) => return Ok(bytes.get(..place).unwrap_or_default()),
            Some([marker::EOI, rest @ ..]) => return Err(format!("{} bytes follow the JPEG image", rest.len())),
            Some([other, ..]) => return Err(format!("JPEG marker {other:#04x} after the first scan")),
            Some([]) | None => break,
        }
    }
    Err("its JPEG data ends within its scan".to_owned())
}
