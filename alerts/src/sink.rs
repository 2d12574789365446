//! What a destination is to its courier: something that takes one event at a time and says what became of it.

use std::time::Duration;

use async_trait::async_trait;

use crate::entry::Entry;

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is the destination's now; in its words, for a person.
    Taken(String),
    /// The destination does not want it, now or ever.
    Refused(String),
    /// Not now: it is tried again.
    Later {
        /// Why, for a person.
        why: String,
        /// The least wait that was asked for.
        after: Option<Duration>,
    },
}

impl Answer {
    /// To be tried again for this reason.
    pub(crate) fn later(why: impl Into<String>) -> Self {
        Self::Later { why: why.into(), after: None }
    }
}

/// Takes events.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Hands one event over. Nobody but this destination's courier waits for it.
    async fn deliver(&self, entry: &Entry) -> Answer;

    /// How many may be under way at once, each of another session.
    fn at_once(&self) -> usize {
        1
    }

    /// Whether it can be reached, without sending an event: what was found, or what is in the way.
    ///
    /// # Errors
    /// Words for a person.
    async fn knock(&self) -> Result<String, String>;
}
