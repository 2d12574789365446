//! Conversions between the widths of lengths, without a cast that could cut one short.

/// A length in memory as an offset in a file. `usize` has at most 64 bits wherever this is built.
pub(crate) fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// An offset as a length in memory; more than memory can hold becomes the most that it can, which no allocation grants.
pub(crate) fn short(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// The sum of lengths.
pub(crate) fn total<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> usize {
    parts.into_iter().map(<[u8]>::len).sum()
}
