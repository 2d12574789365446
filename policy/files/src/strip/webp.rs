//! WebP without EXIF, XMP and chunks that are not known. Its orientation goes with the EXIF: no browser turns WebP by it.

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::{copy, malformed};
use crate::bytes::{at, le32, skip, take};

/// Chunks that pixels depend on.
const KEPT: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];
/// Bits of VP8X that say that EXIF and XMP follow.
const METADATA: u8 = 0x08 | 0x04;
const MOST_CHUNKS: u32 = 1 << 20;

/// Writes it: once over for its new size, which stands at the beginning, and once for the chunks.
pub(super) fn strip<R: Read + Seek>(reader: &mut R, out: &mut dyn Write) -> io::Result<u32> {
    let mut size = 4u64;
    chunks(reader, |_, length, reader| {
        size = size.saturating_add(length).saturating_add(8);
        skip(reader, length)
    })?;
    reader.seek(SeekFrom::Start(0))?;
    out.write_all(b"RIFF")?;
    out.write_all(&u32::try_from(size).map_err(|_| malformed())?.to_le_bytes())?;
    out.write_all(b"WEBP")?;
    chunks(reader, |head, length, reader| {
        out.write_all(head)?;
        if head.starts_with(b"VP8X") && length >= 1 {
            let [flags] = take(reader)?;
            out.write_all(&[flags & !METADATA])?;
            return copy(reader, out, length.saturating_sub(1));
        }
        copy(reader, out, length)
    })
}

/// Hands on each chunk that stays, with its padded length. Answers how many do not.
fn chunks(
    reader: &mut dyn Read,
    mut keep: impl FnMut(&[u8; 8], u64, &mut dyn Read) -> io::Result<()>,
) -> io::Result<u32> {
    let head: [u8; 12] = take(reader)?;
    let mut left = u64::from(le32(&head, 4).ok_or_else(malformed)?).saturating_sub(4);
    let mut left_out = 0u32;
    for _ in 0..MOST_CHUNKS {
        if left < 8 {
            return Ok(left_out);
        }
        let head: [u8; 8] = take(reader)?;
        let length = u64::from(le32(&head, 4).ok_or_else(malformed)?);
        let padded = length.saturating_add(length & 1);
        left = left.checked_sub(padded.saturating_add(8)).ok_or_else(malformed)?;
        let name: [u8; 4] = at(&head, 0).ok_or_else(malformed)?;
        if KEPT.contains(&&name) {
            keep(&head, padded, reader)?;
        } else {
            skip(reader, padded)?;
            left_out = left_out.saturating_add(1);
        }
    }
    Err(malformed())
}
