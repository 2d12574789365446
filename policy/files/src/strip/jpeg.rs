//! JPEG without EXIF, XMP, IPTC and comments; with its colour profile, Adobe's transform and, as EXIF of nothing else, its orientation.

use std::io::{self, BufRead, Read, Write};

use super::{copy, malformed};
use crate::bytes::{at, be32, le16, le32, read_at_most, take};

const MOST_SEGMENTS: u32 = 1 << 20;

/// Writes the first picture up to EOI.
pub(super) fn strip<R: BufRead>(reader: &mut R, out: &mut dyn Write) -> io::Result<u32> {
    copy(reader, out, 2)?;
    let mut left_out = 0u32;
    let mut marker = marker_of(reader)?;
    let mut turned = false;
    for _ in 0..MOST_SEGMENTS {
        match marker {
            0xd9 => {
                out.write_all(&[0xff, 0xd9])?;
                return Ok(left_out);
            }
            0xd0..=0xd7 | 0x01 => {
                out.write_all(&[0xff, marker])?;
                marker = marker_of(reader)?;
            }
            0xe0..=0xef | 0xfe => {
                let length = u16::from_be_bytes(take(reader)?).checked_sub(2).ok_or_else(malformed)?;
                let segment = read_at_most(reader, length.into())?;
                if segment.len() != usize::from(length) {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                if let Some(kept) = kept(marker, &segment, &mut turned) {
                    let length = u16::try_from(kept.len().saturating_add(2)).map_err(|_| malformed())?;
                    out.write_all(&[0xff, marker])?;
                    out.write_all(&length.to_be_bytes())?;
                    out.write_all(&kept)?;
                    left_out = left_out.saturating_add(u32::from(kept != segment));
                } else {
                    left_out = left_out.saturating_add(1);
                }
                marker = marker_of(reader)?;
            }
            _ => {
                let length: [u8; 2] = take(reader)?;
                out.write_all(&[0xff, marker])?;
                out.write_all(&length)?;
                copy(reader, out, u64::from(u16::from_be_bytes(length)).checked_sub(2).ok_or_else(malformed)?)?;
                marker = if marker == 0xda { pixels(reader, out)? } else { marker_of(reader)? };
            }
        }
    }
    Err(malformed())
}

/// What of an application's segment stays.
fn kept(marker: u8, segment: &[u8], turned: &mut bool) -> Option<Vec<u8>> {
    match marker {
        // Version and density; a thumbnail may be behind them.
        0xe0 if segment.starts_with(b"JFIF\0") => {
            let mut plain = segment.get(..14)?.to_vec();
            if let [.., width, height] = plain.as_mut_slice() {
                (*width, *height) = (0, 0);
            }
            Some(plain)
        }
        0xe2 if segment.starts_with(b"ICC_PROFILE\0") => Some(segment.to_vec()),
        // How the colours are to be read.
        0xee if segment.starts_with(b"Adobe") => segment.get(..12).map(<[u8]>::to_vec),
        0xe1 if segment.starts_with(b"Exif\0\0") && !*turned => {
            let orientation = orientation(segment.get(6..)?).filter(|orientation| (2..=8).contains(orientation))?;
            *turned = true;
            let [high, low] = orientation.to_be_bytes();
            Some([&b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01"[..], &[high, low], &[0; 6]].concat())
        }
        _ => None,
    }
}

/// The orientation (tag 0x0112) in the first directory of EXIF's TIFF.
fn orientation(tiff: &[u8]) -> Option<u16> {
    let little = tiff.starts_with(b"II");
    let number16 = |place| if little { le16(tiff, place) } else { at(tiff, place).map(u16::from_be_bytes) };
    let directory = usize::try_from(if little { le32(tiff, 4)? } else { be32(tiff, 4)? }).ok()?;
    let entries = usize::from(number16(directory)?);
    (0..entries.min(256)).find_map(|entry| {
        let place = directory.checked_add(2)?.checked_add(entry.checked_mul(12)?)?;
        (number16(place)? == 0x0112 && number16(place.checked_add(2)?)? == 3)
            .then(|| number16(place.checked_add(8)?))
            .flatten()
    })
}

/// The marker of the next segment.
fn marker_of(reader: &mut dyn Read) -> io::Result<u8> {
    if take(reader)? != [0xff] {
        return Err(malformed());
    }
    let mut code = 0xff;
    while code == 0xff {
        [code] = take(reader)?;
    }
    Ok(code)
}

/// Copies packed pixels up to the next marker that is none of theirs.
fn pixels<R: BufRead>(reader: &mut R, out: &mut dyn Write) -> io::Result<u8> {
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = bytes.iter().take_while(|byte| **byte != 0xff).count();
        out.write_all(bytes.get(..length).unwrap_or_default())?;
        let end = length == bytes.len();
        reader.consume(length);
        if end {
            continue;
        }
        let code = marker_of(reader)?;
        if !matches!(code, 0 | 0xd0..=0xd7) {
            return Ok(code);
        }
        out.write_all(&[0xff, code])?;
    }
}
