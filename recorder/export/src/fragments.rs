//! The fragments of a CMAF segment (ISO/IEC 23000-19), read from first to last without going back.
//!
//! What recorders write is known box by box, and nothing else is taken: `styp`, then `moof` with one `traf` of `tfhd`, `tfdt` and
//! one `trun` of durations, sizes and flags, then the `mdat` of its samples.
use std::io::{self, Read};

use crate::long;

/// The most samples of one fragment.
const MAX_SAMPLES: u32 = 40_000;
/// The largest `moof`: its samples at twelve bytes each, and its fixed boxes.
const MAX_MOOF: u32 = MAX_SAMPLES * 12 + 1024;
/// `sample_is_non_sync_sample` (ISO/IEC 14496-12 §8.8.3.1).
const NON_SYNC: u32 = 0x0001_0000;

/// One picture of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Its time, microseconds since the session's start.
    pub at_us: u64,
    /// How long it is shown, microseconds.
    pub duration_us: u32,
    /// Its length in bytes.
    pub bytes: u32,
    /// Whether it leans on no other picture.
    pub key: bool,
}

/// A segment that is being read.
#[derive(Debug)]
pub struct Fragments<R> {
    inner: R,
    begun: bool,
}

impl<R: Read> Fragments<R> {
    /// The fragments of the segment file that `reader` reads.
    pub fn new(reader: R) -> Self {
        Self { inner: reader, begun: false }
    }

    /// The samples of the next fragment; their bytes follow in the reader, one behind the other, and must be read before the
    /// next one is asked for. `None` at the end of the file.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] with what is wrong; what the reader gives.
    pub fn next_samples(&mut self) -> io::Result<Option<Vec<Sample>>> {
        if !self.begun {
            self.begun = true;
            let (kind, length) = self.header()?.ok_or_else(|| invalid("the file is empty"))?;
            if &kind != b"styp" || length > 64 {
                return Err(invalid("it does not begin with styp"));
            }
            self.body(length)?;
        }
        let Some((kind, length)) = self.header()? else { return Ok(None) };
        if &kind != b"moof" || length > MAX_MOOF {
            return Err(invalid("a box that is no moof"));
        }
        let moof = self.body(length)?;
        let samples = samples(&moof).ok_or_else(|| invalid("a moof of another form"))?;
        let bytes = samples.iter().fold(8_u64, |sum, sample| sum.saturating_add(u64::from(sample.bytes)));
        match self.header()? {
            Some((kind, length)) if &kind == b"mdat" && u64::from(length).saturating_add(8) == bytes => {
                Ok(Some(samples))
            }
            _ => Err(invalid("a moof without its mdat")),
        }
    }

    /// The reader, to read samples from.
    pub fn reader(&mut self) -> &mut R {
        &mut self.inner
    }

    /// The reader, behind what was read.
    pub fn into_reader(self) -> R {
        self.inner
    }

    /// Reads past so many bytes of samples.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let read = io::copy(&mut (&mut self.inner).take(bytes), &mut io::sink())?;
        if read == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Type and length of the next box, less the header; `None` at the end.
    fn header(&mut self) -> io::Result<Option<([u8; 4], u32)>> {
        let mut header = Vec::with_capacity(8);
        (&mut self.inner).take(8).read_to_end(&mut header)?;
        let Some((length, kind)) = header.split_first_chunk::<4>() else {
            return if header.is_empty() { Ok(None) } else { Err(invalid("torn")) };
        };
        let kind: [u8; 4] = kind.try_into().map_err(|_| invalid("torn"))?;
        let length = u32::from_be_bytes(*length).checked_sub(8).ok_or_else(|| invalid("a box without a length"))?;
        Ok(Some((kind, length)))
    }

