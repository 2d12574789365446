//! Bringing finished files from the spool to the vault, one after the other, while the session runs.
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use portcullis_evidence::PathInBundle;
use portcullis_vault::{Key, Vault, VaultError};
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

use crate::error::RecordError;

/// The first wait between two tries, doubled from try to try.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long the manifest may take, with which a session begins: somebody waits for it, and nothing was shown yet.
const BEGINNING: Duration = Duration::from_secs(10);

/// A bundle's place in a vault.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) vault: Arc<dyn Vault>,
    /// `sessions/YYYY/MM/DD/<id>`.
    pub(crate) prefix: String,
    /// How long a file is tried again and again.
    pub(crate) patience: Duration,
}

impl Place {
    /// Stores a file of the bundle in `folder`. It is tried again as long as there is patience.
    pub(crate) async fn store(&self, folder: &Path, path: PathInBundle) -> Result<(), RecordError> {
        if path != PathInBundle::Session {
            return self.store_within(self.patience, folder, path).await;
        }
        let patience = self.patience.min(BEGINNING);
        // A server that takes a connection and then says nothing is not waited for either.
        let stored = tokio::time::timeout(patience.max(BEGINNING), self.store_within(patience, folder, path)).await;
        stored.unwrap_or(Err(RecordError::Silent))
    }

    async fn store_within(&self, patience: Duration, folder: &Path, path: PathInBundle) -> Result<(), RecordError> {
        let key = Key::of(&self.prefix, path).map_err(RecordError::Place)?;
        let from = path.under(folder);
        let began = Instant::now();
        let mut wait = FIRST_WAIT;
        loop {
            let stored = match path {
                PathInBundle::Index => self.vault.replace(&key, &from).await,
                _ => self.vault.put(&key, &from).await,
            };
            let Err(error) = stored else {
                if wait > FIRST_WAIT {
                    tracing::info!(%key, away_seconds = began.elapsed().as_secs(), "the vault takes files again");
                }
                return Ok(());
            };
            let hopeless = matches!(error, VaultError::AlreadyDiffers(_) | VaultError::Unprotected { .. });
            let error = RecordError::Vault(error);
            if hopeless || began.elapsed() + wait > patience {
                return Err(error);
            }
            let left_seconds = patience.saturating_sub(began.elapsed()).as_secs();
            tracing::warn!(%key, error = %error.in_full(), left_seconds, "the vault did not take a file, trying again");
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Stores files as they are finished, until no more will come; or until one is not taken, which ends it.
    pub(crate) async fn store_all(
        &self,
        folder: &Path,
        mut finished: Receiver<PathInBundle>,
    ) -> Result<(), RecordError> {
        while let Some(path) = finished.recv().await {
            self.store(folder, path).await?;
        }
        Ok(())
    }
}
