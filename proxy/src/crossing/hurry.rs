//! What came faster than the gate listens: it crosses nowhere, and is on the record by its number, once a second at most.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use portcullis_evidence::What;
use portcullis_policy::ActionKind;

use crate::outcome::Outcome;
use crate::pace::Pace;
use crate::session::{Refused, Session};

/// What the person is told.
const WHY: &str = "it came faster than this gate takes any; try again";

/// What was passed over since the last event, of one kind.
#[derive(Debug)]
pub(crate) struct Hurry(Mutex<(Pace, u32)>);

impl Default for Hurry {
    fn default() -> Self {
        Self(Mutex::new((Pace::every(Duration::from_secs(1), 1), 0)))
    }
}

impl Hurry {
    /// Counts one more; how many an event is due for, if one is.
    fn one_more(&self, now: Instant) -> Option<u32> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.1 = known.1.saturating_add(1);
        known.0.try_take(now).then(|| std::mem::take(&mut known.1))
    }

    /// How many no event has said.
    fn left(&self) -> u32 {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).1)
    }
}

impl Session {
    /// Something of this kind came too fast, and is passed over.
    ///
    /// # Errors
    /// [`Outcome::RecordingFailed`].
    pub(crate) fn hurried(&self, kind: ActionKind) -> Result<(), Outcome> {
        self.crossings.texts.add(kind, None);
        let Some(count) = self.crossings.hurry(kind).one_more(Instant::now()) else { return Ok(()) };
        self.life.refuse(Refused { what: kind.name(), why: WHY.to_owned(), rule: String::new() });
        self.note(passed_over(kind, count))
    }

    /// Puts on the record what no event has said yet; for a session that ends.
    pub(crate) fn note_hurried(&self) -> Result<(), Outcome> {
        for kind in [ActionKind::Paste, ActionKind::Copy, ActionKind::Upload] {
            let left = self.crossings.hurry(kind).left();
            if left > 0 {
                self.note(passed_over(kind, left))?;
            }
        }
        Ok(())
    }
}

fn passed_over(kind: ActionKind, count: u32) -> What {
    let what = match kind {
        ActionKind::Paste => "clipboard messages of viewers",
        ActionKind::Copy => "clipboard messages of the desktop",
        _ => "requests about files",
    };
    What::Refused { what: format!("{count} {what}"), reason: "they came faster than the gate takes any".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_one_event_a_second_and_none_is_forgotten() {
        let (hurry, now) = (Hurry::default(), Instant::now());
        assert_eq!(hurry.one_more(now), Some(1));
        assert_eq!((hurry.one_more(now), hurry.one_more(now)), (None, None));
        assert_eq!(hurry.one_more(now + Duration::from_secs(1)), Some(3));
        assert_eq!((hurry.one_more(now + Duration::from_secs(1)), hurry.left(), hurry.left()), (None, 1, 0));
    }
}
