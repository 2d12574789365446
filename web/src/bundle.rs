//! What a bundle in the vault says about its recording, as a row of the index.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_evidence::{Effect, Event, Manifest, ManifestError, PathInBundle, Seal, State, What};
use portcullis_vault::{Key, KeyError, MAX_LIST, Vault, VaultError};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::index::Row;
use crate::lines::{Line, Lines};

/// The longest manifest or seal that is read.
const MAX_JSON_BYTES: u64 = 1024 * 1024;

/// Why a bundle cannot be indexed.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// There is no such bundle, or it has no manifest yet.
    #[error("there is no bundle of this session in the vault")]
    Missing,
    /// Its place is not a place of a bundle.
    #[error("this is not the place of a bundle")]
    Place(#[from] KeyError),
    /// The manifest or the seal is longer than either may be.
    #[error("{0} is too long")]
    TooLong(PathInBundle),
    /// `session.json` cannot be read, so nobody knows whose recording it is.
    #[error("session.json cannot be read")]
    Manifest(#[from] ManifestError),
    /// `session.json` names another place than the one where the bundle lies.
    #[error("session.json is of another bundle, {0}")]
    Stray(String),
    /// The vault failed.
    #[error("the vault failed")]
    Vault(#[from] VaultError),
}

/// Reads the bundle at `prefix` ("sessions/YYYY/MM/DD/<id>"); `now` in Unix seconds.
///
/// Only what says whose the recording is must be sound. A broken line or seal is for `portcullis verify` to tell of: it
/// must not make a recording vanish from the list.
pub(crate) async fn read(vault: &Arc<dyn Vault>, prefix: &str, now: i64) -> Result<Row, BundleError> {
    let manifest = file(vault, prefix, PathInBundle::Session).await?.ok_or(BundleError::Missing)?;
    let manifest = Manifest::from_bytes(&manifest)?;
    if manifest.prefix() != prefix {
        return Err(BundleError::Stray(manifest.prefix()));
    }
    let seal = file(vault, prefix, PathInBundle::Seal).await?;
    let contents = contents(vault, prefix).await?;
    let mut counts = Counts::default();
    for n in &contents.events {
        counts.add(vault, prefix, *n).await?;
    }
    let said = seal.as_deref().map(sealed);
    if let Some(Some(seal)) = said.as_ref().filter(|_| manifest.is_encrypted()) {
        // Events that this gate cannot read: what the seal says of them is all that is known.
        counts.events = seal.events;
        counts.gaps = u64::try_from(seal.gaps.len()).unwrap_or(u64::MAX);
    }
    let ending = match &said {
        None => Ending::live(&counts),
        Some(seal) => seal.as_ref().map_or_else(|| Ending::broken(&counts), Ending::of),
    };
    let expired = vault.len(&Key::of(prefix, PathInBundle::Expired)?).await?.is_some();
    let ending = if expired { ending.expired() } else { ending };
    // Of what is gone the seal still counts the events.
    let events = if expired { ending.events.max(counts.events) } else { counts.events };
    Ok(Row {
        id: manifest.id,
        prefix: prefix.to_owned(),
        subject: manifest.subject,
        issuer: manifest.issuer,
        desktop: manifest.desktop,
        started_us: microseconds(&manifest.started),
        started: manifest.started,
        ended: ending.ended,
        duration_ms: int(ending.duration_us / 1000),
        state: ending.state.to_owned(),
        reason: ending.reason,
        bytes: int(contents.bytes),
        events: int(events),
        denied: int(counts.denied),
        gaps: int(counts.gaps),
        policy_revision: manifest.policy,
        policy_rule: manifest.rule,
        recipients: manifest.recipients.join(" "),
        read_at: now,
    })
}

/// The places of all bundles, in the order of their names.
///
/// One file of a bundle tells of it: the others are skipped, so this costs by the bundle and not by the segment.
pub(crate) async fn places(vault: &dyn Vault) -> Result<Vec<String>, VaultError> {
    let (mut places, mut after): (Vec<String>, _) = (Vec::new(), None);
    while let Some(found) = vault.list("sessions/", after.as_ref(), 1).await?.into_iter().next() {
        let place = place_of(&found.key);
        if place.is_some() && place.as_ref() != places.last() {
            places.extend(place);
        }
        after = Some(behind(found.key));
    }
    Ok(places)
}

/// The bundle that this file belongs to.
fn place_of(key: &Key) -> Option<String> {
    let segments: Vec<_> = key.segments().collect();
    (segments.len() > 5).then(|| segments.get(..5).unwrap_or_default().join("/"))
}

/// A key behind all files of the bundle that this one belongs to, so that what is left of a long bundle is not listed.
///
/// INVARIANT: never before `key`, whatever strange file lies there, so that a listing goes on.
fn behind(key: Key) -> Key {
    let last = place_of(&key).and_then(|place| Key::new(format!("{place}/zzzz")).ok());
    last.into_iter().chain([key.clone()]).max().unwrap_or(key)
}

struct Contents {
    bytes: u64,
    /// The numbers of the segments that have events, rising.
    events: Vec<u32>,
}

async fn contents(vault: &Arc<dyn Vault>, prefix: &str) -> Result<Contents, VaultError> {
    let folder = format!("{prefix}/");
    let (mut bytes, mut events, mut after) = (0_u64, Vec::new(), None);
    loop {
        let page = vault.list(&folder, after.as_ref(), MAX_LIST).await?;
        for entry in &page {
            bytes = bytes.saturating_add(entry.bytes);
            let path = entry.key.as_str().strip_prefix(&folder).and_then(|path| path.parse().ok());
            if let Some(PathInBundle::Events(n)) = path {
                events.push(n);
            }
        }
        after = page.last().filter(|_| page.len() >= MAX_LIST).map(|entry| entry.key.clone());
        if after.is_none() {
            return Ok(Contents { bytes, events });
        }
    }
}

/// The numbers of the segments of the bundle that have events, rising.
pub(crate) async fn event_segments(vault: &Arc<dyn Vault>, prefix: &str) -> Result<Vec<u32>, VaultError> {
    Ok(contents(vault, prefix).await?.events)
}

/// A small file of the bundle; `None` when it is not there.
async fn file(vault: &Arc<dyn Vault>, prefix: &str, path: PathInBundle) -> Result<Option<bytes::Bytes>, BundleError> {
    let key = Key::of(prefix, path)?;
    match vault.len(&key).await? {
        None => Ok(None),
        Some(0) => Ok(Some(bytes::Bytes::new())),
        Some(len) if len > MAX_JSON_BYTES => Err(BundleError::TooLong(path)),
        Some(_) => Ok(Some(vault.read(&key, None).await?)),
    }
}

#[derive(Default)]
struct Counts {
    events: u64,
    denied: u64,
    gaps: u64,
    last_us: u64,
}

impl Counts {
    async fn add(&mut self, vault: &Arc<dyn Vault>, prefix: &str, n: u32) -> Result<(), VaultError> {
        let Some(mut lines) = Lines::open(vault, prefix, n).await? else { return Ok(()) };
        while let Some(line) = lines.next().await? {
            self.events = self.events.saturating_add(1);
            match line {
                Line::Whole(line) => Event::from_line(&line).ok().into_iter().for_each(|event| self.count(&event)),
                Line::Broken => tracing::warn!(bundle = prefix, segment = n, "an event cannot be read"),
            }
        }
        Ok(())
    }

    fn count(&mut self, event: &Event) {
        self.last_us = self.last_us.max(event.at_us);
        self.denied = self.denied.saturating_add(u64::from(is_denied(&event.what)));
        self.gaps = self.gaps.saturating_add(u64::from(matches!(event.what, What::Gap { .. })));
    }
}

fn is_denied(what: &What) -> bool {
    match what {
        What::Paste { effect, .. }
        | What::Copy { effect, .. }
        | What::Control { effect, .. }
        | What::PolicyChanged { effect, .. } => *effect == Effect::Deny,
        What::Refused { .. } | What::ProtocolViolation { .. } => true,
        _ => false,
    }
}

struct Ending {
    state: &'static str,
    reason: String,
    ended: Option<String>,
    duration_us: u64,
    /// Events, as the seal counts them.
    events: u64,
}

impl Ending {
    fn expired(self) -> Self {
        Ending { state: Row::EXPIRED, ..self }
    }

    fn live(counts: &Counts) -> Self {
        Ending { state: Row::LIVE, reason: String::new(), ended: None, duration_us: counts.last_us, events: 0 }
    }

    fn broken(counts: &Counts) -> Self {
        let reason = "seal.json cannot be read".to_owned();
        Ending { state: "interrupted", reason, ended: None, duration_us: counts.last_us, events: 0 }
    }

    fn of(seal: &Seal) -> Self {
        let state = match seal.state {
            State::Closed => "closed",
            State::Interrupted => "interrupted",
        };
        let (reason, ended) = (seal.reason.clone(), Some(seal.ended.clone()));
        Ending { state, reason, ended, duration_us: seal.duration_us, events: seal.events }
    }
}

/// A JWS in flattened JSON (RFC 7515 §7.2.2), of which the payload is wanted.
#[derive(Deserialize)]
struct Flattened {
    payload: String,
}

/// What the seal says; whether its signature is good is for `portcullis verify` to tell.
fn sealed(bytes: &[u8]) -> Option<Seal> {
    let whole: Flattened = serde_json::from_slice(bytes).ok()?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(whole.payload).ok()?).ok()
}

fn microseconds(stamp: &str) -> i64 {
    let nanoseconds = OffsetDateTime::parse(stamp, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp_nanos);
    i64::try_from(nanoseconds / 1000).unwrap_or_default()
}

fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
