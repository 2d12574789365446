//! Where pictures and sounds end by their own form, so that what is behind the end is seen.

use std::io::{self, BufRead, Read};

use crate::bytes::{be32, le32};
use crate::kind::{self, Kind};

/// Chunks, segments or blocks of one file at most.
const MOST_PARTS: u32 = 1 << 24;

/// Whether [`walk`] reads this type to its end, so that what is left is behind it.
pub(crate) fn has_end(kind: &Kind) -> bool {
    [
        &kind::PNG,
        &kind::JPEG,
        &kind::GIF,
        &kind::WEBP,
        &kind::WAV,
        &kind::AVI,
        &kind::BMP,
        &kind::MP4,
        &kind::HEIF,
        &kind::AVIF,
    ]
    .contains(&kind)
}

/// Reads a file up to its end, where its type has one.
///
/// # Errors
/// `InvalidData` or `UnexpectedEof` if it is not well-formed.
pub(crate) fn walk<R: BufRead>(kind: &Kind, reader: &mut R) -> io::Result<()> {
    match kind.media_type {
        "image/png" => png(reader),
        "image/jpeg" => jpeg(reader),
        "image/gif" => gif(reader),
        "image/webp" | "audio/wav" => riff(reader),
        "video/x-msvideo" => avi(reader),
        "image/bmp" => bmp(reader),
        "video/mp4" | "image/heif" | "image/avif" => boxes(reader),
        _ => Ok(()),
    }
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

fn take<const N: usize>(reader: &mut dyn Read) -> io::Result<[u8; N]> {
    crate::bytes::take(reader)
}

fn skip(reader: &mut dyn Read, bytes: u64) -> io::Result<()> {
    crate::bytes::skip(reader, bytes)
}

/// PNG (RFC 2083): chunks up to IEND.
fn png<R: BufRead>(reader: &mut R) -> io::Result<()> {
    skip(reader, 8)?;
    for _ in 0..MOST_PARTS {
        let head: [u8; 8] = take(reader)?;
        let length = be32(&head, 0).ok_or_else(malformed)?;
        skip(reader, u64::from(length).saturating_add(4))?;
        if head.ends_with(b"IEND") {
            return Ok(());
        }
    }
    Err(malformed())
}

/// JPEG (ITU T.81): segments up to EOI. Cameras announce further pictures behind it (CIPA DC-007, in APP2), which then are its parts.
fn jpeg<R: BufRead>(reader: &mut R) -> io::Result<()> {
    let announced = picture(reader)?;
    if announced {
        loop {
            // Cameras align the pictures with zeros.
            zeros(reader)?;
            if !reader.fill_buf()?.starts_with(&[0xff]) {
                return Ok(());
            }
            picture(reader)?;
        }
    }
    Ok(())
}

fn zeros<R: BufRead>(reader: &mut R) -> io::Result<()> {
    loop {
        let bytes = reader.fill_buf()?;
        let length = bytes.iter().take_while(|byte| **byte == 0).count();
        if length == 0 {
            return Ok(());
        }
        reader.consume(length);
    }
}

/// One picture of a JPEG file. Answers whether it announces others.
fn picture<R: BufRead>(reader: &mut R) -> io::Result<bool> {
    if take::<2>(reader)? != [0xff, 0xd8] {
        return Err(malformed());
    }
    let mut announced = false;
    let mut marker = next_marker(reader, false)?;
    for _ in 0..MOST_PARTS {
        match marker {
            0xd9 => return Ok(announced),
            0xd0..=0xd7 | 0x01 => marker = next_marker(reader, false)?,
            _ => {
                let length = u16::from_be_bytes(take(reader)?).checked_sub(2).ok_or_else(malformed)?;
                if marker == 0xe2 && length >= 4 {
                    announced = take::<4>(reader)? == *b"MPF\0" || announced;
                    skip(reader, u64::from(length).saturating_sub(4))?;
                } else {
                    skip(reader, length.into())?;
                }
                marker = next_marker(reader, marker == 0xda)?;
            }
        }
    }
    Err(malformed())
}

/// The next marker: at once, or behind packed pixels.
fn next_marker<R: BufRead>(reader: &mut R, pixels: bool) -> io::Result<u8> {
    loop {
        if pixels {
            let bytes = reader.fill_buf()?;
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let length = bytes.iter().take_while(|byte| **byte != 0xff).count();
            if length > 0 {
                reader.consume(length);
                continue;
            }
        }
        let [first] = take(reader)?;
        if first != 0xff {
            return Err(malformed());
        }
        let mut code = 0xff;
        while code == 0xff {
            [code] = take(reader)?;
        }
        // Among pixels 0xff00 is a byte of them, and restarts part them.
        if !(pixels && matches!(code, 0 | 0xd0..=0xd7)) {
            return Ok(code);
        }
    }
}

/// GIF (89a): blocks up to the trailer.
fn gif<R: BufRead>(reader: &mut R) -> io::Result<()> {
    let head: [u8; 13] = take(reader)?;
    skip(reader, colours(head.get(10).copied().unwrap_or_default()))?;
    for _ in 0..MOST_PARTS {
        match take(reader)? {
            [0x3b] => return Ok(()),
            [0x21] => skip(reader, 1)?,
            [0x2c] => {
                let image: [u8; 9] = take(reader)?;
                skip(reader, colours(image.last().copied().unwrap_or_default()).saturating_add(1))?;
            }
            _ => return Err(malformed()),
        }
        loop {
            let [length] = take(reader)?;
            skip(reader, length.into())?;
            if length == 0 {
                break;
            }
        }
    }
    Err(malformed())
}

/// Bytes of a table of colours, by the flags before it.
pub(crate) fn colours(flags: u8) -> u64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// RIFF: the size that is said at the beginning. Sound that was written as it came says none.
fn riff<R: BufRead>(reader: &mut R) -> io::Result<()> {
    let head: [u8; 8] = take(reader)?;
    if !head.starts_with(b"RIFF") {
        return Err(malformed());
    }
    match le32(&head, 4).ok_or_else(malformed)? {
        0 | u32::MAX => rest(reader),
        size => {
            // An odd size is followed by a byte that fills; the last may be without.
            skip(reader, size.into())?;
            let fill = usize::from(size % 2 == 1 && !reader.fill_buf()?.is_empty());
            reader.consume(fill);
            Ok(())
        }
    }
}

/// AVI: several RIFF chunks one behind the other (OpenDML).
fn avi<R: BufRead>(reader: &mut R) -> io::Result<()> {
    while reader.fill_buf()?.starts_with(b"R") {
        riff(reader)?;
    }
    Ok(())
}

/// BMP: the size that is said at the beginning, unless it is none that can be.
fn bmp<R: BufRead>(reader: &mut R) -> io::Result<()> {
    let head: [u8; 14] = take(reader)?;
    match le32(&head, 2).ok_or_else(malformed)? {
        0..=26 => rest(reader),
        size => skip(reader, u64::from(size).saturating_sub(14)),
    }
}

/// ISO base media (ISO/IEC 14496-12): boxes, up to the file's end.
fn boxes<R: BufRead>(reader: &mut R) -> io::Result<()> {
    for _ in 0..MOST_PARTS {
        if reader.fill_buf()?.is_empty() {
            return Ok(());
        }
        let head: [u8; 8] = take(reader)?;
        if !head.iter().skip(4).all(|byte| byte.is_ascii_graphic() || *byte == b' ' || *byte == 0xa9) {
            return Err(malformed());
        }
        match be32(&head, 0).ok_or_else(malformed)? {
            0 => return rest(reader),
            1 => {
                let size = u64::from_be_bytes(take(reader)?);
                skip(reader, size.checked_sub(16).ok_or_else(malformed)?)?;
            }
            size => skip(reader, u64::from(size).checked_sub(8).ok_or_else(malformed)?)?,
        }
    }
    Err(malformed())
}

fn rest<R: BufRead>(reader: &mut R) -> io::Result<()> {
    io::copy(reader, &mut io::sink()).map(|_| ())
}
