//! The hand-over log: what the screen showed, in a file that outlives the process, until the video holds it.
//!
//! [`HandOver::update`] returns when its records are written into the page cache of the machine, so `kill -9` loses nothing that
//! was handed over. There is one truth: the encoder reads its work back from this file, live as after a crash.
//!
//! INVARIANT: a record's time is later than that of every record before it and than every time that [`HandOver::next`] has told
//! as one of rest; so the time of a picture is the time of its record, whenever it is encoded.
mod base;
mod record;
mod replay;
mod ring;

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portcullis_evidence::{COVER_BYTES, Cover, CoverKey};
use portcullis_rfb::{Change, Point};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::number::{long, short};
pub(crate) use base::{Base, Bases, Mark};
pub(crate) use record::{Body, Header, Kind, Record};
use record::{HEADER_BYTES, MAX_PAYLOAD, Payload};
pub(crate) use replay::Replay;
use replay::read;
use ring::Ring;

/// What the cover of a log is for.
const PURPOSE: &str = "hand-over log";
/// The longest that the encoder sleeps in one go.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Why something was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    /// The log could not be written.
    #[error("the hand-over log cannot be written")]
    Write(#[source] io::Error),
    /// The log is full and the encoder has read nothing for the time that it is given.
    #[error("the hand-over log is full and the encoder makes no progress")]
    Stalled,
    /// Revisions are handed over one by one.
    #[error("revision {found} was handed over where {wanted} is next")]
    OutOfOrder {
        /// The revision that is next.
        wanted: u64,
        /// The revision that came.
        found: u64,
    },
    /// An earlier hand-over was given up half way, so the log holds a part of a revision.
    #[error("a revision was handed over in part only")]
    InPart,
    /// One row of pixels or one cursor is longer than the whole log.
    #[error("{0} bytes do not fit into the hand-over log")]
    TooLong(usize),
    /// The recording ends, or has failed.
    #[error("nothing is taken any more")]
    Ended,
}

/// What the encoder is to do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// This, and where the log stands behind it.
    Record(Record, Mark),
    /// The log is full of what has been read: a base would make room.
    Full,
    /// Nothing is waiting at this time, the media clock's.
    Rest(u64),
    /// Nothing is waiting and nothing will come: the session ended at this time.
    End(u64),
}

/// A session's hand-over log.
pub(crate) struct HandOver {
    ring: Ring,
    /// What covers the payloads in the file, where the recording is encrypted.
    cover: Option<Cover>,
    /// Bytes of a payload at most.
    limit: usize,
    stall: Duration,
    clock: Arc<dyn Clock>,
    marks: Mutex<Marks>,
    /// Something was written, or the end has come.
    written: Condvar,
    /// Room was made, or the end has come.
    freed: Notify,
}

/// Positions rise for ever; a byte lies at its position modulo the ring's capacity. `tail <= read <= head <= tail + capacity`.
#[derive(Debug, Default)]
struct Marks {
    /// Behind the newest record.
    head: u64,
    /// Behind the newest record that the encoder was given.
    read: u64,
    /// What lies before may be overwritten.
    tail: u64,
    /// The sequence number of the next record to be written.
    sequence: u64,
    /// The same of the next one to be read.
    read_sequence: u64,
    /// The newest revision that was handed over.
    revision: u64,
    /// A part of the next revision is in the log.
    in_part: bool,
    /// The latest time that was used.
    last_us: u64,
    /// When the encoder had read all.
    caught_up_us: u64,
    /// How many wait for room.
    waiting: usize,
    ended: bool,
    woken: bool,
    /// A pointer's place that found no room.
    pointer: Option<Point>,
}

