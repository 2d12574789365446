//! One round of a courier: every file of the record that is due, a few at a time, until the destination does not take something.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use futures_util::StreamExt;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use super::{Courier, Wait, backoff};
use crate::entry::Entry;
use crate::follow::{Read, is_session};
use crate::marks::Mark;
use crate::sink::Answer;
use crate::tally::Tally;

/// Events of one file that a round delivers at most, so that every file has its turn.
const TURN: usize = 256;

/// What a round came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Something was delivered or passed.
    pub(super) moved: bool,
    /// A file was left before its end.
    pub(super) more: bool,
    /// The destination wants rest.
    pub(super) pause: Option<Duration>,
}

/// What a round has come to so far, told by all that work in it.
#[derive(Default)]
struct Notes {
    moved: AtomicBool,
    more: AtomicBool,
    failed: AtomicBool,
}

impl Courier {
    /// Delivers what is due.
    pub(super) async fn round(&self, all: bool) -> Outcome {
        let notes = Notes::default();
        // One that did not take the last one is asked with one.
        let at_once = if self.sick.load(Relaxed) { 1 } else { self.sink.at_once() };
        let asked = std::sync::Mutex::new(None);
        let (told, want) = (&notes, &asked);
        futures_util::stream::iter(self.due(all))
            .for_each_concurrent(at_once, |of| async move {
                if told.failed.load(Relaxed) {
                    return;
                }
                if let Some(after) = self.turn(&of, told).await {
                    told.failed.store(true, Relaxed);
                    let mut asked = want.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    *asked = Some(after.max(asked.unwrap_or_default()));
                }
            })
            .await;
        let failed = notes.failed.into_inner();
        if !failed && !notes.more.load(Relaxed) && self.waits().is_empty() {
            self.caught_up();
        }
        let pause = failed.then(|| {
            let failures = self.failures.fetch_add(1, Relaxed).saturating_add(1);
            let asked = asked.into_inner().unwrap_or_default().unwrap_or_default();
            backoff::wait(u32::try_from(failures).unwrap_or(u32::MAX), Some(asked))
        });
        Outcome { moved: notes.moved.into_inner(), more: notes.more.into_inner(), pause }
    }

    /// One file's turn; the least rest that the destination asked for when it did not take an event.
    async fn turn(&self, of: &str, notes: &Notes) -> Option<Duration> {
        let mut delivered = 0;
        while let Some(mark) = self.mark(of) {
            if delivered >= TURN {
                notes.more.store(true, Relaxed);
                return None;
            }
            match self.record.read(of, mark, &self.choice).await {
                Ok(Read::Lines(found, behind)) => {
                    for line in found {
                        let Some(entry) = line.entry else {
                            self.words.unreadable(of, "a line of it is no event");
                            Tally::add(&self.tally.lost);
                            self.settle(of, line.behind);
                            continue;
                        };
                        if notes.failed.load(Relaxed) {
                            return None;
                        }
                        if let Some(after) = self.hand_over(of, &entry, line.behind).await {
                            return Some(after);
                        }
                        delivered += 1;
                        notes.moved.store(true, Relaxed);
                    }
                    self.marks().pass(of, behind);
                }
                Ok(Read::Rest) => {
                    self.waits().remove(of);
                    if !is_session(of) {
                        self.rested().insert(of.to_owned());
                    }
                    return None;
                }
                Ok(Read::End) => {
                    self.done(of);
                    return None;
                }
                Ok(Read::Lost) => {
                    self.words.unreadable(of, "it is neither in the spool nor in the vault any more");
                    Tally::add(&self.tally.lost);
                    self.done(of);
                    return None;
                }
                Err(error) => {
                    self.words.unreadable(of, &error.to_string());
                    self.wait(of, None);
                    return None;
                }
            }
        }
        None
    }

    /// Delivers one event, or says why it is not to be; `Some`: not now.
    async fn hand_over(&self, of: &str, entry: &Entry, behind: Mark) -> Option<Duration> {
        let age = OffsetDateTime::parse(&entry.time, &Rfc3339)
            .map_or(Duration::ZERO, |time| (OffsetDateTime::now_utc() - time).try_into().unwrap_or_default());
        if age > self.destination.keep {
            Tally::add(&self.tally.expired);
            self.words.expired(entry);
            self.settle(of, behind);
            return None;
        }
        self.tally.behind_seconds.store(age.as_secs(), Relaxed);
        match self.sink.deliver(entry).await {
            Answer::Taken(_) => {
                Tally::add(&self.tally.delivered);
                self.settle(of, behind);
                self.well();
                None
            }
            Answer::Refused(why) => {
                Tally::add(&self.tally.refused);
                self.words.refused(entry, &why);
                self.words.kept(self.letters.add(entry, &why));
                self.settle(of, behind);
                self.well();
                None
            }
            Answer::Later { why, after } => {
                Tally::add(&self.tally.failures);
                self.tally.failing.store(true, Relaxed);
                self.sick.store(true, Relaxed);
                self.words.later(entry, &why);
                self.wait(of, after);
                Some(after.unwrap_or_default())
            }
        }
    }

    /// INVARIANT: a mark moves behind an event once that event is taken, refused, too old or unreadable, and not before.
    fn settle(&self, of: &str, behind: Mark) {
        let settled = self.marks().settle(of, behind);
        self.words.kept(settled);
        self.waits().remove(of);
        self.counted_off(of);
    }

    fn done(&self, of: &str) {
        let forgotten = self.marks().forget(of);
        self.words.kept(forgotten);
        self.waits().remove(of);
    }

    fn wait(&self, of: &str, after: Option<Duration>) {
        let mut waits = self.waits();
        let failures = waits.get(of).map_or(0, |wait| wait.failures).saturating_add(1);
        waits.insert(of.to_owned(), Wait { failures, until: Instant::now() + backoff::wait(failures, after) });
    }

    /// The destination answers: it is asked as before.
    fn well(&self) {
        self.failures.store(0, Relaxed);
        self.tally.failing.store(false, Relaxed);
        if self.sick.swap(false, Relaxed) {
            self.words.well();
        }
    }
}
