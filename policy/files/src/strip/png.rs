//! PNG without its texts, its time, its EXIF, and chunks that nobody has to know.

use std::io::{self, Read, Write};

use super::{copy, malformed};
use crate::bytes::{be32, skip, take};

/// Chunks that pixels depend on, beside those whose names say so by a capital.
const KEPT: [&[u8; 4]; 14] = [
    b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"pHYs", b"acTL",
    b"fcTL", b"fdAT",
];
const MOST_CHUNKS: u32 = 1 << 24;

/// Writes it up to IEND.
pub(super) fn strip(reader: &mut dyn Read, out: &mut dyn Write) -> io::Result<u32> {
    copy(reader, out, 8)?;
    let mut left_out = 0u32;
    for _ in 0..MOST_CHUNKS {
        let head: [u8; 8] = take(reader)?;
        let length = u64::from(be32(&head, 0).ok_or_else(malformed)?).saturating_add(4);
        let name: [u8; 4] = crate::bytes::at(&head, 4).ok_or_else(malformed)?;
        // A capital first letter: nothing can be shown without it.
        if name.first().is_some_and(u8::is_ascii_uppercase) || KEPT.contains(&&name) {
            out.write_all(&head)?;
            copy(reader, out, length)?;
        } else {
            skip(reader, length)?;
            left_out = left_out.saturating_add(1);
        }
        if name == *b"IEND" {
            return Ok(left_out);
        }
    }
    Err(malformed())
}
