//! The seats of a session: which viewers there are, and how many there may be.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use portcullis_policy::Obligations;
use tokio::sync::watch;

use super::Session;
use crate::outcome::{Limit, Outcome};

impl Session {
    /// Counts a viewer in and gives it its number.
    ///
    /// # Errors
    /// The outcome of this viewer, when there are as many as there may be.
    pub(crate) fn enter(&self) -> Result<u32, Outcome> {
        let number = self.next_viewer.fetch_add(1, Ordering::Relaxed);
        let full = self.full(&self.obligations());
        let most = full.as_ref().map_or(self.bounds.viewers, |(most, _)| *most);
        let entered = self.viewers.send_if_modified(|seated| {
            seated.len() < usize::try_from(most).unwrap_or(usize::MAX) && seated.insert(number)
        });
        if entered { Ok(number) } else { Err(full.map_or(Outcome::Crowded, |(_, outcome)| outcome)) }
    }

    /// Whether a viewer that has a seat may keep it: where policy takes some away, those that came last go.
    ///
    /// # Errors
    /// The outcome of this viewer.
    pub(crate) fn keep(&self, viewer: u32, owed: &Obligations) -> Result<(), Outcome> {
        let Some((most, outcome)) = self.full(owed) else { return Ok(()) };
        let before = self.viewers.borrow().range(..viewer).count();
        if before < usize::try_from(most).unwrap_or(usize::MAX) { Ok(()) } else { Err(outcome) }
    }

    /// Counts a viewer out.
    pub(crate) fn leave(&self, viewer: u32) {
        self.viewers.send_if_modified(|seated| seated.remove(&viewer));
    }

    /// How many viewers are connected.
    #[must_use]
    pub fn viewers(&self) -> u32 {
        u32::try_from(self.viewers.borrow().len()).unwrap_or(u32::MAX)
    }

    pub(super) fn seated(&self) -> watch::Receiver<BTreeSet<u32>> {
        self.viewers.subscribe()
    }

    /// Policy's limit, where it is below the gate's own, and what it makes of one more.
    fn full(&self, owed: &Obligations) -> Option<(u32, Outcome)> {
        let stated = owed.session.viewers.as_ref().filter(|stated| stated.value < self.bounds.viewers)?;
        let reason = match stated.value {
            1 => "a session may have one viewer at once".to_owned(),
            most => format!("a session may have {most} viewers at once"),
        };
        Some((stated.value, Outcome::Limited { limit: Limit::Viewers, rule: stated.rule.to_string(), reason }))
    }
}
