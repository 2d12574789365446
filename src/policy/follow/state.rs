//! What is known of the policies that a gate follows, for its API and metrics.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_policy::Revision;
use time::OffsetDateTime;

use super::Fault;

/// What is known, shared between who looks and who asks.
#[derive(Debug, Clone)]
pub(crate) struct State(Arc<Mutex<Known>>);

/// What is known at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// The revision in force.
    pub(crate) revision: String,
    /// Since when it is.
    pub(crate) since: OffsetDateTime,
    /// Who signed it, where only signed commits count.
    pub(crate) signer: Option<String>,
    /// Where policies come from; without credentials.
    pub(crate) source: String,
    /// When the source was last seen as it is.
    pub(crate) looked: Option<OffsetDateTime>,
    /// Why it could not be seen since, and since when.
    pub(crate) failure: Option<(OffsetDateTime, String)>,
    /// What was last refused, and is not followed by anything good.
    pub(crate) refused: Option<Refused>,
    /// Revisions refused since the gate started.
    pub(crate) refusals: u64,
    /// Looks that failed since the gate started.
    pub(crate) failures: u64,
}

/// A revision that was refused.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    /// The commit; empty for a folder.
    pub(crate) commit: String,
    /// When.
    pub(crate) at: OffsetDateTime,
    /// Why.
    pub(crate) faults: Vec<Fault>,
}

impl State {
    /// A source whose first revision is in force.
    pub(super) fn new(source: &str, revision: &Revision) -> Self {
        Self(Arc::new(Mutex::new(Known {
            revision: revision.to_string(),
            since: OffsetDateTime::now_utc(),
            signer: None,
            source: source.to_owned(),
            looked: None,
            failure: None,
            refused: None,
            refusals: 0,
            failures: 0,
        })))
    }

    /// What is known now.
    pub(crate) fn known(&self) -> Known {
        self.lock().clone()
    }

    /// The source was seen as it is.
    pub(super) fn looked(&self) {
        let mut known = self.lock();
        known.looked = Some(OffsetDateTime::now_utc());
        known.failure = None;
    }

    /// The source could not be seen.
    pub(super) fn failed(&self, reason: String) {
        let mut known = self.lock();
        let since = known.failure.as_ref().map_or_else(OffsetDateTime::now_utc, |(since, _)| *since);
        known.failure = Some((since, reason));
        known.failures = known.failures.saturating_add(1);
    }

    /// A revision is in force.
    pub(super) fn live(&self, revision: &Revision, signer: Option<String>) {
        let mut known = self.lock();
        (known.revision, known.since) = (revision.to_string(), OffsetDateTime::now_utc());
        (known.signer, known.refused) = (signer, None);
    }

    /// A revision was refused.
    pub(super) fn refused(&self, commit: &str, faults: Vec<Fault>) {
        let mut known = self.lock();
        known.refused = Some(Refused { commit: commit.to_owned(), at: OffsetDateTime::now_utc(), faults });
        known.refusals = known.refusals.saturating_add(1);
    }

    /// What was refused is gone from the source: it is at what is in force.
    pub(super) fn back(&self) {
        self.lock().refused = None;
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
