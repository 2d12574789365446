//! H.264 parameter sets as MP4 wants them (ISO/IEC 14496-15 §5.3.3, ITU-T H.264 §7.3.2.1).
use super::bits::{BitReader, BitWriter, escape, stop_bit, unescape};
use super::macroblock::Quantiser;

/// The sequence and picture parameter sets of one encoder, without start codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParameterSets {
    sps: Vec<u8>,
    /// libx264's, with CABAC.
    pps: Vec<u8>,
    /// That of patches, with CAVLC.
    patch_pps: Vec<u8>,
    frame_number_bits: u32,
}

const SPS: u8 = 7;
const PPS: u8 = 8;
/// profile_idc of what libx264 makes of 4:2:0 with 8 bits at our settings.
const HIGH: u32 = 100;
/// Bits of pic_order_cnt_lsb: as many as there may be.
pub(super) const ORDER_BITS: u32 = 16;
/// pic_parameter_set_id of patches.
pub(super) const PATCH_PPS: u32 = 1;

impl ParameterSets {
    /// The sets out of libx264's headers, NAL units behind four bytes of length each, and one for patches.
    pub(super) fn from_extradata(mut bytes: &[u8], quantiser: Quantiser) -> Option<Self> {
        let (mut sps, mut pps) = (None, None);
        while let Some((length, rest)) = bytes.split_first_chunk() {
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (unit, rest) = rest.split_at_checked(length)?;
            match unit.first()? & 0x1f {
                SPS => sps = Some(Sps::of(unit)?),
                PPS => pps = Some(unit).filter(|unit| is_plain(unit)).map(<[u8]>::to_vec),
                _ => {}
            }
            bytes = rest;
        }
        let Sps { unit, frame_number_bits } = sps?;
        Some(Self { sps: unit, pps: pps?, patch_pps: patch_pps(quantiser), frame_number_bits })
    }

    /// Bits of frame_num.
    pub(super) fn frame_number_bits(&self) -> u32 {
        self.frame_number_bits
    }

    /// SPS and both PPS.
    #[cfg(test)]
    pub(super) fn units(&self) -> [&[u8]; 3] {
        [&self.sps, &self.pps, &self.patch_pps]
    }

    /// AVCDecoderConfigurationRecord, the content of an `avcC` box.
    pub(crate) fn decoder_configuration(&self) -> Vec<u8> {
        let length = |unit: &[u8]| u16::try_from(unit.len()).unwrap_or(0).to_be_bytes();
        let mut record = vec![1];
        record.extend_from_slice(self.sps.get(1..4).unwrap_or_default());
        // Four bytes of length before each NAL unit; one SPS.
        record.extend_from_slice(&[0xff, 0xe1]);
        record.extend_from_slice(&length(&self.sps));
        record.extend_from_slice(&self.sps);
        record.push(2);
        for pps in [&self.pps, &self.patch_pps] {
            record.extend_from_slice(&length(pps));
            record.extend_from_slice(pps);
        }
        // High profile says again: 4:2:0, eight bits of luma and chroma, no extension.
        record.extend_from_slice(&[0xfd, 0xf8, 0xf8, 0]);
        record
    }
}

/// An SPS of libx264 with two things changed.
///
/// pic_order_cnt_type 0 instead of 2: patches lie between its pictures that are not referred to, two and more in a row.
/// No timing_info: libx264 must be told of a fixed rate of pictures, or it holds one back to learn its duration; but their times
/// are what the container says, and a player must not think otherwise.
struct Sps {
    unit: Vec<u8>,
    frame_number_bits: u32,
}

impl Sps {
    fn of(unit: &[u8]) -> Option<Self> {
        let bytes = unescape(unit);
        let mut fields = BitReader::new(&bytes);
        to_frame_number(&mut fields)?;
        let frame_number_bits = fields.ue()? + 4;
        let order = fields.position();
        if fields.ue()? != 2 {
            return None;
        }
        let behind_order = fields.position();
        to_timing(&mut fields)?;
        let timing = fields.position();
        if fields.bit()? {
            // num_units_in_tick, time_scale, fixed_frame_rate_flag
            fields.bits(32)?;
            fields.bits(32)?;
            fields.bit()?;
        }
        let mut out = BitWriter::default();
        out.copy(&bytes, 0, order)?;
        out.ue(0);
        out.ue(ORDER_BITS - 4);
        out.copy(&bytes, behind_order, timing)?;
        out.bit(false);
        out.copy(&bytes, fields.position(), stop_bit(&bytes)?)?;
        Some(Self { unit: escape(&out.finish()), frame_number_bits })
    }
}

