//! The pictures of a whole recording in their order: which file each chunk is in, how long each is shown, what stands in the gaps.
use std::io;

use portcullis_evidence::{FileHash, Link, Listing, PathInBundle, Source};

use crate::blank::Blank;
use crate::checked::{Checked, whole};
use crate::error::ExportError;
use crate::fragments::{Fragments, Sample};
use crate::init::{Init, MAX_INIT_BYTES};
use crate::long;

/// The most pictures of one film: 37 hours of 30 a second.
const MAX_PICTURES: usize = 4_000_000;
/// The longest that one sample says it lasts: a number of 32 bits would do for 71 minutes.
pub(crate) const LONGEST_US: u64 = 3_600_000_000;

/// Pictures that lie one behind the other in the film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) piece: Piece,
    /// Which sample entry, from 0.
    pub(crate) entry: usize,
    /// Its first picture, from 0.
    pub(crate) first: usize,
    /// How many.
    pub(crate) count: usize,
}

/// Where a chunk's pictures come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A segment of the bundle.
    Video(FileHash),
    /// The grey one.
    Blank(Blank),
}

/// All pictures. INVARIANT: each begins where the one before ends, the first at `start_us`.
#[derive(Debug, Default)]
pub(crate) struct Reel {
    /// Sample entries; the first is of the first picture.
    pub(crate) entries: Vec<Vec<u8>>,
    /// H.264's parameter sets of each entry.
    pub(crate) sets: Vec<Vec<u8>>,
    pub(crate) chunks: Vec<Chunk>,
    /// How long each picture is shown, microseconds.
    pub(crate) durations: Vec<u32>,
    /// The bytes of each.
    pub(crate) sizes: Vec<u32>,
    /// Those that lean on no other, rising.
    pub(crate) keys: Vec<usize>,
    /// When the first one is shown.
    pub(crate) start_us: u64,
    /// When the last one ends.
    pub(crate) end_us: u64,
    /// The largest picture.
    pub(crate) width: u16,
    /// The largest picture.
    pub(crate) height: u16,
    /// The newest picture's time.
    at_us: u64,
    /// Since when there has been no picture.
    hole_us: Option<u64>,
    /// The newest init segment: its entry, and the size.
    current: Option<(usize, u16, u16)>,
}

impl Reel {
    /// Looks through all video of the bundle. `strict`: what is not as it was signed is an error, else it is left out.
    pub(crate) fn wind(source: &dyn Source, listing: &Listing, strict: bool) -> Result<Self, ExportError> {
        let mut reel = Self::default();
        for link in &listing.links {
            match reel.link(source, link, strict) {
                Err(error) if strict || matches!(error, ExportError::TooMany(_)) => return Err(error),
                Ok(true) => reel.end_us = reel.end_us.max(link.to_us),
                Ok(false) | Err(_) if link.from_us < link.to_us => {
                    reel.hole_us.get_or_insert(reel.end_us);
                    reel.end_us = reel.end_us.max(link.to_us);
                }
                Ok(false) | Err(_) => {}
            }
        }
        if reel.durations.is_empty() {
            return Err(ExportError::NoVideo);
        }
        reel.end_us = reel.end_us.max(reel.at_us.saturating_add(1));
        reel.fill_until(reel.end_us)?;
        reel.put_sets_in_band();
        Ok(reel)
    }

    /// Takes a link's video in; false when it has none.
    fn link(&mut self, source: &dyn Source, link: &Link, strict: bool) -> Result<bool, ExportError> {
        let mut found = false;
        for listed in &link.files {
            match listed.path {
                PathInBundle::Init(_) => {
                    self.current = None;
                    self.current = Some(self.init(source, listed, strict)?);
                }
                PathInBundle::Video(_) => found = self.video(source, listed, strict)?,
                _ => {}
            }
        }
        Ok(found)
    }

