//! The encoder's thread: reads the hand-over log, makes the film, and frees the log behind it.
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::error::{RecordError, spool};
use crate::failure::Failure;
use crate::film::Film;
use crate::handover::{Bases, HandOver, Mark, Next};
use crate::number::long;

/// How much the encoder's thread yields to those that serve viewers (nice(2)).
const NICE: i32 = 5;

/// What the thread works with.
pub(crate) struct Worker {
    pub(crate) log: Arc<HandOver>,
    pub(crate) film: Film,
    pub(crate) bases: Bases,
    pub(crate) failure: Arc<Failure>,
    pub(crate) pulse: Arc<Pulse>,
    /// Held until the thread ends, also when the recording was dropped before.
    pub(crate) lock: Arc<File>,
}

/// How the film of a session ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) at_us: u64,
    pub(crate) revision: u64,
}

/// What others see of the thread, and what tests do to it.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// When the thread took up what it is doing, plus 1; 0 while it waits.
    since_us: AtomicU64,
    /// To be killed at the next step.
    kill: AtomicBool,
}

impl Pulse {
    /// For how long the thread has been at one thing, in microseconds.
    pub(crate) fn busy_us(&self, now_us: u64) -> u64 {
        match self.since_us.load(Ordering::Relaxed) {
            0 => 0,
            since_us => now_us.saturating_sub(since_us - 1),
        }
    }

    /// Has the thread die at its next step, without a word.
    pub(crate) fn kill(&self) {
        self.kill.store(true, Ordering::Relaxed);
    }
}

impl Worker {
    /// Starts the thread. What it ends with comes by the channel; nothing does, if it failed.
    pub(crate) fn spawn(
        self,
        session: &str,
        clock: Arc<dyn Clock>,
    ) -> io::Result<(JoinHandle<()>, oneshot::Receiver<Ended>)> {
        let (said, ended) = oneshot::channel();
        let run = move || {
            // An encoder that yields costs viewers less; one that may not is as good.
            let _ = rustix::process::nice(NICE);
            let (log, failure, _lock) = (Arc::clone(&self.log), Arc::clone(&self.failure), Arc::clone(&self.lock));
            // INVARIANT: however this thread ends, somebody hears of it.
            let _watch = LastWord { log: &log, failure: &failure };
            match self.run(&*clock) {
                Ok(Some(end)) => {
                    let _ = said.send(end);
                }
                Ok(None) => {}
                Err(error) => failure.say(&log, &error),
            }
        };
        // The kernel cuts names of threads to 15 bytes.
        let name: String = format!("encode {session}").chars().take(15).collect();
        Ok((thread::Builder::new().name(name).spawn(run)?, ended))
    }

    /// Works until the end; `None` when it was killed.
    fn run(mut self, clock: &dyn Clock) -> Result<Option<Ended>, RecordError> {
        let mut log = Mark::START;
        let mut freed = 0;
        loop {
            self.pulse.since_us.store(0, Ordering::Relaxed);
            let next = self.log.next(self.film.deadline_us());
            self.pulse.since_us.store(clock.now_us().saturating_add(1), Ordering::Relaxed);
            if self.pulse.kill.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let mut full = false;
            match next.map_err(RecordError::Log)? {
                Next::Record(record, mark) => {
                    self.film.record(record)?;
                    log = mark;
                    full = self.log.is_full();
                }
                Next::Full => full = true,
                Next::Rest(now_us) => self.film.rest(now_us)?,
                Next::End(now_us) => {
                    let at_us = self.film.end(now_us)?;
                    return Ok(Some(Ended { at_us, revision: self.film.revision() }));
                }
            }
            if full || log.position - freed >= self.often() {
                self.base(log)?;
                freed = log.position;
            }
        }
    }

    /// After how many bytes of the log a base is worth writing: a quarter of it, or for a large screen as many as the base takes.
    fn often(&self) -> u64 {
        let (screen, _) = self.film.screen();
        let capacity = self.log.capacity();
        long(screen.pixels().len()).clamp(capacity / 4, capacity / 2)
    }

    /// Writes a base and frees the log before it.
    ///
    /// INVARIANT: every picture of what lies before is in the open segment's file: it is appended before the next record is read.
    fn base(&mut self, log: Mark) -> Result<(), RecordError> {
        let (screen, pointer) = self.film.screen();
        let written = self.bases.write(self.film.mark(log), pointer, screen);
        written.map_err(|error| spool("write", self.bases.older())(error))?;
        self.log.free(log.position);
        Ok(())
    }
}

/// Says that the thread died, if nothing else was said. A no-op after an end that was told.
struct LastWord<'a> {
    log: &'a HandOver,
    failure: &'a Failure,
}

impl Drop for LastWord<'_> {
    fn drop(&mut self) {
        if !self.log.has_ended() || thread::panicking() {
            self.failure.say(self.log, &RecordError::Died);
        }
    }
}
