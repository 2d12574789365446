//! Boxes of ISO/IEC 14496-12 §4.2: a length, a type, and what is within.

use crate::number::long;

/// A growing file of boxes.
#[derive(Debug, Default)]
pub(super) struct Boxes(Vec<u8>);

impl Boxes {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// A box around what `fill` writes.
    pub(super) fn within(&mut self, kind: &[u8; 4], fill: impl FnOnce(&mut Self) -> &mut Self) -> &mut Self {
        let start = self.len();
        self.u32(0).bytes(kind);
        fill(self);
        // INVARIANT: a sample is far below 4 GiB, so no box needs the long form.
        let length = u32::try_from(long(self.len() - start)).unwrap_or(u32::MAX);
        if let Some(place) = self.0.get_mut(start..).and_then(|rest| rest.first_chunk_mut()) {
            *place = length.to_be_bytes();
        }
        self
    }

    /// A box with version and flags before what `fill` writes.
    pub(super) fn full(
        &mut self,
        kind: &[u8; 4],
        version: u8,
        flags: u32,
        fill: impl FnOnce(&mut Self) -> &mut Self,
    ) -> &mut Self {
        self.within(kind, |out| {
            out.u32(u32::from(version) << 24 | flags);
            fill(out)
        })
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub(super) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub(super) fn u32s(&mut self, values: &[u32]) -> &mut Self {
        values.iter().for_each(|value| {
            self.u32(*value);
        });
        self
    }

    pub(super) fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }
}
