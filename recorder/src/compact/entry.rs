//! The sample entries of AV1 and VP9: what a player must know before the first picture.
use portcullis_export::Boxes;
use portcullis_rfb::Size;

use super::encode::Codec;

/// VP9's level 5.1: whatever the size of a screen.
const VP9_LEVEL: u8 = 51;
/// BT.709, of primaries, transfer and matrix (ITU-T H.273).
const BT709: u8 = 1;

/// The sample entry of a film whose first picture is `first`; `None` when that has no sequence header.
pub(super) fn of(codec: Codec, size: Size, first: &[u8]) -> Option<Vec<u8>> {
    let mut out = Boxes::default();
    match codec {
        Codec::Vp9 => {
            // 8 bits, 4:2:0 as in MPEG-2, limited range; no initialisation (VP Codec ISO Media File Format Binding §2.2).
            let record = [0, VP9_LEVEL, 0x80, BT709, BT709, BT709, 0, 0];
            out.within(b"vp09", |out| visual(out, size).full(b"vpcC", 1, 0, |out| out.bytes(&record)));
        }
        Codec::Av1 => {
            let header = sequence_header(first)?;
            // Marker and version; profile 0 and level; 8 bits, 4:2:0, position unknown (AV1 in ISOBMFF §2.3.3).
            let record = [0x81, level(header)?, 0x0c, 0];
            out.within(b"av01", |out| visual(out, size).within(b"av1C", |out| out.bytes(&record).bytes(header)));
        }
    }
    Some(out.finish())
}

/// A visual sample entry before the boxes in it (ISO/IEC 14496-12 §12.1.3), and its colours.
fn visual(out: &mut Boxes, size: Size) -> &mut Boxes {
    out.u32(0).u16(0).u16(1).u32s(&[0; 4]).u16(size.width).u16(size.height);
    out.u32(0x0048_0000).u32(0x0048_0000).u32(0).u16(1).u32s(&[0; 8]).u16(24).u16(u16::MAX);
    out.within(b"colr", |out| out.bytes(b"nclx").u16(1).u16(1).u16(1).bytes(&[0]))
}

/// The sequence header OBU at the front of a key picture, whole (AV1 §5.3): type 1, with a size.
fn sequence_header(first: &[u8]) -> Option<&[u8]> {
    let (header, rest) = first.split_first()?;
    let (size, _) = rest.split_first()?;
    let is_one = header >> 3 & 0xf == 1 && header & 2 != 0 && header & 4 == 0 && *size < 0x80;
    first.get(..usize::from(*size).checked_add(2)?).filter(|_| is_one)
}

/// seq_level_idx of the first operating point, where neither timing nor display delay is told (AV1 §5.5.1); else the level that
/// says nothing.
fn level(header: &[u8]) -> Option<u8> {
    let payload = header.get(2..)?;
    let flags = *payload.first()?;
    // seq_profile 0; still_picture, reduced header, timing_info_present_flag absent.
    let plain = flags & 0b1111_1100 == 0;
    if flags >> 5 != 0 {
        return None;
    }
    Some(if plain { payload.get(3)? >> 3 } else { 31 })
}
