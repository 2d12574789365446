//! What the small files of a bundle say of it: the manifest, the seal, whose signature is for `portcullis verify` to prove, and what holds it.

use anyhow::Context;
use portcullis_evidence::{Keep, Manifest, PathInBundle, Seal, State, Trust};
use portcullis_vault::keeping::last_hold;
use portcullis_vault::{Key, Place, Vault};
use serde::Serialize;

/// A recording as `--json` prints it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Facts {
    /// The session's id.
    pub(crate) id: String,
    /// Where it lies in the vault.
    pub(crate) place: String,
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) desktop: String,
    pub(crate) started: String,
    /// `recording`, `closed`, `interrupted` or `expired`.
    pub(crate) state: &'static str,
    pub(crate) ended: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) duration_us: Option<u64>,
    pub(crate) events: Option<u64>,
    pub(crate) gaps: Option<usize>,
    /// Until when it is kept and how it is locked, as its seal says.
    pub(crate) keep: Option<Keep>,
    /// Whether its own video went, for another was made of it.
    pub(crate) replaced: bool,
    /// Why it is held; `null` when it is not.
    pub(crate) held: Option<String>,
    pub(crate) policy: String,
    pub(crate) rule: String,
    /// Version of the gate that recorded it.
    pub(crate) gate: String,
}

impl Facts {
    /// Reads them; what cannot be read of a seal is an error, for nothing true could be said.
    pub(crate) async fn read(vault: &dyn Vault, place: &Place, trust: &Trust) -> anyhow::Result<Self> {
        let small = async |path| {
            let key = Key::of(place.key().as_str(), path)?;
            let there = vault.len(&key).await?;
            anyhow::Ok(if there.is_some() { Some(vault.read(&key, None).await?) } else { None })
        };
        let manifest = small(PathInBundle::Session).await?.context("it has no session.json")?;
        let manifest = Manifest::from_bytes(&manifest)?;
        let seal = small(PathInBundle::Seal).await?.map(|bytes| Seal::unproved(&bytes)).transpose()?;
        let expired = small(PathInBundle::Expired).await?.is_some();
        let replaced = small(PathInBundle::Replaced).await?.is_some();
        let held = match last_hold(vault, trust, place.id()).await {
            Ok(last) => last.filter(|(hold, _)| hold.held).map(|(hold, _)| format!("{} ({})", hold.reason, hold.by)),
            // What cannot be proved to be released counts as held.
            Err(error) => Some(format!("{error}")),
        };
        let seal = seal.as_ref();
        Ok(Self {
            id: manifest.id,
            place: place.key().to_string(),
            subject: manifest.subject,
            issuer: manifest.issuer,
            desktop: manifest.desktop,
            started: manifest.started,
            state: match seal.map(|seal| seal.state) {
                None => "recording",
                Some(_) if expired => "expired",
                Some(State::Closed) => "closed",
                Some(State::Interrupted) => "interrupted",
            },
            ended: seal.map(|seal| seal.ended.clone()),
            reason: seal.map(|seal| seal.reason.clone()),
            duration_us: seal.map(|seal| seal.duration_us),
            events: seal.map(|seal| seal.events),
            gaps: seal.map(|seal| seal.gaps.len()),
            keep: seal.and_then(|seal| seal.keep.clone()),
            replaced,
            held,
            policy: manifest.policy,
            rule: manifest.rule,
            gate: manifest.gate,
        })
    }
}
