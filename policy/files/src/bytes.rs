//! Numbers within bytes, and readers that take exactly so many or count them.

use std::io::{self, Read, Seek};

use crate::limits::Budget;

/// What is read by its end: a file, or a member that is held.
pub(crate) trait Whole: Read + Seek {}
impl<T: Read + Seek> Whole for T {}

/// `N` bytes at a place.
pub(crate) fn at<const N: usize>(bytes: &[u8], place: usize) -> Option<[u8; N]> {
    bytes.get(place..)?.first_chunk::<N>().copied()
}

/// A little-endian number of 16 bits.
pub(crate) fn le16(bytes: &[u8], place: usize) -> Option<u16> {
    at(bytes, place).map(u16::from_le_bytes)
}

/// A little-endian number of 32 bits.
pub(crate) fn le32(bytes: &[u8], place: usize) -> Option<u32> {
    at(bytes, place).map(u32::from_le_bytes)
}

/// A little-endian number of 64 bits.
pub(crate) fn le64(bytes: &[u8], place: usize) -> Option<u64> {
    at(bytes, place).map(u64::from_le_bytes)
}

/// A big-endian number of 32 bits.
pub(crate) fn be32(bytes: &[u8], place: usize) -> Option<u32> {
    at(bytes, place).map(u32::from_be_bytes)
}

/// Where a run of bytes begins in others.
pub(crate) fn find(bytes: &[u8], run: &[u8]) -> Option<usize> {
    bytes.windows(run.len().max(1)).position(|window| window == run)
}

/// Where a run of bytes begins in others for the last time.
pub(crate) fn find_last(bytes: &[u8], run: &[u8]) -> Option<usize> {
    bytes.windows(run.len().max(1)).rposition(|window| window == run)
}

/// The next `N` bytes.
pub(crate) fn take<const N: usize>(reader: &mut dyn Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Passes over so many bytes, all of which must be there.
pub(crate) fn skip(reader: &mut dyn Read, bytes: u64) -> io::Result<()> {
    let passed = io::copy(&mut reader.take(bytes), &mut io::sink())?;
    if passed == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// At most `most` bytes, whatever is said about how many there are.
pub(crate) fn read_at_most(reader: &mut dyn Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A reader of unpacked bytes, which count.
pub(crate) struct Unpacked<'a, R> {
    pub(crate) reader: R,
    pub(crate) budget: &'a Budget<'a>,
}

impl<R: Read> Read for Unpacked<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.budget.unpack(read)?;
        Ok(read)
    }
}
