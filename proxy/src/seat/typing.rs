//! Keys that come as only a program types them, told by when they are pressed: too fast for too long, or too evenly.
//!
//! Two signs, each of which takes a run of keys, so that one word that a network held back is none:
//! - *fast*: over 25 presses a second on average, for longer than the 48 presses that a connection that stood still for two seconds may bring
//!   at once. The fastest typists reach 20 in bursts.
//! - *even*: of the last 40 gaps 36 lie within 15% of their median, and different keys were pressed. People's gaps are log-normal, with a
//!   deviation of 30% and more: about 15 of 40 lie that close.
//!
//! What it cannot see: runs shorter than these, programs that pause as people do, and a person who holds a program's place (dictation and text
//! expanders look like the programs that they are). A network that delivers in beats about as long as somebody's gaps makes them even: where people
//! come over such, policy is to say `alert`. Presses of a key that is held already, or that was the last one too, are autorepeat and
//! tell nothing. Nothing is kept of which keys were pressed but a mark of 64 for how many different ones there were.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::pace::{Pace, Rate};

/// Presses that no person exceeds for long.
const FAST: Rate = Rate::new(25, 48);
/// Gaps that are looked at together.
const RUN: usize = 40;
/// How many of them are even in a program's run.
const EVEN: usize = 36;
/// How far from the median an even gap lies, in percent of it.
const SPREAD: u32 = 15;
/// Different keys in a program's run: people tap two or three in time, and nobody writes with fewer.
const KEYS: u32 = 8;
/// Gaps below this are made by the network, and say nothing of evenness.
const BUNCHED: Duration = Duration::from_millis(8);
/// A pause that ends a run.
const PAUSE: Duration = Duration::from_secs(1);

/// What is known of the presses of late.
#[derive(Debug)]
pub(super) struct Typing {
    pace: Pace,
    gaps: VecDeque<Duration>,
    /// One bit of 64 for each key.
    keys: u64,
    last: Option<(u32, Instant)>,
    /// Until when what is pressed counts as a program's.
    until: Option<Instant>,
}

impl Default for Typing {
    fn default() -> Self {
        Self { pace: FAST.pace(), gaps: VecDeque::with_capacity(RUN), keys: 0, last: None, until: None }
    }
}

impl Typing {
    /// Notes a press of a key that was up and is no modifier; whether a program types. `now` never falls.
    pub(super) fn pressed(&mut self, keysym: u32, now: Instant) -> bool {
        let gap = self.last.map(|(_, at)| now.saturating_duration_since(at));
        let again = self.last.is_some_and(|(last, _)| last == keysym);
        self.last = Some((keysym, now));
        if gap.is_some_and(|gap| gap > PAUSE) {
            self.gaps.clear();
            self.keys = 0;
        } else if let Some(gap) = gap.filter(|_| !again) {
            if self.gaps.len() == RUN {
                self.gaps.pop_front();
            }
            self.gaps.push_back(gap);
        }
        self.keys |= 1_u64 << (keysym & 63);
        let fast = !again && !self.pace.try_take(now);
        if fast || self.is_even() {
            self.until = Some(now + PAUSE);
        }
        self.until.is_some_and(|until| now < until)
    }

    fn is_even(&self) -> bool {
        if self.gaps.len() < RUN || self.keys.count_ones() < KEYS {
            return false;
        }
        let mut gaps: Vec<Duration> = self.gaps.iter().copied().collect();
        let (_, median, _) = gaps.select_nth_unstable(RUN / 2);
        let (median, spread) = (*median, *median * SPREAD / 100);
        median >= BUNCHED && self.gaps.iter().filter(|gap| gap.abs_diff(median) <= spread).count() >= EVEN
    }
}

#[cfg(test)]
mod tests;
