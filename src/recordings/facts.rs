//! What the small files of a bundle say of it: the manifest, and the seal, whose signature is for `portcullis verify` to prove.

use anyhow::Context;
use portcullis_evidence::{Manifest, PathInBundle, Seal, State};
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
    /// `recording`, `closed` or `interrupted`.
    pub(crate) state: &'static str,
    pub(crate) ended: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) duration_us: Option<u64>,
    pub(crate) events: Option<u64>,
    pub(crate) gaps: Option<usize>,
    pub(crate) policy: String,
    pub(crate) rule: String,
    /// Version of the gate that recorded it.
    pub(crate) gate: String,
}

impl Facts {
    /// Reads them; what cannot be read of a seal is an error, for nothing true could be said.
    pub(crate) async fn read(vault: &dyn Vault, place: &Place) -> anyhow::Result<Self> {
        let small = async |path| {
            let key = Key::of(place.key().as_str(), path)?;
            let there = vault.len(&key).await?;
            anyhow::Ok(if there.is_some() { Some(vault.read(&key, None).await?) } else { None })
        };
        let manifest =
            small(PathInBundle::Session).await?.with_context(|| format!("{} has no session.json", place.key()))?;
        let manifest = Manifest::from_bytes(&manifest)?;
        let seal = small(PathInBundle::Seal).await?.map(|bytes| Seal::unproved(&bytes)).transpose()?;
        let seal = seal.as_ref();
        Ok(Self {
            id: manifest.id,
            place: place.key().to_string(),
            subject: manifest.subject,
            issuer: manifest.issuer,
            desktop: manifest.desktop,
            started: manifest.started,
            state: seal.map_or("recording", |seal| match seal.state {
                State::Closed => "closed",
                State::Interrupted => "interrupted",
            }),
            ended: seal.map(|seal| seal.ended.clone()),
            reason: seal.map(|seal| seal.reason.clone()),
            duration_us: seal.map(|seal| seal.duration_us),
            events: seal.map(|seal| seal.events),
            gaps: seal.map(|seal| seal.gaps.len()),
            policy: manifest.policy,
            rule: manifest.rule,
            gate: manifest.gate,
        })
    }
}
