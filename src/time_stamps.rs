//! Time stamps of seals (RFC 3161): asked of an authority once a bundle is sealed, verified, and only then stored beside the seal.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use portcullis_evidence::{Authorities, MAX_TIME_STAMP_BYTES, PathInBundle, time_stamp_request};
use portcullis_vault::keeping::Keeper;
use portcullis_vault::{Key, MAX_LIST, Place, Vault};
use time::OffsetDateTime;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use uuid::Uuid;

use crate::config::Config;
use crate::data::Data;

/// Sealed sessions that wait for their stamp; of more, the next start of the gate finds the bundles.
const MAX_WAITING: usize = 1024;
/// How long an authority has for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two attempts: the first wait, doubled up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Attempts for one bundle; what fails is tried again at the next start.
const ATTEMPTS: u32 = 12;
/// How far back a start looks for seals without a stamp.
const DAYS: i64 = 7;

/// Where sealed sessions are announced.
#[derive(Clone)]
pub(crate) struct Stamps(Option<Sender<String>>);

/// Has seals stamped.
struct Stamper {
    url: String,
    authorities: Authorities,
    http: reqwest::Client,
    vault: Arc<dyn Vault>,
    /// Locks and holds a stamp as its bundle is.
    keeper: Arc<Keeper>,
    /// Where an answer lies until the vault has it.
    scratch: PathBuf,
}

impl Stamps {
    /// Begins to stamp, if the configuration names an authority: first what earlier runs left.
    pub(crate) fn start(config: &Config, data: &Data, keeper: &Arc<Keeper>) -> anyhow::Result<Self> {
        let (url, path) = (&config.recording.time_stamp_url, &config.recording.time_stamp_authorities);
        if url.is_empty() {
            return Ok(Self(None));
        }
        let pem = std::fs::read_to_string(path)
            .with_context(|| format!("recording.time_stamp_authorities: {} cannot be read", path.display()))?;
        let authorities = Authorities::from_pem(&pem).with_context(|| format!("{}", path.display()))?;
        let stamper = Stamper::new(url, authorities, Arc::clone(keeper), data.run().join("seal.tsr"))?;
        let (sender, waiting) = channel(MAX_WAITING);
        tokio::spawn(stamper.run(waiting));
        Ok(Self(Some(sender)))
    }

    /// A session's bundle is sealed and in the vault.
    pub(crate) fn sealed(&self, session: &str) {
        if let Some(sender) = &self.0
            && sender.try_send(session.to_owned()).is_err()
        {
            tracing::warn!(session, "too many seals wait for their time stamp; this one waits for the next start");
        }
    }
}

