//! Tracks of a progressive MP4 file (ISO/IEC 14496-12 §8): the film, the lines under it, the chapters.
use crate::boxes::Boxes;
use crate::cues::Cue;
use crate::reel::{LONGEST_US, Reel};

/// Ticks a second of everything: the media clock's microseconds.
pub(crate) const TICKS: u32 = 1_000_000;
/// "und" as packed by ISO 639-2/T.
const UNDETERMINED: u16 = 0x55c4;
/// Version 0: lengths in 32 bits. Version 1: in 64.
const LONG: u8 = 1;

/// One track. INVARIANT: its durations add up to its end, less where it starts.
pub(crate) struct Track<'a> {
    pub(crate) number: u32,
    /// Handler (§8.4.3) and its name.
    pub(crate) handler: &'static [u8; 4],
    pub(crate) name: &'static str,
    /// Enabled, in the movie, in the preview (§8.3.2).
    pub(crate) flags: u32,
    pub(crate) start_us: u64,
    pub(crate) end_us: u64,
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// How far down the picture it is placed.
    pub(crate) down: u16,
    pub(crate) entries: Vec<&'a [u8]>,
    pub(crate) durations: Vec<u32>,
    pub(crate) sizes: Vec<u32>,
    /// Samples to begin at, from 1; `None` where all are.
    pub(crate) keys: Option<Vec<u32>>,
    pub(crate) chunks: Vec<Placed>,
    /// The track that has its chapters.
    pub(crate) chapters: Option<u32>,
}

/// Where a chunk lies in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) offset: u64,
    pub(crate) samples: u32,
    /// Its sample entry, from 1.
    pub(crate) entry: u32,
}

impl Track<'_> {
    /// The `trak` box.
    pub(crate) fn write(&self, out: &mut Boxes, created: u64) {
        let lasts = self.end_us.saturating_sub(self.start_us);
        out.within(b"trak", |out| {
            out.full(b"tkhd", LONG, self.flags, |out| {
                out.u64(created).u64(created).u32(self.number).u32(0).u64(self.end_us).u32s(&[0, 0]);
                // Layer: texts before the picture. Each kind of track is an alternative to its own alone.
                out.u16(if self.down == 0 { 0 } else { u16::MAX }).u16(0).u16(0).u16(0);
                let down = u32::from(self.down) << 16;
                out.u32s(&[0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, down, 0x4000_0000]);
                out.u32(u32::from(self.width) << 16).u32(u32::from(self.height) << 16)
            });
            if self.start_us > 0 {
                // Nothing is shown until the first picture (§8.6.6).
                out.within(b"edts", |out| {
                    out.full(b"elst", LONG, 0, |out| {
                        out.u32(2).u64(self.start_us).u64(u64::MAX).u32(0x0001_0000);
                        out.u64(lasts).u64(0).u32(0x0001_0000)
                    })
                });
            }
            if let Some(chapters) = self.chapters {
                out.within(b"tref", |out| out.within(b"chap", |out| out.u32(chapters)));
            }
            out.within(b"mdia", |out| {
                out.full(b"mdhd", LONG, 0, |out| {
                    out.u64(created).u64(created).u32(TICKS).u64(lasts).u16(UNDETERMINED).u16(0)
                });
                out.full(b"hdlr", 0, 0, |out| {
                    out.u32(0).bytes(self.handler).u32s(&[0; 3]).bytes(self.name.as_bytes()).bytes(&[0])
                });
                out.within(b"minf", |out| self.media(out))
            })
        });
    }

    fn media<'b>(&self, out: &'b mut Boxes) -> &'b mut Boxes {
        match self.handler {
            b"vide" => out.full(b"vmhd", 0, 1, |out| out.u32s(&[0; 2])),
            _ => out.full(b"nmhd", 0, 0, |out| out),
        };
        out.within(b"dinf", |out| out.full(b"dref", 0, 0, |out| out.u32(1).full(b"url ", 0, 1, |out| out)));
        out.within(b"stbl", |out| {
            out.full(b"stsd", 0, 0, |out| {
                out.u32(count(self.entries.len()));
                self.entries.iter().fold(out, |out, entry| out.bytes(entry))
            });
            self.times(out);
            if let Some(keys) = &self.keys {
                out.full(b"stss", 0, 0, |out| out.u32(count(keys.len())).u32s(keys));
            }
            self.places(out);
            out.full(b"stsz", 0, 0, |out| out.u32(0).u32(count(self.sizes.len())).u32s(&self.sizes));
            out.full(b"co64", 0, 0, |out| {
                out.u32(count(self.chunks.len()));
                self.chunks.iter().fold(out, |out, chunk| out.u64(chunk.offset))
            })
        })
    }

    /// `stts` (§8.6.1.2): runs of samples of one duration.
    fn times(&self, out: &mut Boxes) {
        let mut runs: Vec<[u32; 2]> = Vec::new();
        for duration in &self.durations {
            match runs.last_mut() {
                Some([many, same]) if same == duration => *many += 1,
                _ => runs.push([1, *duration]),
            }
        }
        out.full(b"stts", 0, 0, |out| {
            out.u32(count(runs.len()));
            runs.iter().fold(out, |out, run| out.u32s(run))
        });
    }

    /// `stsc` (§8.7.4): runs of chunks with as many samples and the same entry.
    fn places(&self, out: &mut Boxes) {
        let mut runs: Vec<[u32; 3]> = Vec::new();
        for (number, chunk) in (1_u32..).zip(&self.chunks) {
            let same = |[_, samples, entry]: &[u32; 3]| (*samples, *entry) == (chunk.samples, chunk.entry);
            if !runs.last().is_some_and(same) {
                runs.push([number, chunk.samples, chunk.entry]);
            }
        }
        out.full(b"stsc", 0, 0, |out| {
            out.u32(count(runs.len()));
            runs.iter().fold(out, |out, run| out.u32s(run))
        });
    }
}

