//! How long a recording's objects are locked: a little longer than it is kept at first, and as long as its seal says in the end.
use std::sync::Arc;
use std::time::Duration;

use portcullis_evidence::{KeepLock, KeepTerms, Seal, parse_stamp};
use portcullis_vault::{Key, Lock, LockMode, MAX_LIST, Vault, VaultError};

use crate::error::RecordError;

/// By how much a lock is longer at most than the recording is kept, so that what is stored early in a session outlasts its end without
/// being locked again: a day, or a tenth of the time.
const LONGEST_EXCESS: Duration = Duration::from_secs(86_400);

/// The vault as this session needs it: one that locks, where it is asked to.
pub(crate) async fn locking(vault: Arc<dyn Vault>, terms: Option<KeepTerms>) -> Result<Arc<dyn Vault>, RecordError> {
    let Some((mode, terms)) = terms.and_then(|terms| Some((mode(terms.lock)?, terms))) else { return Ok(vault) };
    let keep = Duration::from_secs(terms.seconds);
    let lock = Lock { mode, keep: keep.saturating_add(excess(keep)) };
    vault.locked(lock).await.map_err(RecordError::Vault)
}

/// Locks every object of a sealed bundle until its seal's `keep` is over, where what it got when it was stored may not reach so far.
pub(crate) async fn settle(
    vault: &dyn Vault,
    prefix: &str,
    terms: Option<KeepTerms>,
    seal: &Seal,
) -> Result<(), RecordError> {
    let Some((mode, keep)) = seal.keep.as_ref().and_then(|keep| Some((mode(keep.lock)?, keep))) else { return Ok(()) };
    let until = parse_stamp(&keep.until).ok_or(RecordError::Died)?;
    if terms.is_some_and(|terms| reaches(terms, seal)) {
        return Ok(());
    }
    let folder = format!("{prefix}/");
    let mut after: Option<Key> = None;
    loop {
        let page = vault.list(&folder, after.as_ref(), MAX_LIST).await.map_err(RecordError::Vault)?;
        for entry in &page {
            match vault.lock_until(&entry.key, mode, until).await {
                Ok(()) | Err(VaultError::NotFound(_)) => {}
                Err(error) => return Err(RecordError::Vault(error)),
            }
        }
        after = page.last().filter(|_| page.len() >= MAX_LIST).map(|entry| entry.key.clone());
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Whether what was stored at the session's very beginning is locked for as long as the seal says.
fn reaches(terms: KeepTerms, seal: &Seal) -> bool {
    let asked = seal.keep.as_ref().zip(parse_stamp(&seal.ended)).and_then(|(keep, ended)| {
        let span = parse_stamp(&keep.until)? - ended;
        Some((keep.lock, Duration::try_from(span).ok()?))
    });
    let keep = Duration::from_secs(terms.seconds);
    // A minute for what begins before its first object is stored, and for clocks that step.
    let lasted = Duration::from_micros(seal.duration_us).saturating_add(Duration::from_secs(60));
    asked.is_some_and(|(lock, span)| lock == terms.lock && span <= keep) && lasted <= excess(keep)
}

fn excess(keep: Duration) -> Duration {
    (keep / 10).min(LONGEST_EXCESS)
}

fn mode(lock: KeepLock) -> Option<LockMode> {
    match lock {
        KeepLock::None => None,
        KeepLock::Governance => Some(LockMode::Governance),
        KeepLock::Compliance => Some(LockMode::Compliance),
    }
}
