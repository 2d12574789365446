//! A courier: brings the events of the record to one destination, each file of the record in its order, as often as it takes.

mod backlog;
mod round;
mod words;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::backlog::Backlog;
use self::words::Words;
use crate::backoff;
use crate::destination::Destination;
use crate::follow::Record;
use crate::letters::Letters;
use crate::marks::{Mark, Marks};
use crate::sink::Sink;
use crate::tally::Tally;

/// How often the record is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How often all days of the journal are looked at, and not the newest two alone; and how often what waits is counted.
const SELDOM: Duration = Duration::from_secs(30);
/// How often marks are synced.
const SYNC: Duration = Duration::from_secs(1);
/// Days of the journal that are looked at each time: today and, around midnight, the day before.
const NEWEST_DAYS: usize = 2;
/// Files of the record that a destination may be behind in; further ones are lost to it, which is said.
const MOST_FILES: usize = 100_000;

/// What brings events to one destination.
pub(crate) struct Courier {
    pub(crate) destination: Destination,
    choice: Arc<crate::choice::Choice>,
    sink: Arc<dyn Sink>,
    record: Arc<Record>,
    marks: Mutex<Marks>,
    letters: Letters,
    pub(crate) tally: Tally,
    words: Words,
    /// The destination did not take the last one: one at a time is tried until it does.
    sick: AtomicBool,
    failures: AtomicU64,
    waits: Mutex<HashMap<String, Wait>>,
    backlog: Mutex<Backlog>,
    /// Days of the journal that were read to their end since all of them were looked at.
    rested: Mutex<HashSet<String>>,
}

/// A file of the record whose next event was not taken.
#[derive(Debug, Clone, Copy)]
struct Wait {
    failures: u32,
    until: Instant,
}

impl Courier {
    pub(crate) fn new(
        destination: Destination,
        sink: Arc<dyn Sink>,
        record: Arc<Record>,
        marks: Marks,
        letters: Letters,
    ) -> Self {
        Self {
            choice: Arc::new(destination.choice.clone()),
            words: Words::new(&destination.name),
            destination,
            sink,
            record,
            marks: Mutex::new(marks),
            letters,
            tally: Tally::default(),
            sick: AtomicBool::new(false),
            failures: AtomicU64::new(0),
            waits: Mutex::default(),
            backlog: Mutex::default(),
            rested: Mutex::default(),
        }
    }

    /// Begins with a file of the record, unless it is known.
    pub(crate) fn begin(&self, of: &str, mark: Mark) {
        let mut marks = self.marks();
        if marks.get(of).is_some() {
            return;
        }
        let begun = (marks.len() < MOST_FILES).then(|| marks.settle(of, mark));
        drop(marks);
        match begun {
            Some(begun) => self.words.kept(begun),
            None => {
                Tally::add(&self.tally.lost);
                self.words.unreadable(of, "this destination is too far behind to take note of it");
            }
        }
    }

    /// Works until it is told to stop, and then as long as there is something to deliver and it is taken.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let (mut seldom, mut synced) = (Instant::now(), Instant::now());
        let mut all = true;
        loop {
            let stopping = stop.is_cancelled();
            let outcome = self.round(all).await;
            all = seldom.elapsed() >= SELDOM;
            if all {
                seldom = Instant::now();
                self.count().await;
            }
            if all || stopping {
                self.keep().await;
            }
            if synced.elapsed() >= SYNC || stopping {
                synced = Instant::now();
                self.sync().await;
            }
            if stopping && (self.sick.load(Relaxed) || !outcome.moved) {
                return;
            }
            let pause = match outcome.pause {
                Some(pause) => pause,
                None if outcome.more => continue,
                None => LOOK,
            };
            tokio::select! {
                () = self.rest(pause, synced) => {}
                () = stop.cancelled(), if !stopping => {}
            }
        }
    }

    /// Rests, but for marks that want to be synced.
    async fn rest(&self, pause: Duration, synced: Instant) {
        let until = Instant::now() + pause;
        let sync = synced + SYNC;
        if sync < until {
            tokio::time::sleep_until(sync).await;
            self.sync().await;
        }
        tokio::time::sleep_until(until).await;
    }

    /// The files of the record that are due, those first that failed least.
    fn due(&self, all: bool) -> Vec<String> {
        let days = self.record.places().days().unwrap_or_else(|error| {
            self.words.unreadable("the journal's folder", &error.to_string());
            Vec::new()
        });
        days.iter().for_each(|day| self.begin(day, Mark::default()));
        let newest: HashSet<&String> = days.iter().rev().take(NEWEST_DAYS).collect();
        let mut rested = self.rested();
        if all {
            rested.clear();
        }
        let (now, waits) = (Instant::now(), self.waits());
        let mut due = Vec::new();
        for of in self.files() {
            let wait = waits.get(&of);
            let at_rest = rested.contains(&of) && !newest.contains(&of);
            if !at_rest && wait.is_none_or(|wait| wait.until <= now) {
                due.push((wait.map_or(0, |wait| wait.failures), of));
            }
        }
        due.sort();
        due.into_iter().map(|(_, of)| of).collect()
    }

    /// Settles what was passed, so that the next gate does not read it again.
    async fn keep(&self) {
        let passed = self.marks().passed();
        for (of, mark) in passed {
            match self.record.keep(&of, mark).await {
                Ok(()) => {
                    let settled = self.marks().settle(&of, mark);
                    self.words.kept(settled);
                }
                Err(error) => self.words.unreadable(&of, &error.to_string()),
            }
        }
    }

    /// Makes marks durable: until then a power cut moves them back, never ahead.
    async fn sync(&self) {
        let flushed = self.marks().flush();
        let synced = match flushed {
            Ok(Some(log)) => tokio::task::spawn_blocking(move || log.sync_data()).await.unwrap_or(Ok(())),
            flushed => flushed.map(drop),
        };
        self.words.kept(synced);
    }

    fn files(&self) -> Vec<String> {
        self.marks().files()
    }

    fn mark(&self, of: &str) -> Option<Mark> {
        self.marks().get(of)
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rested(&self) -> MutexGuard<'_, HashSet<String>> {
        self.rested.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waits(&self) -> MutexGuard<'_, HashMap<String, Wait>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
