//! The destinations of events: made of the configuration, opened for the gate, and `portcullis alerts test`.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use async_trait::async_trait;
use clap::Subcommand;
use portcullis_alerts::{Answer, Destination, Entry, Exports, Facility, Places, Syslog, To, Webhook};
use portcullis_evidence::stamp;
use portcullis_proxy::Aftermath;
use portcullis_vault::Vault;
use time::OffsetDateTime;

use crate::DataArgs;
use crate::config::{self, Alert, Config};
use crate::data::Data;
use crate::portal::Indexed;

/// The time that the last events of a gate that stops have to be taken.
pub(crate) const PARTING: Duration = Duration::from_secs(3);
/// Bytes of a secret's file, and of one of certificates.
const MAX_SECRET_FILE: u64 = 4096;
const MAX_CERTIFICATES: u64 = 256 * 1024;
/// The bits of a file's mode that let everybody in.
const EVERYBODY: u32 = 0o007;

/// `portcullis alerts`.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// Send a test event, of type `alerts_test`, to one destination and print its answer: exit 0 when it was taken, 1 when not
    Test {
        /// The destination, as the configuration calls it
        name: String,
        #[command(flatten)]
        place: DataArgs,
    },
}

/// What follows a session: the index, and who exports its events.
pub(crate) struct Exported {
    pub(crate) index: Indexed,
    pub(crate) exports: Exports,
}

#[async_trait]
impl Aftermath for Exported {
    fn begun(&self, bundle: &str) {
        self.exports.begun(bundle);
    }

    async fn opened(&self, session: &str) {
        self.index.opened(session).await;
    }

    async fn sealed(&self, session: &str) {
        self.index.sealed(session).await;
    }
}

/// Opens the couriers of every destination.
pub(crate) fn open(config: &Config, data: &Data, vault: &Arc<dyn Vault>) -> anyhow::Result<Exports> {
    let destinations = config.alerts.iter().map(destination).collect::<anyhow::Result<Vec<_>>>()?;
    let places = Places { spool: data.spool(), journal: data.journal(), vault: Arc::clone(vault) };
    Exports::open(&data.alerts(), places, destinations)
        .with_context(|| format!("what was delivered cannot be read in {}", data.alerts().display()))
}

fn destination(alert: &Alert) -> anyhow::Result<Destination> {
    let to = to(&alert.to).with_context(|| format!("the alert `{}`", alert.name))?;
    Ok(Destination { name: alert.name.clone(), choice: alert.choice.clone(), keep: alert.keep, to })
}

fn to(written: &config::To) -> anyhow::Result<To> {
    Ok(match written {
        config::To::Webhook(written) => {
            let secret = secret(&written.secret_file)?;
            let ca = written.ca.as_deref().map(certificates).transpose()?;
            let patience = Duration::from_secs(written.timeout_seconds);
            To::Webhook(Webhook::new(&written.url, &secret, ca.as_deref(), patience)?)
        }
        config::To::Syslog(written) => {
            let ca = written.ca.as_deref().map(certificates).transpose()?;
            let facility = Facility::named(&written.facility).context("no such facility")?;
            let hostname = written.hostname.clone().unwrap_or_else(Syslog::own_hostname);
            To::Syslog(Syslog::new(&written.address, written.tls, ca.as_deref(), facility, &hostname)?)
        }
        config::To::Stdout => To::Stdout,
    })
}

/// The secret in a file, less the line end behind it.
fn secret(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = bounded(path, MAX_SECRET_FILE)?;
    if std::fs::metadata(path)?.mode() & EVERYBODY != 0 {
        bail!("everybody on this machine may read {}: chmod o= it", path.display());
    }
    while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        bytes.pop();
    }
    Ok(bytes)
}

fn certificates(path: &Path) -> anyhow::Result<Vec<u8>> {
    bounded(path, MAX_CERTIFICATES)
}

fn bounded(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = read().with_context(|| format!("{} cannot be read", path.display()))?;
    if u64::try_from(bytes.len())? > most {
        bail!("{} has more than {most} bytes", path.display());
    }
    Ok(bytes)
}

/// Prints one line per destination; whether all were reached.
pub(crate) async fn knock(config: &Config) -> bool {
    let mut sound = true;
    for alert in &config.alerts {
        let found = match destination(alert) {
            Ok(destination) => destination.sink().knock().await,
            Err(error) => Err(format!("{error:#}")),
        };
        sound &= found.is_ok();
        println!("{:<10} {:<28} {}", alert.name, kind(&alert.to), found.unwrap_or_else(|reason| reason));
    }
    sound
}

fn kind(to: &config::To) -> String {
    match to {
        // What follows may be a secret of the receiver's.
        config::To::Webhook(webhook) => webhook.url.split('?').next().unwrap_or_default().to_owned(),
        config::To::Syslog(syslog) => syslog.address.clone(),
        config::To::Stdout => "stdout".to_owned(),
    }
}

/// Runs `portcullis alerts`.
pub(crate) fn run(command: &AlertsCommand) -> anyhow::Result<ExitCode> {
    let AlertsCommand::Test { name, place } = command;
    let config = place.load()?;
    let Some(alert) = config.alerts.iter().find(|alert| alert.name == *name) else {
        let names: Vec<_> = config.alerts.iter().map(|alert| alert.name.as_str()).collect();
        bail!("there is no alert `{name}` in the configuration, which has: {}", names.join(", "));
    };
    let sink = destination(alert)?.sink();
    let entry = Entry::test(&stamp(OffsetDateTime::now_utc()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    Ok(match runtime.block_on(sink.deliver(&entry)) {
        Answer::Taken(words) => {
            eprintln!("`{name}` took {}: {words}", entry.id);
            ExitCode::SUCCESS
        }
        Answer::Refused(words) => {
            eprintln!("`{name}` refused {} for good: {words}", entry.id);
            ExitCode::FAILURE
        }
        Answer::Later { why, .. } => {
            eprintln!("`{name}` did not take {}; a gate would try again: {why}", entry.id);
            ExitCode::FAILURE
        }
    })
}
