//! What is read off the pictures of a sealed recording: the text that was on the screen, of what changed alone, and one small picture.
mod changes;
mod frames;
mod grid;
mod lines;
mod small;
mod tesseract;
#[cfg(test)]
mod tests;
mod tsv;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use portcullis_evidence::{Listing, MAX_THUMBNAIL_BYTES, ScreenLine, Source};
use portcullis_rfb::{Rect, Size};
use thiserror::Error;

use crate::compact::CompactError;
use changes::Changes;
use frames::{Shown, segments, walk};
use lines::{Found, Lines};
use small::Small;
use tesseract::Unread;
pub use tesseract::{Reader, ReaderError, ReaderSettings};

/// Segments of which one is looked at for a small picture.
const LOOKED_AT: usize = 8;
/// Regions that are read of one recording; behind them it ends.
const MAX_REGIONS: u64 = 60_000;
/// Regions one after the other that cannot be read before the whole is given up.
const MAX_FAILED: u64 = 5;

/// How much was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Pictures that were looked at.
    pub pictures: u64,
    /// Their pixels.
    pub shown: u64,
    /// Regions that were read.
    pub regions: u64,
    /// Of these, how many could not be.
    pub failed: u64,
    /// Pixels of these regions.
    pub pixels: u64,
}

/// The text of a recording.
#[derive(Debug)]
pub struct ReadText {
    /// Its lines, in the order in which they came up.
    pub lines: Vec<ScreenLine>,
    /// What it took.
    pub work: Work,
    /// Up to where was read, in milliseconds, where its bounds were reached.
    pub until_ms: Option<u64>,
    /// How it was read.
    pub settings: String,
}