impl HandOver {
    /// A new log of `capacity` bytes, allocated at once; with a key, nothing of the screen is in it in clear.
    pub(crate) fn create(
        path: &Path,
        capacity: u64,
        stall: Duration,
        clock: Arc<dyn Clock>,
        key: Option<&CoverKey>,
    ) -> io::Result<Self> {
        let ring = Ring::create(path, capacity)?;
        let cover = key.map(|key| key.cover(PURPOSE)).transpose()?;
        if let Some(cover) = &cover {
            ring.set_salt(cover.salt())?;
        }
        let quarter = short(capacity / 4).saturating_sub(HEADER_BYTES);
        Ok(Self {
            ring,
            limit: quarter.min(MAX_PAYLOAD) - cover.as_ref().map_or(0, |_| COVER_BYTES),
            cover,
            stall,
            clock,
            marks: Mutex::default(),
            written: Condvar::new(),
            freed: Notify::new(),
        })
    }

    /// Hands a revision over. Waits while the log is full; then viewers wait, which is meant.
    ///
    /// INVARIANT: when this returns `Ok`, every change is in the file.
    pub(crate) async fn update(&self, revision: u64, changes: &[Change]) -> Result<(), HandOverError> {
        let payloads = Payload::split(changes, self.limit);
        for (n, payload) in payloads.iter().enumerate() {
            let kind = if n + 1 == payloads.len() { Kind::Update } else { Kind::Part };
            self.append(kind, revision, n == 0, payload).await?;
        }
        Ok(())
    }

    /// Notes the pointer's place. When the log is full it is noted with the next record.
    pub(crate) fn pointer(&self, at: Point) -> Result<(), HandOverError> {
        let mut marks = self.marks();
        if marks.ended {
            return Ok(());
        }
        marks.pointer = Some(at);
        self.flush_pointer(&mut marks)
    }

