//! The vault that the configuration names: opened for `serve`, looked at by `doctor`, read by `verify s3://…`.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use portcullis_evidence::PathInBundle;
use portcullis_vault::{Folder, Key, Property, S3, S3Settings, Standing, Url, Vault};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

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

/// Says in a line what the vault is and does; whether the gate can use it.
pub(crate) async fn look(config: &Config) -> bool {
    if config.vault.kind == VaultKind::Folder {
        println!("{:<10} {}", "vault", Data::at(&config.data).vault().display());
        return true;
    }
    let settings = config.vault.settings();
    let (place, locks) = (place(&settings), locks(&settings));
    match S3::open(settings).await {
        Ok(vault) => {
            println!("{:<10} {place:<28} takes recordings; {locks}", "vault");
            lacking(vault.standing()).iter().for_each(|reason| println!("{:<10} {:<28} {reason}", "", ""));
            true
        }
        Err(error) => {
            println!("{:<10} {place:<28} {:#}", "vault", anyhow::Error::new(error));
            false
        }
    }
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

/// A bundle that was brought from a bucket; the folder goes with it.
pub(crate) struct Brought {
    folder: TempDir,
    /// Objects under its place whose names no file of a bundle can have.
    pub(crate) strange: Vec<String>,
}

impl Brought {
    /// The bundle's folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Brings the bundle at `s3://bucket/prefix/sessions/YYYY/MM/DD/ID`, or `s3://bucket/prefix/ID`, by the way that the configuration names.
pub(crate) fn bring(config: &Config, url: &str) -> anyhow::Result<Brought> {
    let url: Url = url.parse().with_context(|| format!("{url} is no place in a bucket, s3://bucket/prefix/ID"))?;
    let settings = S3Settings { prefix: String::new(), bucket: url.bucket.clone(), ..config.vault.settings() };
    let vault = S3::for_reading(settings)?;
    let folder = tempfile::Builder::new().prefix("portcullis-verify-").tempdir()?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut place = None;
        for candidate in places(&url.key) {
            if vault.len(&Key::of(candidate.as_str(), PathInBundle::Session)?).await?.is_some() {
                place = Some(candidate);
                break;
            }
        }
        // A bundle without its manifest is a bundle too, and a faulty one.
        let place = place.unwrap_or_else(|| url.key.clone());
        let fetched = vault.fetch(&place, folder.path()).await?;
        if fetched.objects == 0 {
            bail!("there is no bundle at {url}: give its whole place, s3://bucket/prefix/sessions/YYYY/MM/DD/ID");
        }
        Ok(Brought { folder, strange: fetched.strange })
    })
}

/// Where the bundle may lie: there, or on the days around the time that is in an id of version 7 (RFC 9562 §5.7).
fn places(key: &Key) -> Vec<Key> {
    let (folder, id) = (key.folder(), key.name());
    let digits = id.get(..8).zip(id.get(9..13)).map(|(high, low)| format!("{high}{low}"));
    let seconds =
        digits.and_then(|digits| i64::from_str_radix(&digits, 16).ok()).map(|milliseconds| milliseconds / 1000);
    let began = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let days = began.into_iter().flat_map(|began| [0, -1, 1].map(|days| began.saturating_add(Duration::days(days))));
    let on = |day: OffsetDateTime| {
        let (year, month, day) = day.to_calendar_date();
        let slash = if folder.is_empty() { "" } else { "/" };
        Key::new(format!("{folder}{slash}sessions/{year:04}/{:02}/{day:02}/{id}", u8::from(month))).ok()
    };
    std::iter::once(key.clone()).chain(days.filter_map(on)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_looked_for_on_its_days() {
        let found = |text: &str| places(&Key::new(text).unwrap()).iter().map(Key::to_string).collect::<Vec<_>>();
        let id = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
        let days = ["2022/02/22", "2022/02/21", "2022/02/23"].map(|day| format!("p/q/sessions/{day}/{id}"));
        assert_eq!(found(&format!("p/q/{id}"))[1..], days);
        assert_eq!(found(id)[1], format!("sessions/2022/02/22/{id}"));
        assert_eq!(found("p/somewhere"), ["p/somewhere"]);
    }
}