/// The track of the pictures, the first chunk at `offset`.
pub(crate) fn film(reel: &Reel, mut offset: u64, chapters: u32) -> Track<'_> {
    let chunks = reel.chunks.iter().map(|chunk| {
        let placed = Placed { offset, samples: count(chunk.count), entry: count(chunk.entry + 1) };
        offset = offset.saturating_add(reel.bytes_of(chunk));
        placed
    });
    Track {
        chunks: chunks.collect(),
        number: 1,
        handler: b"vide",
        name: "screen",
        flags: 7,
        start_us: reel.start_us,
        end_us: reel.end_us,
        width: reel.width,
        height: reel.height,
        down: 0,
        entries: reel.entries.iter().map(Vec::as_slice).collect(),
        durations: reel.durations.clone(),
        sizes: reel.sizes.clone(),
        keys: Some(reel.keys.iter().map(|key| count(key + 1)).collect()),
        chapters: Some(chapters),
    }
}

/// Texts as samples of 3GPP timed text (3GPP TS 26.245 §5.17): for all of the time, empty where there is none.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    pub(crate) durations: Vec<u32>,
    pub(crate) sizes: Vec<u32>,
    pub(crate) bytes: Vec<u8>,
}

impl Texts {
    pub(crate) fn of(cues: &[Cue], end_us: u64) -> Self {
        let (mut texts, mut at_us) = (Self::default(), 0);
        for cue in cues {
            texts.add("", cue.from_us.saturating_sub(at_us));
            texts.add(&cue.text, cue.to_us.saturating_sub(cue.from_us));
            at_us = cue.to_us;
        }
        texts.add("", end_us.saturating_sub(at_us));
        texts
    }

    fn add(&mut self, text: &str, mut lasts_us: u64) {
        while lasts_us > 0 {
            let part = lasts_us.min(LONGEST_US);
            let length = u16::try_from(text.len()).unwrap_or(0);
            self.durations.push(u32::try_from(part).unwrap_or(u32::MAX));
            self.sizes.push(u32::from(length) + 2);
            self.bytes.extend_from_slice(&length.to_be_bytes());
            self.bytes.extend_from_slice(text.get(..usize::from(length)).unwrap_or_default().as_bytes());
            lasts_us -= part;
        }
    }
}

/// The sample entry of texts: white, at the bottom, in the middle (3GPP TS 26.245 §5.16).
pub(crate) fn text_entry() -> Vec<u8> {
    let mut out = Boxes::default();
    out.within(b"tx3g", |out| {
        out.u32(0).u16(0).u16(1);
        // No flags; middle, bottom; a background that is half black.
        out.u32(0).bytes(&[1, 0xff]).u32(0x0000_0080);
        // The whole box; from no character to none; font 1, plain, 18 pixels, white.
        out.u32s(&[0, 0]).u32(0).u16(1).bytes(&[0, 18]).u32(u32::MAX);
        out.within(b"ftab", |out| out.u16(1).u16(1).bytes(&[10]).bytes(b"Sans-Serif"))
    });
    out.finish()
}

/// As the tables count; they are far below what 32 bits hold.
pub(crate) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