impl Stamper {
    fn new(url: &str, authorities: Authorities, keeper: Arc<Keeper>, scratch: PathBuf) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build()?;
        let vault = Arc::clone(&keeper.vault);
        Ok(Self { url: url.to_owned(), authorities, http, vault, keeper, scratch })
    }

    async fn run(self, mut waiting: Receiver<String>) {
        match self.left_over(OffsetDateTime::now_utc()).await {
            Ok(bundles) => {
                for bundle in bundles {
                    self.patiently(&bundle).await;
                }
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "seals without a time stamp were not looked for")
            }
        }
        while let Some(session) = waiting.recv().await {
            match self.place(&session).await {
                Some(bundle) => self.patiently(&bundle).await,
                None => tracing::warn!(session, "the bundle to be time-stamped was not found"),
            }
        }
    }

    /// Bundles of the last days that have a seal and no stamp.
    async fn left_over(&self, now: OffsetDateTime) -> anyhow::Result<BTreeSet<String>> {
        let (mut sealed, mut stamped) = (BTreeSet::new(), BTreeSet::new());
        for day in (0..DAYS).filter_map(|days| now.checked_sub(time::Duration::days(days))) {
            let prefix = day_of(day);
            let mut after = None;
            loop {
                let page = self.vault.list(&prefix, after.as_ref(), MAX_LIST).await?;
                for entry in &page {
                    match entry.key.name() {
                        "seal.json" => sealed.insert(entry.key.folder().to_owned()),
                        "seal.tsr" => stamped.insert(entry.key.folder().to_owned()),
                        _ => false,
                    };
                }
                after = page.last().map(|entry| entry.key.clone());
                if page.len() < MAX_LIST {
                    break;
                }
            }
        }
        Ok(sealed.difference(&stamped).cloned().collect())
    }

    /// Where the bundle of a session lies: its id tells when it began, which may have been just before midnight.
    async fn place(&self, session: &str) -> Option<String> {
        let (seconds, _) = Uuid::try_parse(session).ok()?.get_timestamp()?.to_unix();
        let began = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
        for hours in [0, 1, -1] {
            let bundle = format!("{}{session}", day_of(began.checked_add(time::Duration::hours(hours))?));
            let key = Key::of(&bundle, PathInBundle::Seal).ok()?;
            if matches!(self.vault.len(&key).await, Ok(Some(_))) {
                return Some(bundle);
            }
        }
        None
    }

    async fn patiently(&self, bundle: &str) {
        let mut wait = FIRST_WAIT;
        for attempt in 1..=ATTEMPTS {
            match self.stamp(bundle).await {
                Ok(Some(time)) => return tracing::info!(bundle, %time, "the seal is time-stamped"),
                Ok(None) => return,
                Err(error) => tracing::warn!(bundle, attempt, error = format!("{error:#}"), "no time stamp yet"),
            }
            if attempt < ATTEMPTS {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
        tracing::error!(bundle, "the seal has no time stamp; the next start of the gate asks again");
    }

    /// Has the seal of one bundle stamped; the time that was stamped, or nothing if it has a stamp already.
    async fn stamp(&self, bundle: &str) -> anyhow::Result<Option<OffsetDateTime>> {
        let at = Key::of(bundle, PathInBundle::TimeStamp)?;
        if self.vault.len(&at).await?.is_some() {
            self.guard(&at).await?;
            return Ok(None);
        }
        let seal = self.vault.read(&Key::of(bundle, PathInBundle::Seal)?, None).await?;
        let nonce = rand::random();
        let answer = self.ask(time_stamp_request(&seal, nonce)).await?;
        let stamp =
            self.authorities.verify(&answer, &seal, Some(nonce)).context("the authority's answer does not hold")?;
        tokio::fs::write(&self.scratch, &answer).await.context("the answer cannot be written")?;
        self.vault.put(&at, &self.scratch).await?;
        let _ = tokio::fs::remove_file(&self.scratch).await;
        self.guard(&at).await?;
        Ok(Some(stamp.time))
    }

    /// INVARIANT: a stamp is locked and held as what it stamps: nothing lists it, and once a key is revoked it is what tells old from forged.
    async fn guard(&self, at: &Key) -> anyhow::Result<()> {
        let place = Place::of(at).context("a stamp lies in a bundle")?;
        let guarded = self.keeper.guard(&place, PathInBundle::TimeStamp, OffsetDateTime::now_utc()).await;
        guarded.context("the stamp is stored, and not locked or held as the recording is")
    }

    async fn ask(&self, request: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        let asked = self.http.post(&self.url).header("content-type", "application/timestamp-query").body(request);
        let mut answer = asked.send().await.context("the authority cannot be reached")?;
        ensure!(answer.status().is_success(), "the authority answered {}", answer.status());
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if bytes.len().saturating_add(chunk.len()) > MAX_TIME_STAMP_BYTES {
                bail!("the authority's answer is longer than {MAX_TIME_STAMP_BYTES} bytes");
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// Where the bundles of a day lie, with a slash at the end.
fn day_of(day: OffsetDateTime) -> String {
    let day = day.date();
    format!("sessions/{:04}/{:02}/{:02}/", day.year(), u8::from(day.month()), day.day())
}

#[cfg(test)]
mod tests;
