//! Quarantined copies of files whose time is over go, but for those of sessions whose recordings are held.

use std::collections::BTreeSet;
use std::time::SystemTime;

use portcullis_evidence::What;
use portcullis_proxy::Journal;
use portcullis_proxy::files::{Copied, Quarantine};
use portcullis_proxy::journal::About;
use portcullis_vault::Place;
use portcullis_vault::keeping::{Fate, KeepError, Stays};

/// Sessions whose copies stay whatever their age.
#[derive(Debug, Default)]
pub(crate) struct Spared(BTreeSet<String>);

impl Spared {
    /// Takes note of what became of a recording: while it is held, runs, or cannot be believed, its session's copies stay.
    pub(crate) fn hear(&mut self, place: &Place, fate: &Result<Fate, KeepError>) {
        let goes = match fate {
            Ok(Fate::Stays(stays)) => matches!(stays, Stays::ForEver | Stays::Until(_)),
            Ok(_) => true,
            Err(_) => false,
        };
        if !goes {
            self.0.insert(place.id().to_owned());
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
    for copy in quarantine.due(SystemTime::now())? {
        if spared.0.contains(&copy.session) {
            continue;
        }
        if let Some(journal) = journal {
            quarantine.remove(&copy)?;
            let about = About { subject: by, session: &copy.session, ..About::default() };
            let reason = format!("kept for {days} days (files.quarantine_days)");
            journal.note(about, What::QuarantineExpired { copy: copy.place.clone(), bytes: copy.bytes, reason });
        }
        gone.push(copy);
    }
    Ok(gone)
}
