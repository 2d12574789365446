//! The four zlib streams that a viewer's Tight decoder keeps for the whole connection.

use flate2::{Compress, Compression};

use crate::deflate::deflate;

/// What a stream carries: like with like, so that each keeps a dictionary and a statistic of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    /// TPIXELs of rich content.
    Colour,
    /// One bit a pixel.
    Mono,
    /// One byte a pixel, small palettes.
    Indexed,
    /// One byte a pixel, palettes over [`SMALL_PALETTE`].
    Rich,
}

/// Palettes up to this many colours share a stream: text on its background.
pub(super) const SMALL_PALETTE: usize = 32;

/// zlib levels that a viewer may ask for by its compress-level pseudo-encoding: above them time grows, not ratio.
const LEVELS: std::ops::RangeInclusive<u32> = 1..=3;

impl Stream {
    /// Its number in the compression-control byte.
    pub(super) fn control(self) -> u8 {
        self.number() << 4
    }

    fn number(self) -> u8 {
        match self {
            Self::Colour => 0,
            Self::Mono => 1,
            Self::Indexed => 2,
            Self::Rich => 3,
        }
    }
}

/// One stream, which lives as long as the connection. INVARIANT: it is never begun anew, although Tight has flags for that: noVNC's
/// inflater keeps no window after such a reset and fails at the first reference to an earlier piece (noVNC 1.7, its vendored pako).
enum Slot {
    /// Nothing was sent by it yet.
    Unused,
    Running(Compress),
    /// zlib reported an error, so the viewer's end is no longer known.
    Failed,
}

/// Deflaters made on first use; at most four, about 300 KiB each.
pub(super) struct Streams {
    level: u32,
    slots: [Slot; 4],
    packed: Vec<u8>,
}

impl Streams {
    pub(super) fn new() -> Self {
        let slots = [Slot::Unused, Slot::Unused, Slot::Unused, Slot::Unused];
        Self { level: *LEVELS.start(), slots, packed: Vec::new() }
    }

    /// Takes the viewer's wish, 0–9, within our bounds, for the streams that have not begun.
    pub(super) fn set_level(&mut self, wish: u32) {
        self.level = wish.clamp(*LEVELS.start(), *LEVELS.end());
    }

    /// Deflates `data` as the next piece of `stream`, ended by a sync flush; none if zlib failed, now or before.
    pub(super) fn pack(&mut self, stream: Stream, data: &[u8]) -> Option<&[u8]> {
        let slot = self.slots.get_mut(usize::from(stream.number()))?;
        if matches!(slot, Slot::Unused) {
            *slot = Slot::Running(Compress::new(Compression::new(self.level), true));
        }
        let Slot::Running(stream) = slot else {
            return None;
        };
        self.packed.clear();
        if !deflate(stream, data, &mut self.packed) {
            *slot = Slot::Failed;
            return None;
        }
        Some(&self.packed)
    }
}