    fn init(&mut self, source: &dyn Source, listed: &FileHash, strict: bool) -> Result<(usize, u16, u16), ExportError> {
        let (bytes, same) = whole(source, listed, MAX_INIT_BYTES)?;
        if strict && !same {
            return Err(ExportError::Changed(listed.path));
        }
        let init = Init::from_bytes(&bytes).ok_or(ExportError::Video(listed.path, "a header of another form"))?;
        (self.width, self.height) = (self.width.max(init.width), self.height.max(init.height));
        Ok((self.entry(init.entry, init.sets), init.width, init.height))
    }

    fn entry(&mut self, entry: Vec<u8>, sets: Vec<u8>) -> usize {
        self.entries.iter().position(|held| *held == entry).unwrap_or_else(|| {
            self.entries.push(entry);
            self.sets.push(sets);
            self.entries.len() - 1
        })
    }

    fn video(&mut self, source: &dyn Source, listed: &FileHash, strict: bool) -> Result<bool, ExportError> {
        let Some((entry, ..)) = self.current else {
            return Err(ExportError::Video(listed.path, "no header came before"));
        };
        let mut fragments = Fragments::new(Checked::open(source, listed)?);
        let first = self.durations.len();
        let read = self.samples(&mut fragments, entry, listed);
        match read {
            Ok(()) if fragments.into_reader().finish()? || !strict => {}
            Ok(()) => return Err(ExportError::Changed(listed.path)),
            // Of a segment that breaks off, what is whole.
            Err(error) if strict || matches!(error, ExportError::TooMany(_)) => return Err(error),
            Err(_) => {}
        }
        Ok(self.durations.len() > first)
    }

    fn samples(
        &mut self,
        fragments: &mut Fragments<Checked<'_>>,
        entry: usize,
        listed: &FileHash,
    ) -> Result<(), ExportError> {
        let path = listed.path;
        let mut begun = false;
        loop {
            let samples = fragments.next_samples().map_err(|error| unread(path, error))?;
            let Some(samples) = samples else { return Ok(()) };
            for sample in samples {
                fragments.skip(u64::from(sample.bytes)).map_err(|error| unread(path, error))?;
                if !self.durations.is_empty() && sample.at_us <= self.at_us {
                    return Err(ExportError::Video(path, "times that do not rise"));
                }
                if !begun && !sample.key {
                    return Err(ExportError::Video(path, "it does not begin with a key picture"));
                }
                self.fill_until(sample.at_us)?;
                if !begun {
                    let (piece, first) = (Piece::Video(*listed), self.durations.len());
                    self.chunks.push(Chunk { piece, entry, first, count: 0 });
                    begun = true;
                }
                self.push(sample)?;
            }
        }
    }

    fn push(&mut self, sample: Sample) -> Result<(), ExportError> {
        if self.durations.len() >= MAX_PICTURES {
            return Err(ExportError::TooMany("pictures"));
        }
        if self.durations.is_empty() {
            self.start_us = sample.at_us;
        }
        if sample.key {
            self.keys.push(self.durations.len());
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.count += 1;
        }
        self.durations.push(0);
        self.sizes.push(sample.bytes);
        self.at_us = sample.at_us;
        Ok(())
    }

    /// The newest picture is shown until `at_us`; where there was none for a while, until then, and grey from there on.
    fn fill_until(&mut self, at_us: u64) -> Result<(), ExportError> {
        let hole_us = self.hole_us.take().filter(|from_us| *from_us < at_us && *from_us > self.at_us);
        let drawable = self.current.filter(|(entry, ..)| self.sets.get(*entry).is_some_and(|sets| !sets.is_empty()));
        let (Some(mut from_us), Some((_, width, height)), false) = (hole_us, drawable, self.durations.is_empty())
        else {
            return self.extend(at_us);
        };
        self.extend(from_us)?;
        let blank = Blank::of(width, height);
        let entry = self.entry(blank.entry(), Vec::new());
        for odd in [false, true].into_iter().cycle() {
            let bytes = u32::try_from(blank.sample(odd).len()).unwrap_or(u32::MAX);
            let (piece, first) = (Piece::Blank(blank.clone()), self.durations.len());
            self.chunks.push(Chunk { piece, entry, first, count: 0 });
            self.push(Sample { at_us: from_us, duration_us: 0, bytes, key: true })?;
            from_us = from_us.saturating_add(LONGEST_US).min(at_us);
            self.extend(from_us)?;
            if from_us >= at_us {
                break;
            }
        }
        Ok(())
    }

