//! The one way to a bundle: a folder, `s3://bucket/prefix/ID`, or the id of a session in the vault that the configuration names.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use portcullis_evidence::{BundleFolder, Source};
use portcullis_vault::{Key, Place, S3, S3Settings, Stored, Url, Vault, days_of, find_bundle};
use tokio::runtime::{Handle, Runtime};

use crate::config::{Config, VaultKind};
use crate::data::Data;

/// The vault of the configuration with a runtime to wait for it with, for commands: nothing is tried and nothing is written.
pub(crate) struct Reading {
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) runtime: Runtime,
}

impl Reading {
    /// Opens the vault to read from.
    pub(crate) fn open(config: &Config) -> anyhow::Result<Self> {
        Ok(Self { vault: crate::vault::for_reading(config)?, runtime: runtime()? })
    }

    /// Where the bundle of a session lies.
    pub(crate) fn find(&self, id: &str) -> anyhow::Result<Place> {
        let found =
            self.runtime.block_on(find_bundle(self.vault.as_ref(), id)).context("the vault cannot be searched")?;
        found.with_context(|| format!("there is no recording `{}` in the vault", id.escape_debug()))
    }

    /// The files of the bundle there.
    pub(crate) fn source(&self, place: &Key) -> Box<dyn Source> {
        let handle = self.runtime.handle().clone();
        Box::new(Stored::new(Arc::clone(&self.vault), place.clone(), handle))
    }
}

/// A bundle that can be read, wherever it lies.
pub(crate) struct Bundle {
    source: Box<dyn Source>,
    /// Drives what the source waits for; none is needed for a folder.
    _runtime: Option<Runtime>,
}

impl Bundle {
    /// Its files.
    pub(crate) fn source(&self) -> &dyn Source {
        self.source.as_ref()
    }
}

/// Opens the bundle that `named` means: `s3://…`, a folder, or else an id. The configuration is read where it is needed.
pub(crate) fn open(named: &Path, config: impl FnOnce() -> anyhow::Result<Config>) -> anyhow::Result<Bundle> {
    let text = named.to_str().unwrap_or_default();
    if text.starts_with("s3://") {
        return in_bucket(&config()?, text);
    }
    if named.is_dir() {
        return Ok(in_folder(named));
    }
    if text.is_empty() || text.contains(['/', '.']) {
        bail!(
            "{} is not a folder: give the bundle's folder, the one that holds session.json, or a session's id",
            named.display()
        );
    }
    let config = config()?;
    if config.vault.kind == VaultKind::Folder && !Data::at(&config.data).vault().is_dir() {
        bail!("{text} is no folder, and there is no vault in {}", config.data.display());
    }
    let reading = Reading::open(&config)?;
    let place = reading.find(text)?;
    Ok(in_vault(&config, reading, place.key()))
}

/// Opens what was derived of the recording with this id.
pub(crate) fn derived(id: &Path, config: &Config) -> anyhow::Result<Bundle> {
    let text = id.to_str().unwrap_or_default();
    if text.contains('/') || id.is_dir() {
        bail!("give the place of what was made of it, under derived/, or the recording's id");
    }
    let reading = Reading::open(config)?;
    let place = reading.find(text)?.derived()?;
    Ok(in_vault(config, reading, &place))
}

fn in_vault(config: &Config, reading: Reading, place: &Key) -> Bundle {
    match config.vault.kind {
        // As a folder, so that links and special files in it are seen.
        VaultKind::Folder => in_folder(&Data::at(&config.data).vault().join(place.as_str())),
        VaultKind::S3 => stored(reading.vault, place.clone(), reading.runtime),
    }
}

fn in_folder(folder: &Path) -> Bundle {
    Bundle { source: Box::new(BundleFolder::at(folder)), _runtime: None }
}

fn stored(vault: Arc<dyn Vault>, place: Key, runtime: Runtime) -> Bundle {
    let handle: Handle = runtime.handle().clone();
    Bundle { source: Box::new(Stored::new(vault, place, handle)), _runtime: Some(runtime) }
}

/// The bundle at `s3://bucket/prefix/sessions/YYYY/MM/DD/ID`, or `s3://bucket/prefix/ID`, by the way that the configuration names.
fn in_bucket(config: &Config, url: &str) -> anyhow::Result<Bundle> {
    let url: Url = url.parse().with_context(|| format!("{url} is no place in a bucket, s3://bucket/prefix/ID"))?;
    let settings = S3Settings { prefix: String::new(), bucket: url.bucket.clone(), ..config.vault.settings() };
    let vault: Arc<dyn Vault> = Arc::new(S3::for_reading(settings)?);
    let runtime = runtime()?;
    let found = runtime.block_on(async {
        for candidate in candidates(&url.key) {
            if !vault.list(&format!("{candidate}/"), None, 1).await?.is_empty() {
                return Ok(candidate);
            }
        }
        bail!("there is no bundle at {url}: give its whole place, s3://bucket/prefix/sessions/YYYY/MM/DD/ID")
    });
    Ok(stored(vault, found?, runtime))
}

/// Where the bundle may lie: there, or on the days of its id.
fn candidates(key: &Key) -> Vec<Key> {
    let (folder, id) = (key.folder(), key.name());
    let slash = if folder.is_empty() { "" } else { "/" };
    let on = |day: String| Key::new(format!("{folder}{slash}sessions/{day}/{id}")).ok();
    std::iter::once(key.clone()).chain(days_of(id).filter_map(on)).collect()
}

fn runtime() -> anyhow::Result<Runtime> {
    // With a thread of its own: whoever waits for an answer does not drive it.
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_may_be_named_short() {
        let found = |text: &str| candidates(&Key::new(text).unwrap()).iter().map(Key::to_string).collect::<Vec<_>>();
        let id = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
        let days = ["2022/02/22", "2022/02/21", "2022/02/23"].map(|day| format!("p/q/sessions/{day}/{id}"));
        assert_eq!(found(&format!("p/q/{id}"))[1..], days);
        assert_eq!(found(id)[1], format!("sessions/2022/02/22/{id}"));
        assert_eq!(found("p/somewhere"), ["p/somewhere"]);
    }
}