    /// The next thing to do: a record, or rest once the media clock reads `until_us`.
    ///
    /// With this call the encoder says that it is done with all that it was given before.
    pub(crate) fn next(&self, until_us: u64) -> io::Result<Next> {
        let mut marks = self.marks();
        while marks.read == marks.head {
            if marks.waiting > 0 && marks.tail < marks.read {
                return Ok(Next::Full);
            }
            let now_us = self.clock.now_us().max(marks.last_us);
            marks.caught_up_us = now_us;
            if marks.ended || now_us >= until_us || std::mem::take(&mut marks.woken) {
                marks.last_us = now_us;
                return Ok(if marks.ended { Next::End(now_us) } else { Next::Rest(now_us) });
            }
            let sleep = Duration::from_micros(until_us - now_us).min(LONGEST_SLEEP);
            (marks, _) = self.written.wait_timeout(marks, sleep).unwrap_or_else(PoisonError::into_inner);
        }
        let (position, sequence) = (marks.read, marks.read_sequence);
        drop(marks);
        let Some((record, mark)) = read(&self.ring, self.cover.as_ref(), position, sequence)? else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the hand-over log was damaged"));
        };
        let mut marks = self.marks();
        marks.read = mark.position;
        marks.read_sequence = mark.sequence;
        Ok(Next::Record(record, mark))
    }

    /// What lies before `position` is in the video and in a base: it may be overwritten.
    pub(crate) fn free(&self, position: u64) {
        let mut marks = self.marks();
        marks.tail = marks.tail.max(position.min(marks.read));
        drop(marks);
        self.freed.notify_waiters();
    }

    /// Whether somebody waits for room.
    pub(crate) fn is_full(&self) -> bool {
        self.marks().waiting > 0
    }

    /// Nothing more is taken; what is there is still given to the encoder.
    pub(crate) fn end(&self) {
        self.marks().ended = true;
        self.written.notify_all();
        self.freed.notify_waiters();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.marks().ended
    }

    /// How far the encoder has read.
    pub(crate) fn read(&self) -> u64 {
        self.marks().read
    }

    /// Has the encoder rest at once, whatever it waits for.
    pub(crate) fn wake(&self) {
        self.marks().woken = true;
        self.written.notify_all();
    }

    pub(crate) fn now_us(&self) -> u64 {
        self.clock.now_us()
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.ring.capacity()
    }

    /// Notes in the file that the session lives now, and asks the disk to hold the log if the encoder is more than a second behind.
    ///
    /// Otherwise the video holds what the log does, and is synced itself: a power cut then costs no more than that second.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let now_us = self.clock.now_us();
        self.ring.alive(now_us)?;
        let marks = self.marks();
        let behind = marks.read != marks.head && now_us > marks.caught_up_us + 1_000_000;
        drop(marks);
        if behind { self.ring.sync() } else { Ok(()) }
    }

    async fn append(&self, kind: Kind, revision: u64, first: bool, payload: &Payload<'_>) -> Result<(), HandOverError> {
        let crc = payload.crc();
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            let Some(_waiting) = self.try_append(kind, revision, first, payload, crc)? else {
                return Ok(());
            };
            let read = self.read();
            if tokio::time::timeout(self.stall, freed).await.is_err() && read == self.read() {
                return Err(HandOverError::Stalled);
            }
        }
    }

    /// Writes the record if there is room.
    fn try_append(
        &self,
        kind: Kind,
        revision: u64,
        first: bool,
        payload: &Payload<'_>,
        crc: u32,
    ) -> Result<Option<Waiting<'_>>, HandOverError> {
        let mut marks = self.marks();
        if marks.ended {
            return Err(HandOverError::Ended);
        }
        if revision != marks.revision + 1 {
            let wanted = marks.revision + 1;
            return Err(HandOverError::OutOfOrder { wanted, found: revision });
        }
        if first && marks.in_part {
            return Err(HandOverError::InPart);
        }
        self.flush_pointer(&mut marks)?;
        if !self.write(&mut marks, kind, revision, payload, crc)? {
            marks.waiting += 1;
            drop(marks);
            // The encoder may be asleep, with records read that no base covers yet.
            self.written.notify_one();
            return Ok(Some(Waiting(self)));
        }
        marks.in_part = kind == Kind::Part;
        if kind == Kind::Update {
            marks.revision = revision;
        }
        drop(marks);
        self.written.notify_one();
        Ok(None)
    }

    fn flush_pointer(&self, marks: &mut Marks) -> Result<(), HandOverError> {
        let Some(at) = marks.pointer else {
            return Ok(());
        };
        let payload = Payload::pointer(at);
        let revision = marks.revision;
        if self.write(marks, Kind::Pointer, revision, &payload, payload.crc())? {
            marks.pointer = None;
            self.written.notify_one();
        }
        Ok(())
    }

    /// Writes a record at the head; `false` when there is no room.
    fn write(
        &self,
        marks: &mut Marks,
        kind: Kind,
        revision: u64,
        payload: &Payload<'_>,
        crc: u32,
    ) -> Result<bool, HandOverError> {
        let length = payload.len() + self.cover.as_ref().map_or(0, |_| COVER_BYTES);
        let bytes = long(HEADER_BYTES + length);
        let too_long = || HandOverError::TooLong(payload.len());
        if bytes > self.ring.capacity() {
            return Err(too_long());
        }
        if marks.head + bytes > marks.tail + self.ring.capacity() {
            return Ok(false);
        }
        let mut header = Header {
            kind,
            sequence: marks.sequence,
            revision,
            at_us: self.clock.now_us().max(marks.last_us + 1),
            length: u32::try_from(length).map_err(|_| too_long())?,
            crc,
        };
        let covered = match &self.cover {
            Some(cover) => cover.cover(&header.bound(), payload.parts()).map(Some).map_err(HandOverError::Write)?,
            None => None,
        };
        header.crc = covered.as_deref().map_or(crc, crc32fast::hash);
        let own = header.to_bytes();
        let mut slices = vec![io::IoSlice::new(&own)];
        match &covered {
            Some(covered) => slices.push(io::IoSlice::new(covered)),
            None => slices.extend(payload.slices()),
        }
        self.ring.write(&mut slices, marks.head).map_err(HandOverError::Write)?;
        marks.head += bytes;
        marks.sequence += 1;
        marks.last_us = header.at_us;
        Ok(true)
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that waits for room, counted as long as it lives.
struct Waiting<'a>(&'a HandOver);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut marks = self.0.marks();
        marks.waiting = marks.waiting.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests;