    fn extend(&mut self, at_us: u64) -> Result<(), ExportError> {
        let lasts = at_us.saturating_sub(self.at_us);
        if let Some(duration) = self.durations.last_mut() {
            *duration = u32::try_from(lasts).map_err(|_| ExportError::TooMany("hours without a picture"))?;
        }
        Ok(())
    }

    /// Where sizes change players are told twice: by the sample entry, and within the first sample of each chunk, as `avc3` permits.
    fn put_sets_in_band(&mut self) {
        if self.entries.len() < 2 {
            return;
        }
        for chunk in &self.chunks {
            if let (Piece::Video(_), Some(size)) = (&chunk.piece, self.sizes.get_mut(chunk.first)) {
                let sets = self.sets.get(chunk.entry).map_or(0, Vec::len);
                *size = size.saturating_add(u32::try_from(sets).unwrap_or(u32::MAX));
            }
        }
        for entry in &mut self.entries {
            if let Some(kind) = entry.get_mut(4..8).filter(|kind| *kind == b"avc1") {
                kind.copy_from_slice(b"avc3");
            }
        }
    }

    /// The bytes of a chunk.
    pub(crate) fn bytes_of(&self, chunk: &Chunk) -> u64 {
        let sizes = self.sizes.get(chunk.first..).unwrap_or_default();
        sizes.iter().take(chunk.count).map(|size| u64::from(*size)).sum()
    }

    /// Writes a chunk. `strict` as in [`Reel::wind`].
    pub(crate) fn copy(
        &self,
        source: &dyn Source,
        chunk: &Chunk,
        strict: bool,
        out: &mut dyn io::Write,
    ) -> Result<(), ExportError> {
        match &chunk.piece {
            Piece::Blank(blank) => {
                let sample = self.chunk_is_odd(chunk);
                out.write_all(&blank.sample(sample)).map_err(ExportError::Write)
            }
            Piece::Video(listed) => {
                if self.entries.len() > 1 {
                    let sets = self.sets.get(chunk.entry).map(Vec::as_slice).unwrap_or_default();
                    out.write_all(sets).map_err(ExportError::Write)?;
                }
                let mut fragments = Fragments::new(Checked::open(source, listed)?);
                copy_samples(&mut fragments, chunk, listed.path, out)?;
                let same = fragments.into_reader().finish()?;
                if strict && !same { Err(ExportError::Changed(listed.path)) } else { Ok(()) }
            }
        }
    }

    /// Two grey pictures in a row differ in `idr_pic_id`, as two IDR pictures must.
    fn chunk_is_odd(&self, chunk: &Chunk) -> bool {
        let before = self.chunks.iter().take_while(|other| other.first < chunk.first);
        before.fold(false, |odd, other| matches!(other.piece, Piece::Blank(_)) && !odd)
    }
}

fn copy_samples(
    fragments: &mut Fragments<Checked<'_>>,
    chunk: &Chunk,
    path: PathInBundle,
    out: &mut dyn io::Write,
) -> Result<(), ExportError> {
    let mut left = chunk.count;
    while left > 0 {
        let samples = fragments.next_samples().map_err(|error| unread(path, error))?;
        let samples = samples.ok_or(ExportError::Changed(path))?;
        for sample in samples.iter().take(left) {
            let copied = io::copy(&mut io::Read::take(fragments.reader(), u64::from(sample.bytes)), out);
            if copied.map_err(ExportError::Write)? != u64::from(sample.bytes) {
                return Err(ExportError::Changed(path));
            }
        }
        left = left.saturating_sub(samples.len());
    }
    Ok(())
}

/// What is wrong with the video, or with reading it.
fn unread(path: PathInBundle, error: io::Error) -> ExportError {
    if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) {
        return ExportError::Video(path, "boxes of another form, or cut off");
    }
    ExportError::Read(path, error)
}

/// How many pictures a film has.
pub(crate) fn pictures(reel: &Reel) -> u64 {
    long(reel.durations.len())
}
