//! What a CMAF header says that a film needs of it: the sample entry, the size, and H.264's parameter sets.

/// The largest init segment that is read.
pub const MAX_INIT_BYTES: u64 = 64 * 1024;

/// The header of the segments of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// The one sample entry, a whole box (ISO/IEC 14496-12 §8.5.2): `avc1`, `vp09` or `av01`.
    pub entry: Vec<u8>,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// H.264's parameter sets as they stand in a sample, each behind four bytes of length; empty for other codecs.
    pub sets: Vec<u8>,
}

/// The boxes that lead from the file to its sample entry.
const WAY: [&[u8; 4]; 6] = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"];
/// Bytes of a visual sample entry before the boxes in it, its own header included (ISO/IEC 14496-12 §12.1.3).
const ENTRY_FRONT: usize = 86;

impl Init {
    /// Reads a header; `None` when it has another form.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let stsd = WAY.iter().try_fold(bytes, |within, kind| Some(child(within, kind)?.1))?;
        let (front, entries) = stsd.split_first_chunk::<8>()?;
        if front != &[0, 0, 0, 0, 0, 0, 0, 1] {
            return None;
        }
        let kind: [u8; 4] = *entries.get(4..)?.first_chunk()?;
        let (entry, _) = child(entries, &kind).filter(|(entry, _)| entry.len() == entries.len())?;
        let number = |place: usize| Some(u16::from_be_bytes(*entry.get(place..)?.first_chunk()?));
        let (width, height) = (number(32)?, number(34)?);
        if width == 0 || height == 0 {
            return None;
        }
        let sets = match &kind {
            b"avc1" => sets(child(entry.get(ENTRY_FRONT..)?, b"avcC")?.1)?,
            b"vp09" | b"av01" => Vec::new(),
            _ => return None,
        };
        Some(Self { entry: entry.to_vec(), width, height, sets })
    }
}

/// The first box `kind` among these: the whole of it, and its content.
fn child<'a>(mut boxes: &'a [u8], kind: &[u8; 4]) -> Option<(&'a [u8], &'a [u8])> {
    loop {
        let length = usize::try_from(u32::from_be_bytes(*boxes.first_chunk()?)).ok()?;
        let (whole, rest) = boxes.split_at_checked(length)?;
        let content = whole.get(8..)?;
        if whole.get(4..8)? == kind {
            return Some((whole, content));
        }
        boxes = rest;
    }
}

/// SPS and PPS of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1), four bytes of length before each.
fn sets(record: &[u8]) -> Option<Vec<u8>> {
    let (front, mut rest) = record.split_at_checked(5)?;
    // Lengths of four bytes, as the samples have them.
    if front.last()? & 3 != 3 {
        return None;
    }
    let mut found = Vec::new();
    for mask in [0x1f, 0xff] {
        let (count, behind) = rest.split_first()?;
        rest = behind;
        for _ in 0..count & mask {
            let (length, behind) = rest.split_first_chunk::<2>()?;
            let length = u16::from_be_bytes(*length);
            let (unit, behind) = behind.split_at_checked(usize::from(length))?;
            found.extend_from_slice(&u32::from(length).to_be_bytes());
            found.extend_from_slice(unit);
            rest = behind;
        }
    }
    Some(found)
}
