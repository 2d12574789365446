//! Following the record: sessions in the spool, then in the vault, and the journal day by day; whole lines alone, from a mark on.
//!
//! A file of the record is called by its place: `sessions/2026/01/31/ID`, as the bundle in the vault, or `journal/2026-01-31`.

mod lines;
mod places;

use std::fs::File;
use std::io::{self, Read as _, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use portcullis_evidence::PathInBundle;
use portcullis_vault::Key;

use self::lines::{Found, Lines};
pub use self::places::Places;
use crate::choice::Choice;
use crate::entry::Origin;
use crate::marks::Mark;

/// Bytes that are read at once; a line that is longer is none.
const CHUNK: u64 = 256 * 1024;
/// The folder of sessions in a name.
const SESSIONS: &str = "sessions/";
/// The folder of the journal in a name.
const JOURNAL: &str = "journal/";

/// What was found behind a mark.
#[derive(Debug)]
pub(crate) enum Read {
    /// The lines that are wanted, durable on the record, and the mark behind everything that was read.
    Lines(Vec<Found>, Mark),
    /// Nothing yet.
    Rest,
    /// Nothing ever again.
    End,
    /// There is no such thing on the record any more.
    Lost,
}

/// The record of this gate, for its couriers.
#[derive(Debug)]
pub(crate) struct Record {
    places: Places,
    /// The gate's name in the names of deliveries.
    gate: String,
    /// Up to where the newest files of the record were synced by a courier.
    synced: Mutex<Vec<(String, Mark)>>,
}

/// Files whose sync is remembered; it is done again for others.
const MOST_SYNCED: usize = 64;

impl Record {
    pub(crate) fn new(places: Places, gate: String) -> Arc<Self> {
        Arc::new(Self { places, gate, synced: Mutex::default() })
    }

    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// What is behind `from` in a file of the record.
    ///
    /// # Errors
    /// The disk's, or the vault's; worth another try.
    pub(crate) async fn read(self: &Arc<Self>, of: &str, from: Mark, choice: &Arc<Choice>) -> io::Result<Read> {
        let (record, name, chosen) = (Arc::clone(self), of.to_owned(), Arc::clone(choice));
        let read = tokio::task::spawn_blocking(move || match name.strip_prefix(JOURNAL) {
            Some(day) => record.journal(&name, day, from, &chosen).map(Some),
            None => record.in_spool(&name, from, &chosen),
        });
        match read.await.map_err(io::Error::other)?? {
            Some(read) => Ok(read),
            None => self.in_vault(of, from, choice).await,
        }
    }

    /// Makes durable what is before a mark, if it is not in the vault.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) async fn keep(self: &Arc<Self>, of: &str, mark: Mark) -> io::Result<()> {
        let (record, of) = (Arc::clone(self), of.to_owned());
        let path = match of.strip_prefix(JOURNAL) {
            Some(day) => self.places.journal.join(format!("{day}.jsonl")),
            None => PathInBundle::Events(mark.segment).under(&self.places.bundle(session(&of))),
        };
        let kept = tokio::task::spawn_blocking(move || match File::open(path) {
            // The segments before one that has no file yet are durable: each has its link.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            opened => record.sync(&of, &opened?, mark),
        });
        kept.await.map_err(io::Error::other)?
    }

    fn journal(&self, of: &str, day: &str, from: Mark, choice: &Choice) -> io::Result<Read> {
        let path = self.places.journal.join(format!("{day}.jsonl"));
        // A day that somebody removed is over.
        Ok(self.file(of, &path, Origin::Journal(day, from.line), from, choice)?.unwrap_or(Read::End))
    }

    /// `None`: it is not in the spool.
    fn in_spool(&self, of: &str, from: Mark, choice: &Choice) -> io::Result<Option<Read>> {
        let id = session(of);
        let bundle = self.places.bundle(id);
        let n = from.segment;
        let is_there = |path: PathInBundle| path.under(&bundle).try_exists();
        // Asked before the file is read: nothing is added to a segment that is closed, so its end is then its end.
        let closed = is_there(PathInBundle::Link(n))? || is_there(PathInBundle::Events(n.saturating_add(1)))?;
        let path = PathInBundle::Events(n).under(&bundle);
        match self.file(of, &path, Origin::Session(id), from, choice)? {
            Some(Read::Rest) if closed => Ok(Some(Read::Lines(Vec::new(), next(n)))),
            Some(read) => Ok(Some(read)),
            // A segment without events so far; or the folder has just gone, and all of it is in the vault.
            None => Ok(is_there(PathInBundle::Session)?.then_some(Read::Rest)),
        }
    }

    /// What is behind the mark in a bundle that is in the vault for good.
    async fn in_vault(&self, of: &str, from: Mark, choice: &Choice) -> io::Result<Read> {
        let key = |path| Key::of(of, path).map_err(io::Error::other);
        let vault = &self.places.vault;
        let events = key(PathInBundle::Events(from.segment))?;
        match vault.len(&events).await.map_err(io::Error::other)? {
            Some(bytes) if bytes > from.offset => {
                let range = from.offset..bytes.min(from.offset.saturating_add(CHUNK));
                let chunk = vault.read(&events, Some(range)).await.map_err(io::Error::other)?;
                let read = Lines::of(&self.gate, Origin::Session(session(of)), from, choice).read(&chunk);
                // What is no line in here never will be.
                Ok(read.unwrap_or_else(|| {
                    Read::Lines(vec![Found { entry: None, behind: next(from.segment) }], next(from.segment))
                }))
            }
            Some(_) => Ok(Read::Lines(Vec::new(), next(from.segment))),
            None => match vault.len(&key(PathInBundle::Session)?).await.map_err(io::Error::other)? {
                Some(_) => Ok(Read::End),
                None => Ok(Read::Lost),
            },
        }
    }

    /// What is behind the mark in a file that may grow; `None` when it is not there.
    fn file(&self, of: &str, path: &Path, origin: Origin<'_>, from: Mark, choice: &Choice) -> io::Result<Option<Read>> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        file.seek(SeekFrom::Start(from.offset))?;
        let mut chunk = Vec::new();
        (&mut file).take(CHUNK).read_to_end(&mut chunk)?;
        let lines = Lines::of(&self.gate, origin, from, choice);
        let read = match lines.read(&chunk) {
            Some(read) => read,
            None if u64::try_from(chunk.len()).is_ok_and(|length| length < CHUNK) => return Ok(Some(Read::Rest)),
            None => match lines::skip(&mut file, from)? {
                Some(behind) => Read::Lines(vec![Found { entry: None, behind }], behind),
                None => return Ok(Some(Read::Rest)),
            },
        };
        if let Read::Lines(found, behind) = &read
            && !found.is_empty()
        {
            self.sync(of, &file, *behind)?;
        }
        Ok(Some(read))
    }

    /// INVARIANT: what a power cut could still take off the record is not delivered: its name would then be given to something else.
    fn sync(&self, of: &str, file: &File, behind: Mark) -> io::Result<()> {
        let held = |synced: &[(String, Mark)]| {
            synced
                .iter()
                .any(|(name, upto)| name == of && upto.segment == behind.segment && upto.offset >= behind.offset)
        };
        if held(&self.synced.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(());
        }
        file.sync_data()?;
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        synced.retain(|(name, _)| name != of);
        if synced.len() >= MOST_SYNCED {
            synced.remove(0);
        }
        synced.push((of.to_owned(), behind));
        Ok(())
    }
}

/// The session's id in a file's name.
fn session(of: &str) -> &str {
    of.rsplit('/').next().unwrap_or(of)
}

/// The beginning of the segment behind `n`.
fn next(n: u32) -> Mark {
    Mark { segment: n.saturating_add(1), ..Mark::START }
}

/// Whether a file's name is one of a session.
pub(crate) fn is_session(of: &str) -> bool {
    of.starts_with(SESSIONS)
}

#[cfg(test)]
mod tests;
