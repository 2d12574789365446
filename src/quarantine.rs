//! Quarantined copies of files go when their time is over or their session's recording expired, but for those of recordings that are held.

use std::collections::BTreeSet;
use std::time::SystemTime;

use portcullis_evidence::What;
use portcullis_proxy::Journal;
use portcullis_proxy::files::{Copied, Quarantine};
use portcullis_proxy::journal::About;
use portcullis_vault::Place;
use portcullis_vault::keeping::{Fate, KeepError, Stays};

/// What the recordings say of the copies of their sessions.
#[derive(Debug, Default)]
pub(crate) struct Spared {
    /// Sessions whose copies stay whatever their age.
    stay: BTreeSet<String>,
    /// Sessions whose copies go with their events.
    go: BTreeSet<String>,
}

impl Spared {
    /// Takes note of what became of a recording: while it is held, runs, or cannot be believed, its session's copies stay.
    pub(crate) fn hear(&mut self, place: &Place, fate: &Result<Fate, KeepError>) {
        let goes = match fate {
            Ok(Fate::Stays(stays)) => matches!(stays, Stays::ForEver | Stays::Until(_)),
            Ok(_) => true,
            Err(_) => false,
        };
        if !goes {
            self.stay.insert(place.id().to_owned());
        } else if matches!(fate, Ok(Fate::Expired { .. } | Fate::Due { .. } | Fate::Gone { .. })) {
            self.go.insert(place.id().to_owned());
        }
    }
}

/// Removes what is due, each with a line on the journal, or in a trial only says what would go. Blocks.
///
/// # Errors
/// When the folder cannot be read or a copy not be removed.
pub(crate) fn expire(
    quarantine: &Quarantine,
    spared: &Spared,
    by: &str,
    journal: Option<&Journal>,
) -> std::io::Result<Vec<Copied>> {
    let days = quarantine.keep().map_or(0, |keep| keep.as_secs() / 86_400);
    let mut gone = Vec::new();
    for copy in quarantine.all()? {
        let goes = spared.go.contains(&copy.session);
        if spared.stay.contains(&copy.session) || !(goes || quarantine.is_due(&copy, SystemTime::now())) {
            continue;
        }
        if let Some(journal) = journal {
            quarantine.remove(&copy)?;
            let about = About { subject: by, session: &copy.session, ..About::default() };
            let reason = if goes {
                "the recording of its session expired".to_owned()
            } else {
                format!("kept for {days} days (files.quarantine_days)")
            };
            journal.note(about, What::QuarantineExpired { copy: copy.place.clone(), bytes: copy.bytes, reason });
        }
        gone.push(copy);
    }
    Ok(gone)
}
