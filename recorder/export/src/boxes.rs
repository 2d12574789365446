//! Boxes of ISO/IEC 14496-12 §4.2: a length, a type, and what is within.

/// A growing file of boxes.
#[derive(Debug, Default)]
pub struct Boxes(Vec<u8>);

impl Boxes {
    /// Room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Whether there is nothing yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// A box around what `fill` writes.
    pub fn within(&mut self, kind: &[u8; 4], fill: impl FnOnce(&mut Self) -> &mut Self) -> &mut Self {
        let start = self.len();
        self.u32(0).bytes(kind);
        fill(self);
        // INVARIANT: what is built in memory is far below 4 GiB, so no box needs the long form.
        let length = u32::try_from(self.len() - start).unwrap_or(u32::MAX);
        if let Some(place) = self.0.get_mut(start..).and_then(|rest| rest.first_chunk_mut()) {
            *place = length.to_be_bytes();
        }
        self
    }

    /// A box with version and flags before what `fill` writes.
    pub fn full(
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

    /// These bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Big-endian.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Big-endian.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Big-endian, one behind the other.
    pub fn u32s(&mut self, values: &[u32]) -> &mut Self {
        values.iter().for_each(|value| {
            self.u32(*value);
        });
        self
    }

    /// Big-endian.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }
}
