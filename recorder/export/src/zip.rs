//! A zip archive (PKWARE APPNOTE 6.3) as a stream: stored, sizes and sums known before each file, Zip64 where numbers are large.
//!
//! The same files give the same bytes: every time is the first that a zip can say.
use std::io::{self, Read, Write};

use crc32fast::Hasher;

use crate::long;

/// Zip64 and UTF-8 names need no more than version 4.5.
const VERSION: u16 = 45;
/// Names are UTF-8 (APPNOTE D).
const UTF8: u16 = 1 << 11;
/// 1980-01-01, 00:00:00.
const DAY: u16 = 0x21;
/// A regular file that all may read, made on a Unix.
const MODE: u32 = 0o100_644 << 16;
/// The numbers that say: look in the Zip64 field.
const ELSEWHERE: u32 = u32::MAX;
/// Bytes that are copied at once.
const PIECE: usize = 64 * 1024;

/// An archive that is being written.
pub(crate) struct Zip<W> {
    out: W,
    at: u64,
    directory: Vec<u8>,
    entries: u64,
}

/// Length and sum of a file that is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) bytes: u64,
    pub(crate) crc: u32,
}

/// Reads a file to its end.
pub(crate) fn measure(mut reader: impl Read) -> io::Result<Measured> {
    let (mut hasher, mut bytes, mut piece) = (Hasher::new(), 0_u64, vec![0; PIECE]);
    loop {
        match reader.read(&mut piece)? {
            0 => return Ok(Measured { bytes, crc: hasher.finalize() }),
            length => {
                hasher.update(piece.get(..length).unwrap_or_default());
                bytes = bytes.saturating_add(long(length));
            }
        }
    }
}

impl<W: Write> Zip<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, at: 0, directory: Vec::new(), entries: 0 }
    }

    /// Adds a file; `reader` must give what was measured.
    pub(crate) fn add(&mut self, name: &str, measured: Measured, reader: impl Read) -> io::Result<()> {
        let offset = self.at;
        let large = measured.bytes >= u64::from(ELSEWHERE);
        let extra = if large { zip64(&[measured.bytes, measured.bytes]) } else { Vec::new() };
        let mut front = b"PK\x03\x04".to_vec();
        fields(&mut front, measured, name, &extra);
        front.extend_from_slice(name.as_bytes());
        front.extend_from_slice(&extra);
        self.write(&front)?;
        let mut passed = Passed { inner: reader, hasher: Hasher::new() };
        let bytes = io::copy(&mut (&mut passed).take(measured.bytes), &mut self.out)?;
        self.at = self.at.saturating_add(bytes);
        if (Measured { bytes, crc: passed.hasher.finalize() }) != measured {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file changed while it was exported"));
        }
        self.list(name, measured, offset);
        Ok(())
    }

    /// Adds a file whose bytes are at hand.
    pub(crate) fn add_bytes(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let measured = measure(bytes)?;
        self.add(name, measured, bytes)
    }

    fn list(&mut self, name: &str, measured: Measured, offset: u64) {
        let mut numbers = Vec::new();
        if measured.bytes >= u64::from(ELSEWHERE) {
            numbers.extend([measured.bytes, measured.bytes]);
        }
        let short = u32::try_from(offset).ok().filter(|offset| *offset < ELSEWHERE);
        if short.is_none() {
            numbers.push(offset);
        }
        let extra = if numbers.is_empty() { Vec::new() } else { zip64(&numbers) };
        let out = &mut self.directory;
        out.extend_from_slice(b"PK\x01\x02");
        // Made by: Unix.
        out.extend_from_slice(&(VERSION | 3 << 8).to_le_bytes());
        fields(out, measured, name, &extra);
        // No comment, disk 0, no internal attributes.
        out.extend_from_slice(&[0; 6]);
        out.extend_from_slice(&MODE.to_le_bytes());
        out.extend_from_slice(&short.unwrap_or(ELSEWHERE).to_le_bytes());
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&extra);
        self.entries = self.entries.saturating_add(1);
    }

    /// Writes the directory; how many bytes the archive has.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        let (at, directory) = (self.at, std::mem::take(&mut self.directory));
        self.write(&directory)?;
        let length = long(directory.len());
        let end_at = self.at;
        let large = self.entries >= u64::from(u16::MAX) || end_at >= u64::from(ELSEWHERE);
        if large {
            let mut end = b"PK\x06\x06".to_vec();
            end.extend_from_slice(&44_u64.to_le_bytes());
            end.extend_from_slice(&(VERSION | 3 << 8).to_le_bytes());
            end.extend_from_slice(&VERSION.to_le_bytes());
            end.extend_from_slice(&[0; 8]);
            [self.entries, self.entries, length, at].iter().for_each(|n| end.extend_from_slice(&n.to_le_bytes()));
            end.extend_from_slice(b"PK\x06\x07\0\0\0\0");
            end.extend_from_slice(&end_at.to_le_bytes());
            end.extend_from_slice(&1_u32.to_le_bytes());
            self.write(&end)?;
        }
        let (short, word) = (u16::MAX, ELSEWHERE);
        let entries = if large { short } else { u16::try_from(self.entries).unwrap_or(short) };
        let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
        [entries, entries].iter().for_each(|n| end.extend_from_slice(&n.to_le_bytes()));
        for number in [length, at] {
            let number = if large { word } else { u32::try_from(number).unwrap_or(word) };
            end.extend_from_slice(&number.to_le_bytes());
        }
        end.extend_from_slice(&[0; 2]);
        self.write(&end)?;
        self.out.flush()?;
        Ok(self.at)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at = self.at.saturating_add(long(bytes.len()));
        self.out.write_all(bytes)
    }
}

/// What local and central header have in common (APPNOTE 4.3.7, 4.3.12).
fn fields(out: &mut Vec<u8>, measured: Measured, name: &str, extra: &[u8]) {
    // Stored.
    [VERSION, UTF8, 0, 0, DAY].iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
    out.extend_from_slice(&measured.crc.to_le_bytes());
    let short = u32::try_from(measured.bytes).unwrap_or(ELSEWHERE).to_le_bytes();
    out.extend_from_slice(&short);
    out.extend_from_slice(&short);
    [name.len(), extra.len()]
        .iter()
        .for_each(|n| out.extend_from_slice(&u16::try_from(*n).unwrap_or(u16::MAX).to_le_bytes()));
}

/// The Zip64 extra field of these numbers (APPNOTE 4.5.3).
fn zip64(numbers: &[u64]) -> Vec<u8> {
    let mut extra = vec![1, 0];
    extra.extend_from_slice(&u16::try_from(numbers.len() * 8).unwrap_or(0).to_le_bytes());
    numbers.iter().for_each(|n| extra.extend_from_slice(&n.to_le_bytes()));
    extra
}

/// A reader that sums what passes.
struct Passed<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: Read> Read for Passed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}