/// Why nothing was read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The video is not what was signed, or cannot be decoded.
    #[error("the video cannot be looked at")]
    Video(#[source] CompactError),
    /// There is no video to look at.
    #[error("{0}")]
    Nothing(&'static str),
    /// Picture after picture could not be read.
    #[error("its pictures could not be read: {0}")]
    Unread(String),
    /// The small picture cannot be made.
    #[error("the small picture cannot be made: {0}")]
    Small(String),
    /// The gate stops.
    #[error("the gate stops")]
    Stopped,
}

/// Reads the text of a sealed recording whose bundle the caller has verified. Decodes each segment once; `stop` ends it early.
///
/// # Errors
/// [`ReadError`]; a region by itself that cannot be read is counted, and left out.
pub fn read_text(
    source: &dyn Source,
    listing: &Listing,
    reader: &Reader,
    stop: &AtomicBool,
) -> Result<ReadText, ReadError> {
    look(listing)?;
    let mut text =
        Text { reader, screen: None, lines: Lines::default(), work: Work::default(), in_a_row: 0, end_us: 0 };
    let mut cut = None;
    walk(source, listing, &|_| true, &mut |shown| {
        if stop.load(Ordering::Relaxed) {
            return Err(ReadError::Stopped);
        }
        if text.work.regions >= MAX_REGIONS || text.lines.are_full() {
            cut = Some(shown.at_us / 1000);
            return Ok(ControlFlow::Break(()));
        }
        text.see(&shown)?;
        Ok(ControlFlow::Continue(()))
    })?;
    if cut.is_none() {
        text.catch_up(text.end_us, true)?;
    }
    let (lines, settings) = (text.lines.finish(text.end_us), reader.settings());
    Ok(ReadText { lines, work: text.work, until_ms: cut, settings })
}

/// A small picture of a sealed recording: of those at the edges of some segments the one on which there is most to see.
///
/// # Errors
/// [`ReadError`].
pub fn thumbnail(source: &dyn Source, listing: &Listing, stop: &AtomicBool) -> Result<(Vec<u8>, Work), ReadError> {
    look(listing)?;
    let all = segments(listing);
    let step = all.div_ceil(LOOKED_AT).max(1);
    let (mut best, mut work): (Option<(usize, Small)>, Work) = (None, Work::default());
    walk(source, listing, &|number| number.checked_rem(step) == Some(step / 2) || all <= LOOKED_AT, &mut |shown| {
        if stop.load(Ordering::Relaxed) {
            return Err(ReadError::Stopped);
        }
        work.see(shown.size);
        if shown.is_edge {
            let detail = grid::detail(shown.size, &shown.luma());
            if best.as_ref().is_none_or(|(most, _)| detail > *most) {
                best = Small::of(shown.frame, shown.size).map(|small| (detail, small)).or(best.take());
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let (_, small) = best.ok_or(ReadError::Nothing("nothing is on video"))?;
    let jpeg = small.jpeg().map_err(|error| ReadError::Small(error.to_string()))?;
    match u64::try_from(jpeg.len()) {
        Ok(bytes) if bytes <= MAX_THUMBNAIL_BYTES && bytes > 0 => Ok((jpeg, work)),
        _ => Err(ReadError::Small("its length is none of a small picture's".to_owned())),
    }
}

/// Whether there is anything to look at.
fn look(listing: &Listing) -> Result<(), ReadError> {
    let why = if listing.manifest.is_encrypted() {
        "it is encrypted: the gate cannot see its pictures"
    } else if listing.expired {
        "its time is over and its video went"
    } else if listing.replaced || listing.derivation.is_some() {
        "its own video went"
    } else if segments(listing) == 0 {
        "nothing is on video"
    } else {
        return Ok(());
    };
    Err(ReadError::Nothing(why))
}

impl Work {
    fn see(&mut self, size: Size) {
        self.pictures = self.pictures.saturating_add(1);
        self.shown = self.shown.saturating_add(size.area());
    }
}

/// A reading under way.
struct Text<'a> {
    reader: &'a Reader,
    screen: Option<(Size, Changes)>,
    lines: Lines,
    work: Work,
    /// Regions since the last that could be read.
    in_a_row: u64,
    /// Until when was shown what was shown last.
    end_us: u64,
}

impl Text<'_> {
    fn see(&mut self, shown: &Shown<'_>) -> Result<(), ReadError> {
        self.work.see(shown.size);
        // What was shown until now has rested until now.
        self.catch_up(shown.at_us, self.screen.as_ref().is_some_and(|(size, _)| *size != shown.size))?;
        if self.screen.as_ref().is_none_or(|(size, _)| *size != shown.size) {
            self.lines.clear(shown.at_us);
            self.screen = Some((shown.size, Changes::new(shown.size)));
        }
        if let Some((_, changes)) = &mut self.screen {
            changes.show(shown.at_us, shown.luma());
        }
        self.end_us = shown.until_us;
        Ok(())
    }

    /// Reads what is due of the picture that was shown until now.
    fn catch_up(&mut self, now_us: u64, is_end: bool) -> Result<(), ReadError> {
        let Some((_, changes)) = &mut self.screen else { return Ok(()) };
        let due = changes.due(now_us, is_end);
        if due.is_empty() {
            return Ok(());
        }
        let mut found: Vec<Found> = Vec::new();
        for place in changes.regions(&due) {
            self.work.regions = self.work.regions.saturating_add(1);
            self.work.pixels = self.work.pixels.saturating_add(place.area());
            match self.reader.read(&cut_out(changes, place), place) {
                Ok(lines) => {
                    found.extend(lines);
                    self.in_a_row = 0;
                }
                Err(unread) => {
                    self.work.failed = self.work.failed.saturating_add(1);
                    self.in_a_row = self.in_a_row.saturating_add(1);
                    if self.in_a_row >= MAX_FAILED || matches!(unread, Unread::Start(_)) {
                        return Err(ReadError::Unread(unread.to_string()));
                    }
                }
            }
        }
        self.lines.read(changes, &due, found);
        changes.done(now_us, &due);
        Ok(())
    }
}

fn cut_out(changes: &Changes, place: Rect) -> Vec<u8> {
    let (left, width) = (usize::from(place.x), usize::from(place.width));
    let lines =
        changes.picture().chunks(changes.grid.width.max(1)).skip(usize::from(place.y)).take(usize::from(place.height));
    lines.flat_map(|line| line.get(left..left.saturating_add(width)).unwrap_or_default()).copied().collect()
}
