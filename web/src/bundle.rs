//! What a bundle in the vault says about its recording, as a row of the index.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_evidence::{Effect, Manifest, ManifestError, PathInBundle, ReadingKind, Seal, State, TextTerms, What};
use portcullis_vault::{Key, KeyError, MAX_LIST, Vault, VaultError};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::index::{Entry, Row};

/// The longest manifest or seal that is read.
const MAX_JSON_BYTES: u64 = 1024 * 1024;

/// Groups of a subject that the index knows.
const MAX_GROUPS: usize = 256;

/// Characters of a revision or a rule that the index knows.
pub(crate) const MAX_NAME: usize = 256;

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

/// What is known of a recording without its events.
///
/// Only what says whose it is must be sound. A broken line or seal is for `portcullis verify` to tell of: it must not
/// make a recording vanish from the list.
pub(crate) struct Head {
    manifest: Manifest,
    /// `None` inside: it has a seal that cannot be read.
    seal: Option<Option<Seal>>,
    contents: Contents,
    expired: bool,
}

/// Reads the head of the bundle at `prefix` ("sessions/YYYY/MM/DD/<id>").
pub(crate) async fn head(vault: &Arc<dyn Vault>, prefix: &str) -> Result<Head, BundleError> {
    let manifest = file(vault, prefix, PathInBundle::Session).await?.ok_or(BundleError::Missing)?;
    let manifest = Manifest::from_bytes(&manifest)?;
    if manifest.prefix() != prefix {
        return Err(BundleError::Stray(manifest.prefix()));
    }
    // The seal before the listing: what is sealed grows no more.
    let seal = file(vault, prefix, PathInBundle::Seal).await?.as_deref().map(sealed);
    let contents = contents(vault, prefix).await?;
    let expired = vault.len(&Key::of(prefix, PathInBundle::Expired)?).await?.is_some();
    Ok(Head { manifest, seal, contents, expired })
}

impl Head {
    /// The numbers of the segments that have events, rising.
    pub(crate) fn events(&self) -> &[u32] {
        &self.contents.events
    }

    /// What is to be read off the pictures of a sealed recording, or why not: small picture and text, each with its state and a reason.
    pub(crate) fn readings(&self) -> Option<[(ReadingKind, &'static str, &'static str); 2]> {
        if self.seal.is_none() || self.expired {
            return None;
        }
        let (picture, text) = match (self.manifest.is_encrypted(), self.manifest.text) {
            (true, _) => (("none", "encrypted"), ("none", "encrypted")),
            (false, Some(TextTerms::Read)) => (("wanted", ""), ("wanted", "")),
            (false, None) => (("wanted", ""), ("none", "not_asked")),
        };
        Some([(ReadingKind::Thumbnail, picture.0, picture.1), (ReadingKind::Text, text.0, text.1)])
    }

    /// The row of a recording of which no event is in yet.
    pub(crate) fn begun(&self, now: i64) -> Row {
        let manifest = &self.manifest;
        Row {
            key: milliseconds(&manifest.started),
            id: clean(&manifest.id),
            prefix: manifest.prefix(),
            subject: clean(&manifest.subject),
            issuer: clean(&manifest.issuer),
            groups: serde_json::to_string(&self.groups()).unwrap_or_else(|_| "[]".to_owned()),
            desktop: clean(&manifest.desktop),
            started: manifest.started.clone(),
            state: Row::LIVE.to_owned(),
            policy_revision: clean(&manifest.policy),
            policy_rule: clean(&manifest.rule),
            recipients: manifest.recipients.join(" "),
            read_at: now,
            ..Row::default()
        }
    }

    /// Under what the session was permitted.
    pub(crate) fn policies(&self) -> BTreeSet<String> {
        named(&self.manifest.policy, &self.manifest.rule)
    }

    fn groups(&self) -> Vec<String> {
        self.manifest.groups.iter().take(MAX_GROUPS).map(|group| clean(group)).collect()
    }

    /// The entry of a recording whose events this gate cannot read: it is found by whose it is alone.
    pub(crate) fn own_entry(&self) -> Option<Entry> {
        self.manifest.is_encrypted().then(|| Entry { kind: Entry::RECORDING.to_owned(), ..Entry::default() })
    }

    /// Whether the files of events are those that the row says it has, and further ones.
    pub(crate) fn goes_on(&self, row: &Row) -> bool {
        let before = self.contents.events.iter().filter(|n| i64::from(**n) < row.segment).count();
        i64::try_from(before) == Ok(row.files)
    }

    /// The row of a recording of which all events are in.
    pub(crate) fn settled(&self, row: Row, now: i64) -> Row {
        let begun = self.begun(now);
        let lines = row.lines.max(0).unsigned_abs();
        let (mut events, mut gaps) = (lines, row.gaps);
        if let Some(Some(seal)) = self.seal.as_ref().filter(|_| self.manifest.is_encrypted()) {
            // Events that this gate cannot read: what the seal says of them is all that is known.
            events = seal.events;
            gaps = i64::try_from(seal.gaps.len()).unwrap_or(i64::MAX);
        }
        let last_us = row.last_us.max(0).unsigned_abs();
        let ending = match &self.seal {
            None => Ending::live(last_us),
            Some(seal) => seal.as_ref().map_or_else(|| Ending::broken(last_us), Ending::of),
        };
        if self.expired {
            // Of what is gone the seal still counts the events.
            events = events.max(ending.events);
        }
        Row {
            key: row.key,
            ended: ending.ended,
            duration_ms: int(ending.duration_us / 1000),
            state: if self.expired { Row::EXPIRED } else { ending.state }.to_owned(),
            reason: clean(&ending.reason),
            bytes: int(self.contents.bytes),
            events: int(events),
            denied: row.denied,
            gaps,
            segment: row.segment,
            files: row.files,
            line: row.line,
            lines: row.lines,
            last_us: row.last_us,
            ..begun
        }
    }
}

/// A text without what no database keeps.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// What decided, as it is sought: the revision, the rule, and the rule's file.
pub(crate) fn named(revision: &str, rule: &str) -> BTreeSet<String> {
    let file = rule.split_once(':').map_or("", |(file, _)| file);
    [revision, rule, file].into_iter().filter(|name| !name.is_empty()).map(|name| clean(cut(name, MAX_NAME))).collect()
}

/// The beginning of a text, at most so many characters.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| text.get(..end).unwrap_or(text))
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

/// Whether it counts as denied.
pub(crate) fn is_denied(what: &What) -> bool {
    match what {
        What::Paste { effect, .. }
        | What::Copy { effect, .. }
        | What::Upload { effect, .. }
        | What::Download { effect, .. }
        | What::Input { effect, .. }
        | What::Control { effect, .. }
        | What::Egress { effect, .. }
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
    fn live(last_us: u64) -> Self {
        Ending { state: Row::LIVE, reason: String::new(), ended: None, duration_us: last_us, events: 0 }
    }

    fn broken(last_us: u64) -> Self {
        let reason = "seal.json cannot be read".to_owned();
        Ending { state: "interrupted", reason, ended: None, duration_us: last_us, events: 0 }
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

fn milliseconds(stamp: &str) -> i64 {
    let nanoseconds = OffsetDateTime::parse(stamp, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp_nanos);
    i64::try_from(nanoseconds / 1_000_000).unwrap_or_default()
}

fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
