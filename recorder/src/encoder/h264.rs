//! H.264 parameter sets as MP4 wants them (ISO/IEC 14496-15 §5.3.3, ITU-T H.264 §7.3.2.1).
use super::bits::{BitReader, BitWriter, escape, stop_bit, unescape};

/// The sequence and picture parameter set of one encoder, without start codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParameterSets {
    sps: Vec<u8>,
    pps: Vec<u8>,
}

const SPS: u8 = 7;
const PPS: u8 = 8;
/// profile_idc of what libx264 makes of 4:2:0 with 8 bits at our settings.
const HIGH: u32 = 100;

impl ParameterSets {
    /// The sets out of libx264's headers: NAL units behind four bytes of length each.
    pub(crate) fn from_extradata(mut bytes: &[u8]) -> Option<Self> {
        let (mut sps, mut pps) = (None, None);
        while let Some((length, rest)) = bytes.split_first_chunk() {
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (unit, rest) = rest.split_at_checked(length)?;
            match unit.first()? & 0x1f {
                SPS => sps = Some(untimed(unit)?),
                PPS => pps = Some(unit.to_vec()),
                _ => {}
            }
            bytes = rest;
        }
        Some(Self { sps: sps?, pps: pps? })
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
        record.push(1);
        record.extend_from_slice(&length(&self.pps));
        record.extend_from_slice(&self.pps);
        // High profile says again: 4:2:0, eight bits of luma and chroma, no extension.
        record.extend_from_slice(&[0xfd, 0xf8, 0xf8, 0]);
        record
    }
}

/// The SPS without timing_info. libx264 must be told of a fixed rate of pictures, or it holds one back to learn its duration; but
/// their times are what the container says, and a player must not think otherwise.
fn untimed(unit: &[u8]) -> Option<Vec<u8>> {
    let bytes = unescape(unit);
    let mut fields = BitReader::new(&bytes);
    to_timing(&mut fields)?;
    let timing = fields.position();
    if fields.bit()? {
        // num_units_in_tick, time_scale, fixed_frame_rate_flag
        fields.bits(32)?;
        fields.bits(32)?;
        fields.bit()?;
    }
    let mut out = BitWriter::default();
    out.copy(&bytes, 0, timing)?;
    out.bit(false);
    out.copy(&bytes, fields.position(), stop_bit(&bytes)?)?;
    Some(escape(&out.finish()))
}

/// Reads an SPS up to timing_info_present_flag; `None` when it is not one as libx264 writes at our settings.
fn to_timing(fields: &mut BitReader<'_>) -> Option<()> {
    fields.bits(8)?;
    if fields.bits(8)? != HIGH {
        return None;
    }
    // Constraints, level_idc, seq_parameter_set_id.
    fields.bits(16)?;
    fields.ue()?;
    // chroma_format_idc 4:2:0, both bit depths 8, no lossless bypass, no scaling matrices.
    if fields.ue()? != 1 || fields.bits(4)? != 0b1100 {
        return None;
    }
    // log2_max_frame_num_minus4
    fields.ue()?;
    match fields.ue()? {
        0 => fields.ue().map(drop)?,
        2 => {}
        _ => return None,
    }
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

    fn has_timing(sps: &[u8]) -> bool {
        let bytes = unescape(sps);
        let mut fields = BitReader::new(&bytes);
        to_timing(&mut fields).unwrap();
        fields.bit().unwrap()
    }

    #[test]
    fn sets_become_a_configuration_without_timing() {
        for size in [Size::new(1920, 1080), Size::new(2, 2), Size::new(3840, 2160), Size::new(1366, 768)] {
            let sets = Encoder::open(size, 23, 1).unwrap().parameter_sets().clone();
            assert!(!has_timing(&sets.sps), "{size}");
            let record = sets.decoder_configuration();
            assert_eq!(record[..2], [1, 100]);
            let end = 8 + sets.sps.len();
            assert_eq!(record[8..end], sets.sps);
            assert_eq!(record[end + 3..][..sets.pps.len()], sets.pps);
        }
    }

    #[test]
    fn what_is_no_parameter_set_is_none() {
        assert_eq!(ParameterSets::from_extradata(&[]), None);
        assert_eq!(ParameterSets::from_extradata(&[0, 0, 0, 9, 0x67]), None);
        let sps = Encoder::open(Size::new(64, 64), 23, 1).unwrap().parameter_sets().sps.clone();
        assert_eq!(untimed(&sps), Some(sps.clone()), "once is enough");
        for length in 0..12 {
            assert_eq!(untimed(&sps[..length]), None, "cut to {length}");
        }
        let mut baseline = sps;
        baseline[1] = 66;
        assert_eq!(untimed(&baseline), None);
    }
}
