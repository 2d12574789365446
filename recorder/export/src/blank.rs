//! The grey picture that stands where a record has none: H.264 written by hand, so that nothing need be encoded.
//!
//! Every macroblock is predicted from nothing and has no residual, which is the grey of 128 (ITU-T H.264 §8.3.3.3).
use crate::Boxes;

/// Constrained Baseline, level 5.1: whatever the size.
const PROFILE: [u8; 3] = [66, 0x40, 51];

/// What shows that there is no picture, of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blank {
    sps: Vec<u8>,
    pps: Vec<u8>,
    macroblocks: u32,
    width: u16,
    height: u16,
}

impl Blank {
    /// For a film of even sides.
    pub(crate) fn of(width: u16, height: u16) -> Self {
        let (across, down) = (u32::from(width).div_ceil(16).max(1), u32::from(height).div_ceil(16).max(1));
        let mut sps = Bits::unit(0x67);
        PROFILE.iter().for_each(|byte| sps.fixed(u32::from(*byte), 8));
        // seq_parameter_set_id, log2_max_frame_num_minus4, pic_order_cnt_type 2, no reference, no gaps in frame_num.
        [0, 0, 2, 0].iter().for_each(|value| sps.golomb(*value));
        sps.fixed(0, 1);
        sps.golomb(across - 1);
        sps.golomb(down - 1);
        // Frames alone, direct_8x8_inference.
        sps.fixed(0b11, 2);
        let cut = (across * 16 - u32::from(width), down * 16 - u32::from(height));
        sps.fixed(u32::from(cut != (0, 0)), 1);
        if cut != (0, 0) {
            // In units of two pixels: left, right, top, bottom.
            [0, cut.0 / 2, 0, cut.1 / 2].iter().for_each(|value| sps.golomb(*value));
        }
        sps.fixed(0, 1);
        let mut pps = Bits::unit(0x68);
        // pic_parameter_set_id, seq_parameter_set_id; CAVLC, no field order; one slice group, one reference each way.
        [0, 0].iter().for_each(|value| pps.golomb(*value));
        pps.fixed(0, 2);
        [0, 0, 0].iter().for_each(|value| pps.golomb(*value));
        // No weights; quantisers and chroma as they are; no deblocking control, no constraint, no redundancy.
        pps.fixed(0, 3);
        [0, 0, 0].iter().for_each(|value| pps.golomb(*value));
        pps.fixed(0, 3);
        Self { sps: sps.finish(), pps: pps.finish(), macroblocks: across * down, width, height }
    }

    /// Its sample entry.
    pub(crate) fn entry(&self) -> Vec<u8> {
        let mut out = Boxes::default();
        let length = |unit: &[u8]| u16::try_from(unit.len()).unwrap_or(u16::MAX);
        out.within(b"avc1", |out| {
            out.u32(0).u16(0).u16(1).u32s(&[0; 4]).u16(self.width).u16(self.height);
            out.u32(0x0048_0000).u32(0x0048_0000).u32(0).u16(1).u32s(&[0; 8]).u16(24).u16(u16::MAX);
            out.within(b"avcC", |out| {
                out.bytes(&[1]).bytes(&PROFILE).bytes(&[0xff, 0xe1]);
                out.u16(length(&self.sps)).bytes(&self.sps);
                out.bytes(&[1]).u16(length(&self.pps)).bytes(&self.pps)
            })
        });
        out.finish()
    }

    /// The picture as a sample with its parameter sets; of two in a row one is `odd`.
    pub(crate) fn sample(&self, odd: bool) -> Vec<u8> {
        let mut slice = Bits::unit(0x65);
        // first_mb_in_slice, slice_type I, pic_parameter_set_id, frame_num, idr_pic_id, no marking, slice_qp_delta.
        [0, 7, 0].iter().for_each(|value| slice.golomb(*value));
        slice.fixed(0, 4);
        slice.golomb(u32::from(odd));
        slice.fixed(0, 2);
        slice.golomb(0);
        for _ in 0..self.macroblocks {
            // I_16x16 with DC prediction and nothing coded; chroma DC; mb_qp_delta 0; no coefficient.
            slice.golomb(3);
            slice.fixed(0b111, 3);
        }
        let mut out = Boxes::default();
        for unit in [&self.sps, &self.pps, &slice.finish()] {
            out.u32(u32::try_from(unit.len()).unwrap_or(u32::MAX)).bytes(unit);
        }
        out.finish()
    }
}

/// A NAL unit that is being written.
struct Bits {
    bytes: Vec<u8>,
    open: u32,
    count: u32,
}

impl Bits {
    fn unit(header: u8) -> Self {
        Self { bytes: vec![header], open: 0, count: 0 }
    }

    /// The lowest `bits` of the value, the highest of them first.
    fn fixed(&mut self, value: u32, bits: u32) {
        for place in (0..bits).rev() {
            self.open = self.open << 1 | (value >> place & 1);
            self.count += 1;
            if self.count == 8 {
                self.byte();
            }
        }
    }

    /// ue(v), which for 0 is se(v) as well (ITU-T H.264 §9.1).
    fn golomb(&mut self, value: u32) {
        let code = value.saturating_add(1);
        let length = u32::BITS - code.leading_zeros();
        self.fixed(0, length - 1);
        self.fixed(code, length);
    }

    fn byte(&mut self) {
        let [.., byte] = self.open.to_be_bytes();
        // Three bytes that look like a start code are kept apart (§7.4.1).
        if byte <= 3 && self.bytes.ends_with(&[0, 0]) {
            self.bytes.push(3);
        }
        self.bytes.push(byte);
        (self.open, self.count) = (0, 0);
    }

    /// With the stop bit.
    fn finish(mut self) -> Vec<u8> {
        self.fixed(1, 1);
        while self.count > 0 {
            self.fixed(0, 1);
        }
        self.bytes
    }
}
