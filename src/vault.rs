//! The vault that the configuration names: opened for `serve`, looked at by `doctor`, read by commands.

use std::sync::Arc;

use anyhow::{Context, bail};
use portcullis_vault::{Folder, Property, S3, S3Settings, Standing, Vault};

use crate::config::{Config, VaultKind};
use crate::data::Data;

/// What any server may leave undone; Object Lock is looked at where it is asked for.
const PROPERTIES: [Property; 3] = [Property::Checksums, Property::Preconditions, Property::Versioning];

/// Opens the vault; a bucket that does not do what is asked of it is refused.
pub(crate) async fn open(config: &Config, data: &Data) -> anyhow::Result<Arc<dyn Vault>> {
    match config.vault.kind {
        VaultKind::Folder => Ok(Arc::new(Folder::open(&data.vault())?)),
        VaultKind::S3 => {
            let settings = config.vault.settings();
            let (place, locks) = (place(&settings), locks(&settings));
            let vault = S3::open(settings).await.context("the vault cannot be opened")?;
            tracing::info!(vault = place, locks, "recordings go to a bucket");
            for reason in lacking(vault.standing()) {
                tracing::warn!(vault = place, reason, "the bucket's server does less than it could");
            }
            Ok(Arc::new(vault))
        }
    }
}

/// Opens the vault for a command: nothing is tried, and a folder that is not there is not made.
pub(crate) fn for_reading(config: &Config) -> anyhow::Result<Arc<dyn Vault>> {
    match config.vault.kind {
        VaultKind::Folder => {
            let folder = Data::at(&config.data).vault();
            if !folder.is_dir() {
                bail!(
                    "there is no vault in {}: say where the gate's data is with --data or --config",
                    config.data.display()
                );
            }
            Ok(Arc::new(Folder::open(&folder)?))
        }
        VaultKind::S3 => Ok(Arc::new(S3::for_reading(config.vault.settings())?)),
    }
}

/// Says in a line what the vault is and does; whether the gate can use it.
pub(crate) async fn look(config: &Config) -> bool {
    if config.vault.kind == VaultKind::Folder {
        println!("{:<10} {}", "vault", Data::at(&config.data).vault().display());
        return lockable(config, None).await;
    }
    let settings = config.vault.settings();
    let (place, locks) = (place(&settings), locks(&settings));
    match S3::open(settings).await {
        Ok(vault) => {
            println!("{:<10} {place:<28} takes recordings; {locks}", "vault");
            lacking(vault.standing()).iter().for_each(|reason| println!("{:<10} {:<28} {reason}", "", ""));
            lockable(config, Some(Arc::new(vault))).await
        }
        Err(error) => {
            println!("{:<10} {place:<28} {:#}", "vault", anyhow::Error::new(error));
            false
        }
    }
}

/// Says what is wrong if a policy in the configuration's folder asks for a lock that the vault cannot give.
async fn lockable(config: &Config, vault: Option<Arc<dyn Vault>>) -> bool {
    let Some(policies) = crate::policy::in_folder(&config.policy) else { return true };
    let unlockable = match vault {
        Some(vault) => crate::retention::unlockable(&policies, &vault).await,
        None => {
            policies.firmest_lock().map(|lock| format!("{} asks for a lock, which a folder cannot give", lock.rule))
        }
    };
    let Some(reason) = unlockable else { return true };
    println!("{:<10} {:<28} {reason}", "", "");
    false
}

fn place(settings: &S3Settings) -> String {
    format!("s3://{}/{}", settings.bucket, settings.prefix)
}

fn locks(settings: &S3Settings) -> String {
    let lock = settings.lock.map(|lock| format!("locked ({}) for {} days", lock.mode, lock.keep.as_secs() / 86_400));
    let hold = settings.legal_hold.then(|| "held until the hold is taken off".to_owned());
    let words: Vec<_> = lock.into_iter().chain(hold).collect();
    if words.is_empty() { "not locked".to_owned() } else { words.join(", ") }
}

fn lacking(standing: &Standing) -> Vec<String> {
    let lack = |property: Property| standing.of(property).err().map(|reason| format!("{property}: {reason}"));
    PROPERTIES.into_iter().filter_map(lack).collect()
}