/// Whether a PPS is number 0 and has no bottom_field_pic_order_in_frame_present_flag.
fn is_plain(unit: &[u8]) -> bool {
    let mut fields = BitReader::new(unit);
    let mut plain = || {
        fields.bits(8)?;
        let (number, sps) = (fields.ue()?, fields.ue()?);
        fields.bit()?;
        Some(number == 0 && sps == 0 && !fields.bit()?)
    };
    plain() == Some(true)
}

/// pic_parameter_set_rbsp() of patches, §7.3.2.2.
fn patch_pps(quantiser: Quantiser) -> Vec<u8> {
    let mut out = BitWriter::default();
    out.ue(PATCH_PPS);
    // seq_parameter_set_id; CAVLC; no order of bottom fields; one slice group; one reference in either list; no weights.
    out.ue(0);
    out.bits(0, 2);
    (0..3).for_each(|_| out.ue(0));
    out.bits(0, 3);
    // pic_init_qp_minus26, pic_init_qs_minus26, chroma_qp_index_offset
    out.se(quantiser.initial());
    out.se(0);
    out.se(0);
    // deblocking_filter_control_present_flag; nothing constrained or redundant.
    out.bits(0b100, 3);
    let mut unit = vec![0x60 | PPS];
    unit.extend(escape(&out.finish()));
    unit
}

/// Reads an SPS up to log2_max_frame_num_minus4; `None` when it is not one as libx264 writes at our settings.
fn to_frame_number(fields: &mut BitReader<'_>) -> Option<()> {
    fields.bits(8)?;
    if fields.bits(8)? != HIGH {
        return None;
    }
    // Constraints, level_idc, seq_parameter_set_id.
    fields.bits(16)?;
    let plain = fields.ue()? == 0;
    // chroma_format_idc 4:2:0, both bit depths 8, no lossless bypass, no scaling matrices.
    (plain && fields.ue()? == 1 && fields.bits(4)? == 0b1100).then_some(())
}

/// Reads on from pic_order_cnt_type up to timing_info_present_flag.
fn to_timing(fields: &mut BitReader<'_>) -> Option<()> {
    // max_num_ref_frames, gaps_in_frame_num_value_allowed_flag, width and height in macroblocks.
    fields.ue()?;
    fields.bit()?;
    fields.ue()?;
    fields.ue()?;
    // frame_mbs_only_flag, direct_8x8_inference_flag.
    if !fields.bit()? {
        return None;
    }
    fields.bit()?;
    if fields.bit()? {
        (0..4).try_for_each(|_| fields.ue().map(drop))?;
    }
    // vui_parameters_present_flag: without a VUI the colours would not be told either.
    if !fields.bit()? {
        return None;
    }
    // Extended_SAR has its two numbers.
    if fields.bit()? && fields.bits(8)? == 255 {
        fields.bits(32)?;
    }
    if fields.bit()? {
        fields.bit()?;
    }
    // video_signal_type, with colour_description.
    if fields.bit()? {
        fields.bits(4)?;
        if fields.bit()? {
            fields.bits(24)?;
        }
    }
    // chroma_loc_info
    if fields.bit()? {
        fields.ue()?;
        fields.ue()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::Encoder;
    use portcullis_rfb::Size;

    fn sets(size: Size) -> ParameterSets {
        Encoder::open(size, 23, 1).unwrap().parameter_sets().clone()
    }

    #[test]
    fn sets_become_a_configuration() {
        for size in [Size::new(1920, 1080), Size::new(2, 2), Size::new(3840, 2160), Size::new(1366, 768)] {
            let sets = sets(size);
            let record = sets.decoder_configuration();
            assert_eq!(record[..2], [1, 100]);
            let end = 8 + sets.sps.len();
            assert_eq!((&record[8..end], record[end]), (&sets.sps[..], 2));
            assert_eq!(record[end + 3..][..sets.pps.len()], sets.pps);
        }
    }

    #[test]
    fn the_sps_has_an_order_of_pictures_and_no_timing() {
        let sps = sets(Size::new(1920, 1080)).sps;
        let bytes = unescape(&sps);
        let mut fields = BitReader::new(&bytes);
        to_frame_number(&mut fields).unwrap();
        assert_eq!((fields.ue(), fields.ue(), fields.ue()), (Some(0), Some(0), Some(12)));
        to_timing(&mut fields).unwrap();
        assert_eq!(fields.bit(), Some(false));
    }

    #[test]
    fn what_is_no_parameter_set_is_none() {
        let quantiser = Quantiser::new(20);
        assert_eq!(ParameterSets::from_extradata(&[], quantiser), None);
        assert_eq!(ParameterSets::from_extradata(&[0, 0, 0, 9, 0x67], quantiser), None);
        let sps = sets(Size::new(64, 64)).sps;
        for length in 0..=sps.len() {
            assert!(Sps::of(&sps[..length]).is_none(), "its order is of another type: cut to {length}");
        }
    }
}
