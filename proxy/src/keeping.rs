//! How long a recording is kept and how it is locked, as the policies ask that apply to its session.

use portcullis_evidence::{KeepLock, KeepTerms, MAX_KEEP_SECONDS};
use portcullis_policy::{Lock, Obligations, Rule, Stated};

use crate::outcome::Outcome;
use crate::refusal::Refusal;
use crate::session::Session;

/// What is asked, and by which rule; `None` where nobody asks.
///
/// # Errors
/// In words, when a lock is asked for and nobody says for how long.
pub(crate) fn terms(asked: &Obligations) -> Result<Option<(KeepTerms, Rule)>, String> {
    let keep = asked.recording.keep.as_ref();
    let lock = asked.recording.lock.as_ref().filter(|lock| lock.value != Lock::None);
    match (keep, lock) {
        (None, None) => Ok(None),
        (None, Some(Stated { rule, .. })) => {
            Err(format!("{rule} asks for a lock, and no policy says for how long: recording.keep"))
        }
        (Some(keep), lock) => {
            let seconds = keep.value.duration().as_secs().min(MAX_KEEP_SECONDS);
            let rule = lock.map_or(&keep.rule, |lock| &lock.rule).clone();
            let lock = match lock.map(|lock| lock.value) {
                None | Some(Lock::None) => KeepLock::None,
                Some(Lock::Governance) => KeepLock::Governance,
                Some(Lock::Compliance) => KeepLock::Compliance,
            };
            Ok(Some((KeepTerms { lock, seconds }, rule)))
        }
    }
}

/// As [`terms`], for a session that is to begin.
pub(crate) fn of_a_new_session(asked: &Obligations) -> Result<Option<KeepTerms>, Refusal> {
    terms(asked).map(|terms| terms.map(|(terms, _)| terms)).map_err(|reason| Refusal::Failed { reason })
}

impl Session {
    /// Keeps the recording for longer, or locks it more firmly, if the policy of this moment asks for more than was asked before.
    pub(crate) async fn follow_keep(&self) -> Result<(), Outcome> {
        match terms(&self.obligations()) {
            Ok(None) => Ok(()),
            Ok(Some((terms, rule))) => self.kept_as(&rule, terms).await,
            Err(reason) => self.unrecorded(reason),
        }
    }
}
