//! CMAF (ISO/IEC 23000-19) by hand: a header for each size of the screen, and segments of one fragment a picture.
//!
//! The time scale is the media clock's, microseconds, and a picture's decode time is its time in the session: the video needs no
//! offset to go with the events. A fragment is complete when it is written, but for its duration, which is only known when the
//! next picture comes; [`Placed::duration`] says where to put it.
mod scan;

use portcullis_export::Boxes;
use portcullis_rfb::Size;
pub(crate) use scan::{Fragment, scan};

use crate::encoder::{ParameterSets, TICKS_PER_SECOND};
use crate::number::long;

/// The one track.
const TRACK: u32 = 1;
/// A picture that others lean on and that leans on none (ISO/IEC 14496-12 §8.8.3.1).
const KEY: u32 = 0x0200_0000;
/// A picture that leans on others and is no place to begin at.
const NOT_KEY: u32 = 0x0101_0000;
/// `3x3` unity matrix of movie and track headers.
const UNITY: [u32; 9] = [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000];
/// "und" as packed by ISO 639-2/T.
const UNDETERMINED: u16 = 0x55c4;

/// The header of a track (`init-0001.mp4`): what a player must know before the first segment.
pub(crate) fn header(size: Size, sets: &ParameterSets) -> Vec<u8> {
    let mut entry = Boxes::default();
    entry.within(b"avc1", |out| sample_entry(out, size, sets));
    header_with(size, b"iso6cmfcavc1", &entry.finish())
}

/// The header of a track of another codec, whose sample entry is at hand.
pub(crate) fn header_of(size: Size, entry: &[u8]) -> Vec<u8> {
    header_with(size, b"iso6cmfc", entry)
}

fn header_with(size: Size, brands: &[u8], entry: &[u8]) -> Vec<u8> {
    let mut out = Boxes::default();
    out.within(b"ftyp", |out| out.bytes(b"iso6").u32(0).bytes(brands));
    out.within(b"moov", |out| {
        out.full(b"mvhd", 0, 0, |out| {
            out.u32(0).u32(0).u32(TICKS_PER_SECOND).u32(0);
            // Rate 1, volume 1, reserved.
            out.u32(0x0001_0000).u16(0x0100).u16(0).u32(0).u32(0);
            out.u32s(&UNITY).u32s(&[0; 6]).u32(TRACK + 1)
        });
        out.within(b"trak", |out| {
            track_header(out, size);
            out.within(b"mdia", |out| media(out, entry))
        });
        out.within(b"mvex", |out| out.full(b"trex", 0, 0, |out| out.u32(TRACK).u32(1).u32(0).u32(0).u32(NOT_KEY)))
    });
    out.finish()
}

fn track_header(out: &mut Boxes, size: Size) {
    // Enabled, in the movie, in the preview.
    out.full(b"tkhd", 0, 7, |out| {
        out.u32(0).u32(0).u32(TRACK).u32(0).u32(0).u32(0).u32(0);
        out.u16(0).u16(0).u16(0).u16(0).u32s(&UNITY);
        out.u32(u32::from(size.width) << 16).u32(u32::from(size.height) << 16)
    });
}

fn media<'a>(out: &'a mut Boxes, entry: &[u8]) -> &'a mut Boxes {
    out.full(b"mdhd", 0, 0, |out| out.u32(0).u32(0).u32(TICKS_PER_SECOND).u32(0).u16(UNDETERMINED).u16(0));
    out.full(b"hdlr", 0, 0, |out| out.u32(0).bytes(b"vide").u32s(&[0; 3]).bytes(b"screen\0"));
    out.within(b"minf", |out| {
        out.full(b"vmhd", 0, 1, |out| out.u32s(&[0; 2]));
        out.within(b"dinf", |out| {
            // The media is in this file.
            out.full(b"dref", 0, 0, |out| out.u32(1).full(b"url ", 0, 1, |out| out))
        });
        out.within(b"stbl", |out| {
            out.full(b"stsd", 0, 0, |out| out.u32(1).bytes(entry));
            out.full(b"stts", 0, 0, |out| out.u32(0));
            out.full(b"stsc", 0, 0, |out| out.u32(0));
            out.full(b"stsz", 0, 0, |out| out.u32s(&[0; 2]));
            out.full(b"stco", 0, 0, |out| out.u32(0))
        })
    })
}

