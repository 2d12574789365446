//! The film of a session: what was handed over becomes pictures, pictures become segments.
//!
//! No thread and no clock: it is told records and times of rest in their order, live by the encoder's thread, after a crash by
//! recovery. INVARIANT: every revision that changed something is a picture of its own, at the time of its record; the segments
//! follow each other without a gap.
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use portcullis_evidence::{Encryption, MAX_INITS, PathInBundle, WriteError};
use portcullis_rfb::{Point, Region, Screen, Size};

use crate::ahead::Opening;
use crate::bundle::Bundle;
use crate::clock::micros;
use crate::cmaf;
use crate::config::Config;
use crate::encoder::{Encoder, coded};
use crate::error::{RecordError, spool};
use crate::handover::{Base, Body, Kind, Mark, Record};
use crate::picture::Picture;
use crate::segment::{Finished, Init, Segment};

/// The pointer's moves alone make a picture no more often than this, in microseconds.
const POINTER_US: u64 = 100_000;

/// A session's film. Dropped without [`Film::end`], its open segment is left to recovery.
pub(crate) struct Film {
    settings: Settings,
    bundle: Arc<Bundle>,
    screen: Screen,
    revision: u64,
    pointer: Option<Point>,
    /// What changed since the newest picture.
    damage: Region,
    /// Parts of a revision have been applied, and its last has not.
    in_part: bool,
    /// When the pointer moved last, if no picture shows it yet.
    moved_us: Option<u64>,
    projector: Option<Projector>,
    segment: Option<Segment>,
    /// Until when there is film: nothing up to this is made again.
    newest_us: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Settings {
    segment_us: u64,
    still_us: u64,
    crf: u8,
    threads: u32,
}

/// What makes pictures of one size.
struct Projector {
    size: Size,
    encoder: Encoder,
    picture: Picture,
    /// The init segment, as long as no segment lists it.
    unlisted: Option<Init>,
}

impl Film {
    /// The film of a session that begins: its first picture, at 0, is the black screen.
    pub(crate) fn begin(config: &Config, bundle: Arc<Bundle>, opening: Opening) -> Result<Self, RecordError> {
        let Opening { size, encoder, picture, sample, .. } = opening;
        let mut film = Self::of(config, bundle, Screen::new(size));
        film.projector = Some(Projector::with(&film.bundle, size, encoder, picture)?);
        film.append(0, true, &sample)?;
        Ok(film)
    }

    /// A film that goes on behind `newest_us`, from what the screen showed at a base.
    pub(crate) fn resume(config: &Config, bundle: Arc<Bundle>, base: Base, newest_us: Option<u64>) -> Self {
        let mut film = Self::of(config, bundle, base.screen);
        film.revision = base.mark.revision;
        film.pointer = base.pointer;
        film.newest_us = newest_us;
        film
    }

    fn of(config: &Config, bundle: Arc<Bundle>, screen: Screen) -> Self {
        Self {
            settings: Settings {
                segment_us: micros(config.segment),
                still_us: micros(config.still.max(config.segment)),
                crf: config.crf,
                threads: config.threads,
            },
            bundle,
            screen,
            revision: 0,
            pointer: None,
            damage: Region::new(),
            in_part: false,
            moved_us: None,
            projector: None,
            segment: None,
            newest_us: None,
        }
    }

