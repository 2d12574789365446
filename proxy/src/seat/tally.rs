//! What of a viewer's keys goes on the record: nothing, how many, or which, as policy's `recording.keys` says.
//!
//! The first press after a rest is to be written before it reaches the desktop; those of the second that follows are gathered behind it, off
//! the path of keys and pixels, where a disk that syncs a segment makes nobody wait.

use std::time::{Duration, Instant};

use portcullis_evidence::{Stroke, What};
use portcullis_policy::KeyLog;
use portcullis_rfb::Key;

use super::keysym::name;

/// One event for at most this time.
const TALLY: Duration = Duration::from_secs(1);
/// The most keys of one event.
const MOST: usize = 128;

/// A viewer's keys that are not on the record yet.
pub(super) struct Tally {
    pub(super) log: KeyLog,
    pressed: u32,
    strokes: Vec<Stroke>,
    tallied: Option<Instant>,
    typed: Option<Instant>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { log: KeyLog::Counts, pressed: 0, strokes: Vec::new(), tallied: None, typed: None }
    }
}

impl Tally {
    /// Notes a key that is about to reach the desktop; whether the record must have it before.
    pub(super) fn note(&mut self, key: Key, now: Instant) -> bool {
        match self.log {
            KeyLog::None => return false,
            KeyLog::Counts => {}
            KeyLog::Keys => {
                self.strokes.push(Stroke { down: key.down, keysym: key.keysym, name: name(key.keysym) });
            }
        }
        if !key.down {
            return self.strokes.len() >= MOST;
        }
        self.pressed = self.pressed.saturating_add(1);
        let rested = self.typed.replace(now).is_none_or(|at| now.saturating_duration_since(at) >= TALLY);
        rested || self.strokes.len() >= MOST
    }

    /// How long until what was noted is due on the record; none when nothing was.
    pub(super) fn due(&self, now: Instant) -> Option<Duration> {
        let noted = self.pressed > 0 || !self.strokes.is_empty();
        noted.then(|| self.tallied.map_or(Duration::ZERO, |at| (at + TALLY).saturating_duration_since(now)))
    }

    /// The event of what was noted, which is then the record's; none when nothing was.
    pub(super) fn take(&mut self, viewer: u32, now: Instant) -> Option<What> {
        let (pressed, strokes) = (std::mem::take(&mut self.pressed), std::mem::take(&mut self.strokes));
        let what = match strokes.is_empty() {
            false => What::Strokes { viewer, strokes },
            true if pressed > 0 => What::Keys { viewer, pressed },
            true => return None,
        };
        self.tallied = Some(now);
        Some(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(down: bool, keysym: u32) -> Key {
        Key { down, keysym, scancode: None }
    }

    #[test]
    fn keys_are_counted_and_nothing_else_is_kept() {
        let (mut tally, start) = (Tally::default(), Instant::now());
        assert!(tally.note(key(true, 0x61), start), "the first is written at once");
        assert!(!tally.note(key(false, 0x61), start));
        assert!(!tally.note(key(true, 0x62), start));
        assert_eq!(tally.take(1, start), Some(What::Keys { viewer: 1, pressed: 2 }));
        assert_eq!((tally.take(1, start), tally.due(start)), (None, None));
        assert!(!tally.note(key(true, 0x63), start + Duration::from_millis(900)));
        assert_eq!(tally.due(start + Duration::from_millis(900)), Some(Duration::from_millis(100)));
        assert!(tally.note(key(true, 0x63), start + Duration::from_secs(2)), "after a rest");
    }

    #[test]
    fn nothing_is_kept_where_policy_says_none() {
        let mut tally = Tally { log: KeyLog::None, ..Tally::default() };
        assert!(!tally.note(key(true, 0x61), Instant::now()));
        assert_eq!((tally.due(Instant::now()), tally.take(1, Instant::now())), (None, None));
    }

    #[test]
    fn keys_are_named_in_their_order_where_policy_says_so() {
        let (mut tally, start) = (Tally { log: KeyLog::Keys, ..Tally::default() }, Instant::now());
        for (down, keysym) in [(true, 0xffe1), (true, 0x41), (false, 0x41), (false, 0xffe1)] {
            tally.note(key(down, keysym), start);
        }
        let Some(What::Strokes { viewer: 4, strokes }) = tally.take(4, start) else { panic!("no strokes") };
        let told: Vec<_> = strokes.iter().map(|stroke| (stroke.down, stroke.name.as_str())).collect();
        assert_eq!(told, [(true, "Shift_L"), (true, "A"), (false, "A"), (false, "Shift_L")]);
        let full = (0..128).map(|_| tally.note(key(false, 0x61), start)).filter(|full| *full).count();
        assert_eq!(full, 1, "an event holds so many");
    }
}