fn sample_entry<'a>(out: &'a mut Boxes, size: Size, sets: &ParameterSets) -> &'a mut Boxes {
    // Reserved, data reference 1, reserved.
    out.u32(0).u16(0).u16(1).u32s(&[0; 4]).u16(size.width).u16(size.height);
    // 72 dpi, one picture a sample, no compressor's name, depth 24.
    out.u32(0x0048_0000).u32(0x0048_0000).u32(0).u16(1).u32s(&[0; 8]).u16(24).u16(u16::MAX);
    out.within(b"avcC", |out| out.bytes(&sets.decoder_configuration()));
    // Colour primaries, transfer and matrix BT.709, limited range (ITU-T H.273).
    out.within(b"colr", |out| out.bytes(b"nclx").u16(1).u16(1).u16(1).bytes(&[0]));
    out.within(b"pasp", |out| out.u32(1).u32(1))
}

/// The box that begins a segment file.
pub(crate) fn segment_type() -> Vec<u8> {
    let mut out = Boxes::default();
    out.within(b"styp", |out| out.bytes(b"cmfs").u32(0).bytes(b"iso6cmfscmff"));
    out.finish()
}

/// A fragment ready to be written.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) bytes: Vec<u8>,
    /// Where in the bytes the four of the duration lie, big-endian, ticks; zero as they are.
    pub(crate) duration: u64,
}

/// The fragment of one picture, its duration to be filled in.
pub(crate) fn fragment(number: u32, at_us: u64, key: bool, sample: &[u8]) -> Placed {
    let length = u32::try_from(sample.len()).unwrap_or(u32::MAX);
    let mut duration = 0;
    let mut out = Boxes::with_capacity(sample.len() + 128);
    out.within(b"moof", |out| {
        out.full(b"mfhd", 0, 0, |out| out.u32(number));
        out.within(b"traf", |out| {
            // Offsets count from the moof box.
            out.full(b"tfhd", 0, 0x02_0000, |out| out.u32(TRACK));
            out.full(b"tfdt", 1, 0, |out| out.u64(at_us));
            // Data offset; duration, size and flags of the one sample.
            out.full(b"trun", 0, 0x0701, |out| {
                out.u32(1).u32(SAMPLE_OFFSET);
                duration = long(out.len());
                out.u32(0).u32(length).u32(if key { KEY } else { NOT_KEY })
            })
        })
    });
    out.within(b"mdat", |out| out.bytes(sample));
    Placed { bytes: out.finish(), duration }
}

/// The front of one fragment of many pictures (duration, bytes, whether it is a key one), which follow each other; their bytes come
/// behind it.
pub(crate) fn gathered(number: u32, at_us: u64, samples: &[(u32, u32, bool)]) -> Vec<u8> {
    let build = |offset: u32| {
        let mut out = Boxes::default();
        out.within(b"moof", |out| {
            out.full(b"mfhd", 0, 0, |out| out.u32(number));
            out.within(b"traf", |out| {
                out.full(b"tfhd", 0, 0x02_0000, |out| out.u32(TRACK));
                out.full(b"tfdt", 1, 0, |out| out.u64(at_us));
                out.full(b"trun", 0, 0x0701, |out| {
                    out.u32(u32::try_from(samples.len()).unwrap_or(u32::MAX)).u32(offset);
                    samples.iter().fold(out, |out, (duration, length, key)| {
                        out.u32(*duration).u32(*length).u32(if *key { KEY } else { NOT_KEY })
                    })
                })
            })
        });
        out
    };
    let length = u32::try_from(build(0).len()).unwrap_or(u32::MAX);
    let mut out = build(length.saturating_add(8));
    let media: u32 = samples.iter().fold(8, |sum, (_, length, _)| sum.saturating_add(*length));
    out.u32(media).bytes(b"mdat");
    out.finish()
}

/// From the beginning of a fragment's moof box to its sample: every one of our fragments is alike.
const SAMPLE_OFFSET: u32 = 8 + 16 + 8 + 16 + 20 + 32 + 8;

#[cfg(test)]
mod tests;
