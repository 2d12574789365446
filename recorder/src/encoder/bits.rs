//! Bits of an H.264 NAL unit: fields and Exp-Golomb codes (ITU-T H.264 §7.2, §9.1), and emulation prevention (§7.4.1.1).

/// Reads bits from the front, most significant first.
#[derive(Debug, Clone)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// How many bits have been read.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn bit(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.position / 8)?;
        let bit = byte >> (7 - self.position % 8) & 1;
        self.position += 1;
        Some(bit == 1)
    }

    /// u(n): an unsigned field of up to 32 bits.
    pub(super) fn bits(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0u32, |value, _| Some(value << 1 | u32::from(self.bit()?)))
    }

    /// ue(v): unsigned Exp-Golomb.
    pub(super) fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1u32 << zeros) - 1 + self.bits(zeros)?)
    }
}

/// Writes bits, most significant first.
#[derive(Debug, Clone, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// The bits of the byte that is not whole, right-aligned, and how many there are.
    open: u8,
    filled: u32,
}

impl BitWriter {
    pub(super) fn bit(&mut self, bit: bool) {
        self.open = self.open << 1 | u8::from(bit);
        self.filled += 1;
        if self.filled == 8 {
            self.bytes.push(self.open);
            (self.open, self.filled) = (0, 0);
        }
    }

    /// u(n): the lowest `count` bits of `value`.
    pub(super) fn bits(&mut self, value: u32, count: u32) {
        (0..count).rev().for_each(|place| self.bit(value >> place & 1 == 1));
    }

    /// ue(v): unsigned Exp-Golomb.
    pub(super) fn ue(&mut self, value: u32) {
        let code = u64::from(value) + 1;
        let length = 64 - code.leading_zeros();
        self.bits(0, length - 1);
        (0..length).rev().for_each(|place| self.bit(code >> place & 1 == 1));
    }

    /// se(v): signed Exp-Golomb.
    pub(super) fn se(&mut self, value: i32) {
        let size = value.unsigned_abs();
        self.ue(if value > 0 { 2 * size - 1 } else { 2 * size });
    }

    /// Copies the bits of `from` between two positions.
    pub(super) fn copy(&mut self, from: &[u8], start: usize, end: usize) -> Option<()> {
        let mut reader = BitReader { bytes: from, position: start };
        while reader.position < end {
            self.bit(reader.bit()?);
        }
        Some(())
    }

    /// rbsp_trailing_bits(): a one, and zeros up to the end of the byte. The bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bit(true);
        while self.filled > 0 {
            self.bit(false);
        }
        self.bytes
    }
}

/// A NAL unit's bytes without the emulation prevention bytes.
pub(super) fn unescape(unit: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(unit.len());
    let mut zeros = 0;
    for byte in unit {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        bytes.push(*byte);
    }
    bytes
}

/// Bytes as a NAL unit: nothing in it looks like a start code.
pub(super) fn escape(bytes: &[u8]) -> Vec<u8> {
    let mut unit = Vec::with_capacity(bytes.len() + bytes.len() / 64 + 1);
    let mut zeros = 0;
    for byte in bytes {
        if zeros >= 2 && *byte <= 3 {
            unit.push(3);
            zeros = 0;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        unit.push(*byte);
    }
    unit
}

/// The position of the last one bit, rbsp_stop_one_bit: where the fields end.
pub(super) fn stop_bit(bytes: &[u8]) -> Option<usize> {
    let last = bytes.iter().rposition(|byte| *byte != 0)?;
    let zeros = usize::try_from(bytes.get(last)?.trailing_zeros()).ok()?;
    Some(last * 8 + 7 - zeros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(fields in prop::collection::vec((any::<u32>(), 0u32..33), 0..40)) {
            let mut writer = BitWriter::default();
            for (value, count) in &fields {
                writer.ue(*value & 0x7fff_ffff);
                writer.bits(*value, *count);
            }
            let bytes = writer.finish();
            let mut reader = BitReader::new(&bytes);
            for (value, count) in &fields {
                prop_assert_eq!(reader.ue(), Some(*value & 0x7fff_ffff));
                let mask = if *count == 32 { u32::MAX } else { (1 << count) - 1 };
                prop_assert_eq!(reader.bits(*count), Some(*value & mask));
            }
            prop_assert_eq!(stop_bit(&bytes), Some(reader.position()));
        }

        #[test]
        fn escaped_it_has_no_start_code_and_comes_back(bytes in prop::collection::vec(0u8..5, 0..100)) {
            let unit = escape(&bytes);
            prop_assert!(unit.windows(3).all(|three| !(three[0] == 0 && three[1] == 0 && three[2] < 3)));
            prop_assert_eq!(unescape(&unit), bytes);
        }
    }

    #[test]
    fn exp_golomb_is_that_of_the_standard() {
        for (value, code) in
            [(0, 0b1100_0000u8), (1, 0b0101_0000), (2, 0b0111_0000), (3, 0b0010_0100), (7, 0b0001_0001)]
        {
            let mut writer = BitWriter::default();
            writer.ue(value);
            assert_eq!(writer.finish()[0], code, "{value}");
        }
        assert_eq!(BitReader::new(&[0; 9]).ue(), None);
    }
}
