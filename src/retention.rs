//! Retention in a gate that runs: recordings whose time is over go, one sweep at a time; and what no vault can lock is said beforehand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use portcullis_evidence::{SigningKey, What};
use portcullis_policy::{Lock, PolicySet};
use portcullis_proxy::files::Depot;
use portcullis_proxy::journal::About;
use portcullis_proxy::outcome::chain;
use portcullis_proxy::{Enforced, Journal};
use portcullis_vault::keeping::{CLOCKS_DIFFER, Fate, KeepError, Keeper};
use portcullis_vault::{LockMode, Place, Vault, VaultError, next_bundle};
use portcullis_web::Portal;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::data::Data;
use crate::quarantine::{self, Spared};

/// Who lets recordings expire, where no person does.
pub(crate) const GATE: &str = "portcullis";
/// How long after its start a gate first looks: what it recovers comes first.
const FIRST: Duration = Duration::from_secs(10);

/// The keeper of the configuration's vault, with the keys in the data folder.
pub(crate) fn keeper(
    config: &Config,
    data: &Data,
    vault: Arc<dyn Vault>,
    key: Arc<SigningKey>,
) -> anyhow::Result<Keeper> {
    let mut trust = crate::trust::own(data)?.trust;
    let authorities = &config.recording.time_stamp_authorities;
    if !config.recording.time_stamp_url.is_empty() {
        let pem = std::fs::read_to_string(authorities)
            .with_context(|| format!("recording.time_stamp_authorities: {} cannot be read", authorities.display()))?;
        trust = trust.with_authorities(&pem).with_context(|| format!("{}", authorities.display()))?;
    }
    Ok(Keeper { vault, trust, key, keep: config.retention.keep(), replace_after: config.retention.replace_after() })
}

/// One way through the vault: what is due goes, or is only said to.
pub(crate) struct Sweep<'a> {
    keeper: &'a Keeper,
    by: &'a str,
    trial: bool,
    last: Option<Place>,
}

impl<'a> Sweep<'a> {
    /// From the first recording on; `trial` changes nothing.
    pub(crate) fn begin(keeper: &'a Keeper, by: &'a str, trial: bool) -> Self {
        Self { keeper, by, trial, last: None }
    }

    /// The next recording, and what became of it; `None` behind the last.
    pub(crate) async fn next(&mut self) -> Result<Option<(Place, Result<Fate, KeepError>)>, VaultError> {
        let Some(place) = next_bundle(self.keeper.vault.as_ref(), self.last.as_ref()).await? else { return Ok(None) };
        let fate = self.keeper.expire(&place, self.by, OffsetDateTime::now_utc(), self.trial).await;
        self.last = Some(place.clone());
        Ok(Some((place, fate)))
    }
}

/// Writes into the journal that a recording expired, when that is what became of it.
pub(crate) fn note(journal: &Journal, by: &str, place: &Place, fate: &Fate) {
    let reason = match fate {
        Fate::Expired { reason, .. } => reason.clone(),
        Fate::Gone { objects } if *objects > 0 => "what its expiry had left went".to_owned(),
        _ => return,
    };
    let about = About { subject: by, session: place.id(), ..About::default() };
    journal.note(about, What::RecordingExpired { recording: place.id().to_owned(), reason });
}

