//! The front of a progressive MP4 file: everything a player must know stands before the first picture.
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use portcullis_evidence::Listing;

use crate::boxes::Boxes;
use crate::cues::Cues;
use crate::film::Standing;
use crate::long;
use crate::reel::Reel;
use crate::tags;
use crate::track::{Placed, TICKS, Texts, Track, count, film, text_entry};

/// From 1904, where MP4 counts from, to 1970, in seconds.
const EPOCH: i64 = 2_082_844_800;
/// The numbers of the tracks.
const LINES: u32 = 2;
const CHAPTERS: u32 = 3;

/// A front that is ready, and the texts that lie behind it before the pictures.
pub(crate) struct Front {
    pub(crate) bytes: Vec<u8>,
    pub(crate) lines: Texts,
    pub(crate) chapters: Texts,
    /// Bytes of texts and pictures.
    pub(crate) media: u64,
}

impl Front {
    /// The front of a film.
    pub(crate) fn of(listing: &Listing, standing: &Standing, reel: &Reel, cues: &Cues) -> Self {
        let lines = Texts::of(&cues.lines, reel.end_us);
        let chapters = Texts::of(&cues.chapters, reel.end_us);
        let texts = long(lines.bytes.len()).saturating_add(long(chapters.bytes.len()));
        let pictures: u64 = reel.sizes.iter().map(|size| u64::from(*size)).sum();
        let mut front = Self { bytes: Vec::new(), lines, chapters, media: texts.saturating_add(pictures) };
        // Offsets have one width, so that the first attempt has the length of the second.
        for _ in 0..2 {
            front.bytes = front.build(listing, standing, reel);
        }
        front
    }

    fn build(&self, listing: &Listing, standing: &Standing, reel: &Reel) -> Vec<u8> {
        let lines_at = long(self.bytes.len());
        let chapters_at = lines_at.saturating_add(long(self.lines.bytes.len()));
        let film_at = chapters_at.saturating_add(long(self.chapters.bytes.len()));
        let created = OffsetDateTime::parse(&listing.manifest.started, &Rfc3339).map_or(0, |at| at.unix_timestamp());
        let created = u64::try_from(created.saturating_add(EPOCH)).unwrap_or(0);
        let entry = text_entry();
        let mut out = Boxes::default();
        out.within(b"ftyp", |out| out.bytes(b"isom").u32(0x200).bytes(b"isomiso6mp42"));
        out.within(b"moov", |out| {
            out.full(b"mvhd", 1, 0, |out| {
                out.u64(created).u64(created).u32(TICKS).u64(reel.end_us);
                // Rate 1, volume 1, reserved; unity matrix; pre-defined; the next track's number.
                out.u32(0x0001_0000).u16(0x0100).u16(0).u32s(&[0; 2]);
                out.u32s(&[0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000]).u32s(&[0; 6]).u32(CHAPTERS + 1)
            });
            film(reel, film_at, CHAPTERS).write(out, created);
            let lines = Track { handler: b"sbtl", name: "events", ..texts(&self.lines, lines_at, &entry, reel) };
            lines.write(out, created);
            // Not enabled: a player lists chapters, and shows them to nobody.
            let chapters = texts(&self.chapters, chapters_at, &entry, reel);
            Track { number: CHAPTERS, handler: b"text", name: "chapters", flags: 0, ..chapters }.write(out, created);
            tags::write(out, listing, standing);
            out
        });
        // A box of 64 bits of length: the media may be longer than 4 GiB.
        out.u32(1).bytes(b"mdat").u64(self.media.saturating_add(16));
        out.finish()
    }
}

fn texts<'a>(texts: &Texts, offset: u64, entry: &'a [u8], reel: &Reel) -> Track<'a> {
    let height = reel.height / 6;
    Track {
        number: LINES,
        handler: b"sbtl",
        name: "",
        flags: 7,
        start_us: 0,
        end_us: reel.end_us,
        width: reel.width,
        height,
        down: reel.height - height,
        entries: vec![entry],
        durations: texts.durations.clone(),
        sizes: texts.sizes.clone(),
        keys: None,
        chunks: vec![Placed { offset, samples: count(texts.sizes.len()), entry: 1 }],
        chapters: None,
    }
}
