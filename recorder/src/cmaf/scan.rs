//! Reading back a segment file of ours that was being written when its gate was killed.
use std::io::{self, Read, Seek, SeekFrom};

use super::SAMPLE_OFFSET;
use crate::number::long;

/// Bytes of a fragment before its sample.
const FRONT: usize = 108;

/// One whole fragment of a segment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// Time of its picture, microseconds.
    pub(crate) at_us: u64,
    /// Its duration as it stands in the file; 0 when it was not known.
    pub(crate) duration_us: u32,
    /// Where in the file the four bytes of the duration lie.
    pub(crate) duration: u64,
    /// Behind its last byte.
    pub(crate) end: u64,
}

/// The whole fragments of a segment file in their order. What follows the last one is torn.
pub(crate) fn scan(file: &mut (impl Read + Seek)) -> io::Result<Vec<Fragment>> {
    let mut found = Vec::new();
    let length = file.seek(SeekFrom::End(0))?;
    let mut place = long(super::segment_type().len());
    while place + long(FRONT) <= length {
        file.seek(SeekFrom::Start(place))?;
        let mut front = [0u8; FRONT];
        file.read_exact(&mut front)?;
        let Some(fragment) = fragment(&front, place).filter(|fragment| fragment.end <= length) else {
            break;
        };
        place = fragment.end;
        found.push(fragment);
    }
    Ok(found)
}

/// The fragment that begins with these bytes, if they are what [`super::fragment`] writes.
fn fragment(front: &[u8; FRONT], start: u64) -> Option<Fragment> {
    let number = |place: usize| -> Option<u32> { Some(u32::from_be_bytes(*front.get(place..)?.first_chunk()?)) };
    let at_us = u64::from_be_bytes(*front.get(60..)?.first_chunk()?);
    let (duration_us, length) = (number(DURATION)?, number(DURATION + 4)?);
    let mut model = super::fragment(number(20)?, at_us, number(DURATION + 8)? == super::KEY, &[]).bytes;
    let end = start + long(FRONT) + u64::from(length);
    // The model's sample is empty: put in the true lengths, then the fronts must be the same.
    let patches = [(DURATION, duration_us), (DURATION + 4, length), (FRONT - 8, length + 8)];
    for (place, value) in patches {
        *model.get_mut(place..)?.first_chunk_mut()? = value.to_be_bytes();
    }
    let duration = start + long(DURATION);
    (model == front).then_some(Fragment { at_us, duration_us, duration, end })
}

/// Where in a fragment the duration lies.
const DURATION: usize = 88;

const _: () = assert!(FRONT == 108 && SAMPLE_OFFSET == 108);
