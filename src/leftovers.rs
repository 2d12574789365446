//! What an outage of the vault left in the spool is brought there while the gate runs on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portcullis_evidence::SigningKey;
use portcullis_proxy::Aftermath;
use portcullis_proxy::outcome::chain;
use portcullis_recorder::{Config, recover_those};
use portcullis_vault::Vault;
use tokio::task::JoinHandle;

/// Between two looks, at most: what is left lies on this machine's disk alone.
const LONGEST: Duration = Duration::from_secs(300);
/// And at least.
const SHORTEST: Duration = Duration::from_secs(2);

/// How many recordings are left in the spool of sessions that are over, as the last look found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Left(Arc<AtomicUsize>);

impl Left {
    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Looks again and again, from now on; `left` is told what could not be brought.
///
/// INVARIANT: sessions that run are spared by the locks of their spools, and those that only begin by not having been there at the last look.
pub(crate) fn start(
    config: &Config,
    vault: Arc<dyn Vault>,
    key: Arc<SigningKey>,
    aftermath: Arc<dyn Aftermath>,
    left: Left,
) -> JoinHandle<()> {
    // What is prepared is for sessions that somebody waits for.
    let config = Config { ahead: None, ..config.clone() };
    let every = config.patience.clamp(SHORTEST, LONGEST);
    tokio::spawn(async move {
        let mut before = BTreeSet::new();
        loop {
            tokio::time::sleep(every).await;
            let mut there = BTreeSet::new();
            let meant = |session: &str| {
                there.insert(session.to_owned());
                before.contains(session)
            };
            let found = recover_those(config.clone(), Arc::clone(&vault), Arc::clone(&key), meant).await;
            let mut failed = 0_usize;
            for one in found {
                match one.outcome {
                    Ok(_) => {
                        tracing::warn!(
                            session = one.session,
                            "brought a recording to the vault that an outage had left"
                        );
                        aftermath.sealed(&one.session).await;
                    }
                    Err(error) => {
                        failed = failed.saturating_add(1);
                        tracing::error!(session = one.session, error = chain(&error), "a recording stays in the spool");
                    }
                }
            }
            left.0.store(failed, Ordering::Relaxed);
            before = there;
        }
    })
}
