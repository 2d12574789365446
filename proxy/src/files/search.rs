//! What policy searches files of a session for, compiled.

use portcullis_content::Searcher;
use portcullis_policy::{ActionKind, Detector, Rule};

use crate::session::Session;

/// The searcher for one file, and the detectors that its findings stand for.
pub(super) struct Search {
    pub(super) searcher: Option<Searcher>,
    pub(super) detectors: Vec<Detector>,
    /// The first rule that looks for anything.
    pub(super) rule: Option<Rule>,
}

impl Search {
    /// What the policies of this moment search such a file for.
    pub(super) fn of(_session: &Session, _kind: ActionKind) -> Self {
        Self { searcher: None, detectors: Vec::new(), rule: None }
    }

    /// The detectors at these places.
    pub(super) fn found(&self, places: &[usize]) -> Vec<&Detector> {
        places.iter().filter_map(|place| self.detectors.get(*place)).collect()
    }
}