    /// Takes a record. Those of pictures that are there already only bring the screen up to date.
    pub(crate) fn record(&mut self, record: Record) -> Result<(), RecordError> {
        let at_us = record.header.at_us;
        let due = self.newest_us.is_none_or(|newest_us| at_us > newest_us);
        if due && !self.in_part {
            self.hold_until(at_us)?;
        }
        match record.body {
            Body::Pointer(at) => {
                self.pointer = Some(at);
                if due && !self.in_part {
                    self.moved_us = Some(at_us);
                    self.pointer_due(at_us)?;
                }
            }
            Body::Changes(changes) => {
                let before = self.screen.revision();
                self.screen.apply(&changes).map_err(RecordError::Screen)?;
                let damage = self.screen.changes_since(before);
                self.damage.extend(&damage.region);
                if let Some((to, _)) = damage.copy {
                    self.damage.add(to);
                }
                self.in_part = record.header.kind == Kind::Part;
                if !self.in_part {
                    self.revision = record.header.revision;
                    if due {
                        self.shoot(at_us)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Nothing is waiting at `now_us`: what was put off may be due.
    pub(crate) fn rest(&mut self, now_us: u64) -> Result<(), RecordError> {
        if self.in_part {
            return Ok(());
        }
        self.pointer_due(now_us)?;
        self.hold_until(now_us.saturating_add(1))
    }

    /// When [`Film::rest`] has something to do, if no record comes before.
    pub(crate) fn deadline_us(&self) -> u64 {
        if self.in_part {
            return u64::MAX;
        }
        let still = self.full_us();
        let pointer = self.moved_us.and(self.newest_us).map(|newest_us| newest_us.saturating_add(POINTER_US));
        still.into_iter().chain(pointer).min().unwrap_or(u64::MAX)
    }

    /// Ends the film: the last picture lasts until `at_us`, or a little longer where it would not last at all.
    pub(crate) fn end(&mut self, at_us: u64) -> Result<u64, RecordError> {
        let at_us = at_us.max(self.newest_us.map_or(0, |newest_us| newest_us.saturating_add(1)));
        self.hold_until(at_us)?;
        if let Some(moved_us) = self.moved_us {
            self.shoot(moved_us)?;
        }
        self.close(at_us, true)?;
        Ok(at_us)
    }

    /// Begins with the picture of a base that is newer than the film: what was between is lost.
    pub(crate) fn show(&mut self, at_us: u64) -> Result<(), RecordError> {
        self.shoot(at_us)
    }

    /// What the screen shows, for a base.
    pub(crate) fn screen(&self) -> (&Screen, Option<Point>) {
        (&self.screen, self.pointer)
    }

    /// Where a base of this moment stands in the log, given where the log stands.
    pub(crate) fn mark(&self, log: Mark) -> Mark {
        Mark { revision: self.revision, at_us: self.newest_us.unwrap_or(0), ..log }
    }

    /// The newest whole revision.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Makes sure that the picture before `at_us` is on film up to there: after a crash from where the chain ends, and where the
    /// screen was still for long, with a key picture for each segment that only holds it.
    pub(crate) fn hold_until(&mut self, at_us: u64) -> Result<(), RecordError> {
        if self.segment.is_none() {
            let (_, from_us, _) = self.bundle.standing();
            if from_us < at_us {
                self.draw()?;
                self.expose(from_us)?;
            }
        }
        while let Some(full_us) = self.full_us().filter(|full_us| *full_us < at_us) {
            if let Some(moved_us) = self.moved_us.filter(|moved_us| *moved_us < full_us) {
                self.shoot(moved_us)?;
            }
            self.close(full_us, false)?;
            self.draw()?;
            self.expose(full_us)?;
        }
        Ok(())
    }

    /// When the open segment has lasted as long as it may.
    fn full_us(&self) -> Option<u64> {
        self.segment.as_ref().map(|open| open.begins_us().saturating_add(self.settings.still_us))
    }

    fn pointer_due(&mut self, now_us: u64) -> Result<(), RecordError> {
        let Some(moved_us) = self.moved_us else { return Ok(()) };
        let rested = self.newest_us.is_none_or(|newest_us| now_us >= newest_us.saturating_add(POINTER_US));
        if rested { self.shoot(moved_us) } else { Ok(()) }
    }

    /// Makes the picture of `at_us`, if it differs from the one before. It begins a segment where one is due.
    fn shoot(&mut self, at_us: u64) -> Result<(), RecordError> {
        let other = self.projector.as_ref().is_none_or(|held| coded(held.size) != coded(self.screen.size()));
        if other {
            self.close(at_us, false)?;
        }
        self.draw()?;
        if self.damage.is_empty() && self.segment.is_some() {
            return Ok(());
        }
        let full = self.segment.as_ref().is_some_and(|open| {
            let long_enough = at_us >= open.begins_us().saturating_add(self.settings.segment_us);
            long_enough && open.outweighs_key() || open.is_large()
        });
        if full {
            self.close(at_us, false)?;
        }
        self.expose(at_us)
    }

    /// Draws what has changed; `damage` is then what differs from the newest picture, cursor included.
    fn draw(&mut self) -> Result<(), RecordError> {
        let size = self.screen.size();
        let held = self.projector.take().filter(|held| coded(held.size) == coded(size));
        let projector = match held {
            // Sizes that differ by the even edge alone are one to the encoder.
            Some(held) if held.size == size => self.projector.insert(held),
            Some(held) => {
                self.damage.add(size.bounds());
                self.projector.insert(Projector { size, ..held })
            }
            None => {
                self.damage.add(size.bounds());
                let encoder =
                    Encoder::open(size, self.settings.crf, self.settings.threads).map_err(RecordError::Encoder)?;
                self.projector.insert(Projector::with(&self.bundle, size, encoder, Picture::default())?)
            }
        };
        let mut canvas = projector.encoder.canvas();
        let drawn = projector.picture.draw(&mut canvas, &self.screen, &self.damage, self.pointer);
        self.damage = drawn.map_err(RecordError::Encoder)?;
        self.moved_us = None;
        Ok(())
    }

    /// Encodes what is drawn as the picture of `at_us`.
    fn expose(&mut self, at_us: u64) -> Result<(), RecordError> {
        let Some(projector) = &mut self.projector else { return Err(RecordError::Died) };
        let key = self.segment.is_none();
        let sample = projector.encoder.encode(at_us, key, &self.damage).map_err(RecordError::Encoder)?;
        self.append(at_us, key, &sample)
    }

    /// Puts the picture of `at_us` on film; a key picture begins a segment.
    fn append(&mut self, at_us: u64, key: bool, sample: &[u8]) -> Result<(), RecordError> {
        if key {
            let unlisted = self.projector.as_mut().and_then(|projector| projector.unlisted.take());
            let (number, from_us, _) = self.bundle.standing();
            let folder = self.bundle.folder();
            let path = PathInBundle::Video(number).under(folder);
            let cover = self.bundle.encryption().map(Encryption::key);
            let segment = Segment::create(folder, number, from_us, unlisted, cover);
            let segment = self.segment.insert(segment.map_err(spool("create", &path))?);
            self.bundle.growing(segment.file());
        }
        if let Some(segment) = &mut self.segment {
            let path = PathInBundle::Video(segment.number()).under(self.bundle.folder());
            segment.append(at_us, key, sample).map_err(spool("append to", &path))?;
            self.bundle.wrote();
        }
        self.damage.clear();
        self.newest_us = Some(at_us);
        Ok(())
    }

    /// Closes the open segment at `to_us`. The `last` one closes the bundle's events too, even where there is no video.
    fn close(&mut self, to_us: u64, last: bool) -> Result<(), RecordError> {
        self.bundle.recorded(self.revision);
        match self.segment.take() {
            Some(segment) => {
                let path = PathInBundle::Video(segment.number()).under(self.bundle.folder());
                let files = segment.finish(to_us).map_err(spool("finish", &path))?;
                self.bundle.close_segment(to_us, files, last)
            }
            None if last => self.bundle.close_segment(to_us, Finished::default(), true),
            None => Ok(()),
        }
    }
}

impl Projector {
    /// An encoder of `size`, and its init segment in the bundle: a new one, or the newest if that is the same.
    fn with(bundle: &Bundle, size: Size, encoder: Encoder, picture: Picture) -> Result<Self, RecordError> {
        let header = cmaf::header(coded(size), encoder.parameter_sets());
        let (_, _, newest) = bundle.standing();
        let encrypted = bundle.encryption().is_some();
        let is_newest = match encrypted {
            true => bundle.is_newest_init(&header),
            false => fs::read(PathInBundle::Init(newest).under(bundle.folder())).is_ok_and(|held| held == header),
        };
        let unlisted = (!is_newest).then_some(Init { number: newest + 1, header });
        if let Some(Init { number, header }) = &unlisted {
            if *number > MAX_INITS {
                return Err(RecordError::Bundle(WriteError::Full));
            }
            // An encrypted one is written with its segment.
            if !encrypted {
                let path = PathInBundle::Init(*number).under(bundle.folder());
                write_new(&path, header).map_err(spool("create", &path))?;
            }
        }
        Ok(Self { size, encoder, picture, unlisted })
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}

#[cfg(test)]
mod tests;
