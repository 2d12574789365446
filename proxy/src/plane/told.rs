//! What a plane counts, and tells of what it carries.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Plane;
use crate::crossing::{Crossings, Findings, Keys};
use crate::egress::Counts;
use crate::files::Depot;
use crate::tally::Tally;

impl Plane {
    /// Sessions that were opened, and those that were asked for and refused, since the gate started.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.opened.load(Ordering::Relaxed), self.refusals.load(Ordering::Relaxed))
    }

    /// What desktops did with their ways out.
    #[must_use]
    pub fn egress(&self) -> &Counts {
        &self.config.egress.counts
    }

    /// What was found since the gate started in what was to cross.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Texts that crossed, and those that were stopped.
    #[must_use]
    pub fn texts(&self) -> &Tally {
        &self.texts
    }

    /// What a new session counts and keeps of what crosses.
    pub(crate) fn crossings(&self) -> Crossings {
        Crossings::new(Arc::clone(&self.findings), Arc::clone(&self.texts), Keys(self.config.recipients.clone()))
    }

    /// How files are carried, and what became of them.
    #[must_use]
    pub fn files(&self) -> &Depot {
        &self.config.files
    }
}