    /// The caller has capped the length.
    fn body(&mut self, length: u32) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        (&mut self.inner).take(u64::from(length)).read_to_end(&mut body)?;
        if long(body.len()) == u64::from(length) { Ok(body) } else { Err(invalid("torn")) }
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// The samples that the content of a `moof` describes, if it is of the form that is written.
fn samples(moof: &[u8]) -> Option<Vec<Sample>> {
    let mut rest = moof;
    let _number = take(&mut rest, b"mfhd", 8)?;
    let mut traf = take_any(&mut rest, b"traf")?;
    let _track = take(&mut traf, b"tfhd", 8)?;
    let time = take(&mut traf, b"tfdt", 12)?;
    let trun = take_any(&mut traf, b"trun")?;
    let (flags, trun) = trun.split_first_chunk::<4>()?;
    let (count, trun) = trun.split_first_chunk::<4>()?;
    let (_offset, entries) = trun.split_first_chunk::<4>()?;
    let count = u32::from_be_bytes(*count);
    let known = u32::from_be_bytes(*flags) == 0x0701 && time.starts_with(&[1, 0, 0, 0]);
    let whole = rest.is_empty() && traf.is_empty() && long(entries.len()) == u64::from(count).checked_mul(12)?;
    if !known || !whole || count == 0 || count > MAX_SAMPLES {
        return None;
    }
    let mut at_us = u64::from_be_bytes(*time.get(4..)?.first_chunk()?);
    let number = |entry: &[u8], place: usize| Some(u32::from_be_bytes(*entry.get(place..)?.first_chunk()?));
    let mut found = Vec::with_capacity(entries.len() / 12);
    for entry in entries.chunks_exact(12) {
        let (duration_us, bytes) = (number(entry, 0)?, number(entry, 4)?);
        found.push(Sample { at_us, duration_us, bytes, key: number(entry, 8)? & NON_SYNC == 0 });
        at_us = at_us.checked_add(u64::from(duration_us))?;
    }
    Some(found)
}

/// The content of the box `kind` at the front, which is taken off.
fn take_any<'a>(rest: &mut &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?.checked_sub(8)?;
    let (content, behind) = behind.strip_prefix(kind)?.split_at_checked(length)?;
    *rest = behind;
    Some(content)
}

/// The same for a box whose content has a known length.
fn take<'a>(rest: &mut &'a [u8], kind: &[u8; 4], length: usize) -> Option<&'a [u8]> {
    take_any(rest, kind).filter(|content| content.len() == length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Boxes;

    fn segment(times: &[(u64, u32, u32)]) -> Vec<u8> {
        let mut out = Boxes::default();
        out.within(b"styp", |out| out.bytes(b"cmfs").u32(0));
        for (at_us, duration, flags) in times {
            out.within(b"moof", |out| {
                out.full(b"mfhd", 0, 0, |out| out.u32(1));
                out.within(b"traf", |out| {
                    out.full(b"tfhd", 0, 0x02_0000, |out| out.u32(1));
                    out.full(b"tfdt", 1, 0, |out| out.u64(*at_us));
                    out.full(b"trun", 0, 0x0701, |out| out.u32(1).u32(108).u32(*duration).u32(3).u32(*flags))
                })
            });
            out.within(b"mdat", |out| out.bytes(b"abc"));
        }
        out.finish()
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<Sample>> {
        let mut fragments = Fragments::new(bytes);
        let mut found = Vec::new();
        while let Some(samples) = fragments.next_samples()? {
            fragments.skip(samples.iter().map(|sample| u64::from(sample.bytes)).sum())?;
            found.extend(samples);
        }
        Ok(found)
    }

    #[test]
    fn samples_have_their_times() {
        let found = read(&segment(&[(5, 10, 0x0200_0000), (15, 7, 0x0101_0000)])).unwrap();
        assert_eq!(found[0], Sample { at_us: 5, duration_us: 10, bytes: 3, key: true });
        assert_eq!(found[1], Sample { at_us: 15, duration_us: 7, bytes: 3, key: false });
    }

    #[test]
    fn whatever_is_torn_or_changed_is_an_error_or_other_samples_and_never_a_panic() {
        let whole = segment(&[(5, 10, 0), (15, 7, 0x0001_0000)]);
        for end in 0..whole.len() {
            let found = read(&whole[..end]);
            assert!(found.is_err() || found.is_ok_and(|found| found.len() < 2), "{end}");
        }
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x81;
            let _ = read(&bytes);
        }
    }
}
