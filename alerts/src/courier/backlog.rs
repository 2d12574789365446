//! How many events wait: counted now and then while a destination does not take them, each of them once.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use super::Courier;
use crate::follow::Read;
use crate::marks::Mark;

/// Pieces of the record that one count reads at most; the next count goes on behind them.
const MOST_READ: usize = 256;

/// What was counted, by file of the record.
#[derive(Debug, Default)]
pub(super) struct Backlog(HashMap<String, Counted>);

#[derive(Debug, Clone, Copy)]
struct Counted {
    upto: Mark,
    waiting: u64,
    /// Nothing will come behind it.
    ended: bool,
}

impl Courier {
    /// Counts what waits, if the destination did not take the last one.
    pub(super) async fn count(&self) {
        if !self.sick.load(Relaxed) {
            return;
        }
        let mut reads = 0;
        for of in self.files() {
            let Some(mark) = self.mark(&of) else { continue };
            let known = self.backlog().0.get(&of).copied();
            let mut counted = known.unwrap_or(Counted { upto: mark, waiting: 0, ended: false });
            while !counted.ended && reads < MOST_READ {
                reads += 1;
                match self.record.read(&of, counted.upto, &self.choice).await {
                    Ok(Read::Lines(found, behind)) => {
                        counted.waiting =
                            counted.waiting.saturating_add(u64::try_from(found.len()).unwrap_or(u64::MAX));
                        counted.upto = behind;
                    }
                    Ok(Read::End) => counted.ended = true,
                    Ok(Read::Rest | Read::Lost) | Err(_) => break,
                }
            }
            self.backlog().0.insert(of, counted);
        }
        let waiting = self.backlog().0.values().map(|counted| counted.waiting).sum();
        self.tally.backlog.store(waiting, Relaxed);
        self.words.waiting(waiting, self.tally.behind_seconds.load(Relaxed));
    }

    /// One that was counted waits no more.
    pub(super) fn counted_off(&self, of: &str) {
        if let Some(counted) = self.backlog().0.get_mut(of)
            && let Some(less) = counted.waiting.checked_sub(1)
        {
            counted.waiting = less;
            let _ = self.tally.backlog.fetch_update(Relaxed, Relaxed, |waiting| waiting.checked_sub(1));
        }
    }

    /// Nothing waits.
    pub(super) fn caught_up(&self) {
        self.backlog().0.clear();
        self.tally.backlog.store(0, Relaxed);
        self.tally.behind_seconds.store(0, Relaxed);
    }

    fn backlog(&self) -> std::sync::MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
