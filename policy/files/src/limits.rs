//! How much of a file is looked at, and the count of what was.

use std::cell::Cell;
use std::fmt;

use crate::Refused;

/// Bytes that may be unpacked before their ratio to the packed ones counts.
pub(crate) const RATIO_FROM: u64 = 32 << 20;

/// Bounds of one inspection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Archives within archives; the file itself is the first.
    pub depth: u32,
    /// Members of all archives and documents together.
    pub entries: u32,
    /// Bytes that all of them unpack to, of each level.
    pub unpacked_bytes: u64,
    /// How many times the file's own bytes that may be, from 32 MiB on.
    pub ratio: u32,
    /// Bytes of text that are searched.
    pub text_bytes: u64,
    /// Bytes of members that are held in memory at any time, as their kind (zip, PDF) is read by its end.
    pub held_bytes: u64,
    /// Whether archives are looked into; if not, they are only named by type. Documents always are.
    pub look: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 5,
            entries: 20_000,
            unpacked_bytes: 8 << 30,
            ratio: 200,
            text_bytes: 64 << 30,
            held_bytes: 64 << 20,
            look: true,
        }
    }
}

/// Which of the [`Limits`] a file is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Archives within archives.
    Depth,
    /// Members.
    Entries,
    /// Bytes unpacked.
    UnpackedBytes,
    /// Bytes unpacked to bytes packed.
    Ratio,
    /// Bytes of text.
    TextBytes,
    /// Members that share bytes, so that a little is much.
    Overlap,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Depth => "archives within archives",
            Self::Entries => "number of members",
            Self::UnpackedBytes => "bytes unpacked",
            Self::Ratio => "ratio of bytes unpacked to bytes packed",
            Self::TextBytes => "bytes of text",
            Self::Overlap => "members that overlap",
        })
    }
}

/// What one inspection has used of its limits.
pub(crate) struct Budget<'a> {
    pub(crate) limits: &'a Limits,
    packed: u64,
    unpacked: Cell<u64>,
    entries: Cell<u32>,
    text: Cell<u64>,
    held: Cell<u64>,
}

impl<'a> Budget<'a> {
    /// For a file of so many bytes.
    pub(crate) fn new(limits: &'a Limits, packed: u64) -> Self {
        Self {
            limits,
            packed,
            unpacked: Cell::default(),
            entries: Cell::default(),
            text: Cell::default(),
            held: Cell::default(),
        }
    }

    /// Counts bytes that came out of an archive.
    pub(crate) fn unpack(&self, bytes: usize) -> Result<(), Refused> {
        let total = self.unpacked.get().saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        self.unpacked.set(total);
        if total > self.limits.unpacked_bytes {
            return Err(Refused::Bomb { which: Limit::UnpackedBytes });
        }
        if total > RATIO_FROM && total > self.packed.saturating_mul(self.limits.ratio.into()) {
            return Err(Refused::Bomb { which: Limit::Ratio });
        }
        Ok(())
    }

    /// Counts a member.
    pub(crate) fn entry(&self) -> Result<(), Refused> {
        let total = self.entries.get().saturating_add(1);
        self.entries.set(total);
        if total > self.limits.entries { Err(Refused::Bomb { which: Limit::Entries }) } else { Ok(()) }
    }

    /// Counts bytes of text.
    pub(crate) fn text(&self, bytes: usize) -> Result<(), Refused> {
        let total = self.text.get().saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        self.text.set(total);
        if total > self.limits.text_bytes { Err(Refused::Bomb { which: Limit::TextBytes }) } else { Ok(()) }
    }

    /// Members so far, and bytes of text.
    pub(crate) fn used(&self) -> (u32, u64) {
        (self.entries.get(), self.text.get())
    }

    /// Bytes that may still be held in memory.
    pub(crate) fn room(&self) -> u64 {
        self.limits.held_bytes.saturating_sub(self.held.get())
    }

    /// Takes of that room, or gives back.
    pub(crate) fn hold(&self, bytes: u64) {
        self.held.set(self.held.get().saturating_add(bytes));
    }

    /// Gives back what was taken.
    pub(crate) fn release(&self, bytes: u64) {
        self.held.set(self.held.get().saturating_sub(bytes));
    }
}
