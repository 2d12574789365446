//! Pictures written anew without what cameras and programs add to them; their pixels stay as they are.

mod gif;
mod jpeg;
mod png;
mod webp;

use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use crate::{HEAD, Refused, kind};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stripped {
    /// It was written, without so many pieces.
    Written {
        /// Segments, chunks or blocks that were left out.
        left_out: u32,
    },
    /// Nothing was written: the type is not one whose metadata is known.
    NotNeeded,
}

/// Writes a picture (JPEG, PNG, WebP, GIF) without its metadata: what was taken when, where and with what, comments, thumbnails, and all that lies behind its end.
/// What pixels mean stays: colour profiles, gamma, orientation, animation. Memory does not grow with the file.
///
/// # Errors
/// If it is not well-formed, is not of that type, or cannot be read or written.
pub fn strip_metadata<F: Read + Seek, W: Write>(mut file: F, media_type: &str, out: W) -> Result<Stripped, Refused> {
    let Some(kind) =
        [&kind::JPEG, &kind::PNG, &kind::WEBP, &kind::GIF].into_iter().find(|kind| kind.media_type == media_type)
    else {
        return Ok(Stripped::NotNeeded);
    };
    file.seek(SeekFrom::Start(0)).map_err(Refused::Unreadable)?;
    let head =
        crate::bytes::read_at_most(&mut file, HEAD.try_into().unwrap_or(u64::MAX)).map_err(Refused::Unreadable)?;
    let is = crate::sniff::by_bytes(&head, None);
    if is != kind {
        return Err(Refused::Broken { media_type: kind.media_type, reason: "it is of another type" });
    }
    file.seek(SeekFrom::Start(0)).map_err(Refused::Unreadable)?;
    let mut out = BufWriter::new(out);
    let left_out = match kind.media_type {
        "image/jpeg" => jpeg::strip(&mut BufReader::new(file), &mut out),
        "image/png" => png::strip(&mut BufReader::new(file), &mut out),
        "image/webp" => webp::strip(&mut BufReader::new(file), &mut out),
        _ => gif::strip(&mut BufReader::new(file), &mut out),
    };
    let left_out = left_out
        .and_then(|left_out| out.flush().map(|()| left_out))
        .map_err(|error| Refused::read(error, kind.media_type))?;
    Ok(Stripped::Written { left_out })
}

/// Copies exactly so many bytes.
fn copy(reader: &mut dyn Read, out: &mut dyn Write, bytes: u64) -> io::Result<()> {
    let copied = io::copy(&mut reader.take(bytes), out)?;
    if copied == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}
