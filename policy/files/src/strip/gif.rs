//! GIF without comments, plain texts and applications' blocks but those that say how often it plays and what its colours are.

use std::io::{self, Read, Write};

use super::{copy, malformed};
use crate::bytes::take;
use crate::ends::colours;

const MOST_BLOCKS: u32 = 1 << 24;
/// Applications' blocks that change what is seen.
const KEPT: [&[u8; 11]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

/// Writes it up to its trailer.
pub(super) fn strip(reader: &mut dyn Read, out: &mut dyn Write) -> io::Result<u32> {
    let head: [u8; 13] = take(reader)?;
    out.write_all(&head)?;
    copy(reader, out, colours(head.get(10).copied().unwrap_or_default()))?;
    let mut left_out = 0u32;
    for _ in 0..MOST_BLOCKS {
        match take(reader)? {
            [0x3b] => {
                out.write_all(&[0x3b])?;
                return Ok(left_out);
            }
            [0x21] => {
                let [label] = take(reader)?;
                left_out = left_out.saturating_add(u32::from(!extension(label, reader, out)?));
            }
            [0x2c] => {
                let image: [u8; 9] = take(reader)?;
                out.write_all(&[0x2c])?;
                out.write_all(&image)?;
                copy(reader, out, colours(image.last().copied().unwrap_or_default()).saturating_add(1))?;
                blocks(reader, out)?;
            }
            _ => return Err(malformed()),
        }
    }
    Err(malformed())
}

/// Writes an extension if it changes what is seen. Answers whether it did.
fn extension(label: u8, reader: &mut dyn Read, out: &mut dyn Write) -> io::Result<bool> {
    if label == 0xf9 {
        out.write_all(&[0x21, label])?;
        blocks(reader, out)?;
        return Ok(true);
    }
    if label == 0xff {
        let [length] = take(reader)?;
        let mut name = vec![0; length.into()];
        reader.read_exact(&mut name)?;
        if KEPT.iter().any(|kept| kept.as_slice() == name) {
            out.write_all(&[0x21, label, length])?;
            out.write_all(&name)?;
            blocks(reader, out)?;
            return Ok(true);
        }
        if length == 0 {
            return Ok(false);
        }
    }
    blocks(reader, &mut io::sink())?;
    Ok(false)
}

/// Copies blocks up to the empty one.
fn blocks(reader: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
    loop {
        let [length] = take(reader)?;
        out.write_all(&[length])?;
        copy(reader, out, length.into())?;
        if length == 0 {
            return Ok(());
        }
    }
}
