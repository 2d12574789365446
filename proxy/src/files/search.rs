//! What policy searches files of a session for, compiled.

use std::sync::Arc;

use portcullis_content::Searcher;
use portcullis_policy::{ActionKind, Detector, Rule, Sought};

use crate::enforced::Enforced;
use crate::session::Session;

/// What one file is searched for.
pub(super) struct Search {
    policies: Arc<Enforced>,
    pub(super) searcher: Option<Searcher>,
    pub(super) sought: Vec<Sought>,
}

impl Search {
    /// What the policies of this moment search such a file for.
    pub(super) fn of(session: &Session, kind: ActionKind) -> Self {
        let policies = session.policy();
        let sought = policies.detectors(&session.situation(), kind);
        let searcher = (!sought.is_empty()).then(|| policies.searcher(sought.iter().map(|sought| &sought.detector)));
        Self { policies, searcher, sought }
    }

    /// The first rule that looks for anything.
    pub(super) fn rule(&self) -> Option<&Rule> {
        self.sought.first().map(|sought| &sought.rule)
    }

    /// The detectors at these places of the searcher.
    pub(super) fn found(&self, places: &[usize]) -> Vec<Detector> {
        places.iter().filter_map(|place| self.policies.detector(*place)).cloned().collect()
    }
}