/// Looks again and again, as often as the configuration says.
pub(crate) fn start(
    config: &Config,
    keeper: Arc<Keeper>,
    journal: Arc<Journal>,
    portal: Portal,
    files: Arc<Depot>,
) -> Option<JoinHandle<()>> {
    let (every, trial) = (config.retention.every()?, config.retention.dry_run);
    Some(tokio::spawn(async move {
        let mut wait = FIRST.min(every);
        loop {
            let (asleep, asleep_at) = (Instant::now(), OffsetDateTime::now_utc());
            tokio::time::sleep(wait).await;
            wait = every;
            // INVARIANT: a clock that was set forward lets nothing expire before a whole round has passed under it.
            let by_timer =
                asleep_at.checked_add(time::Duration::try_from(asleep.elapsed() + CLOCKS_DIFFER).unwrap_or_default());
            if by_timer.is_none_or(|by_timer| OffsetDateTime::now_utc() > by_timer) {
                tracing::warn!("the clock was set forward: what is due is looked for in the next round");
                continue;
            }
            let (mut sweep, mut spared) = (Sweep::begin(&keeper, GATE, trial), Spared::default());
            let whole = loop {
                let next = sweep.next().await;
                if let Ok(Some((place, fate))) = &next {
                    spared.hear(place, fate);
                }
                match next {
                    Ok(None) => break true,
                    Ok(Some((place, Ok(fate)))) => {
                        note(&journal, GATE, &place, &fate);
                        heard(&portal, &place, &fate).await;
                    }
                    Ok(Some((place, Err(error)))) => {
                        tracing::warn!(
                            recording = place.id(),
                            error = chain(&error),
                            "a recording did not expire, and stays"
                        );
                    }
                    Err(error) => {
                        tracing::error!(error = chain(&error), "the vault could not be looked through for what is due");
                        break false;
                    }
                }
            };
            if whole {
                copies(&files, spared, &journal, trial).await;
            }
        }
    }))
}

/// Lets quarantined copies go whose time is over.
async fn copies(files: &Arc<Depot>, spared: Spared, journal: &Arc<Journal>, trial: bool) {
    let (files, journal) = (Arc::clone(files), (!trial).then(|| Arc::clone(journal)));
    let expiring =
        tokio::task::spawn_blocking(move || quarantine::expire(&files.quarantine, &spared, GATE, journal.as_deref()));
    match expiring.await {
        Ok(Ok(gone)) => {
            for copy in gone {
                tracing::info!(copy = copy.place, trial, "the time of a quarantined copy is over");
            }
        }
        Ok(Err(error)) => tracing::error!(%error, "quarantined copies could not be looked through for what is due"),
        // The gate is stopping.
        Err(_) => {}
    }
}

async fn heard(portal: &Portal, place: &Place, fate: &Fate) {
    match fate {
        Fate::Expired { .. } | Fate::Due { .. } => tracing::info!(recording = place.id(), %fate, "retention"),
        _ => tracing::debug!(recording = place.id(), %fate, "retention"),
    }
    if matches!(fate, Fate::Expired { .. } | Fate::Gone { .. })
        && let Err(error) = portal.mark_expired(place.id()).await
    {
        tracing::warn!(
            recording = place.id(),
            error = chain(&error),
            "the index does not say that a recording expired"
        );
    }
}

/// What is wrong if a policy asks for a lock that the vault cannot give; sessions that it applies to will be refused.
pub(crate) async fn unlockable(policies: &PolicySet, vault: &Arc<dyn Vault>) -> Option<String> {
    let lock = policies.firmest_lock()?;
    let mode = match lock.value {
        Lock::None => return None,
        Lock::Governance => LockMode::Governance,
        Lock::Compliance => LockMode::Compliance,
    };
    let asked = portcullis_vault::Lock { mode, keep: Duration::from_secs(86_400) };
    let refused = Arc::clone(vault).locked(asked).await.err()?;
    Some(format!("{} asks for a {mode} lock: {}; sessions that it applies to are refused", lock.rule, chain(&refused)))
}

/// Says so at the start, and whenever other policies come into force.
pub(crate) fn warn(mut policies: watch::Receiver<Arc<Enforced>>, vault: Arc<dyn Vault>) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let now = policies.borrow_and_update().clone();
            if let Some(reason) = unlockable(&now, &vault).await {
                tracing::error!(reason, "policy asks for more than the vault can do");
            }
            if policies.changed().await.is_err() {
                return;
            }
        }
    })
}
