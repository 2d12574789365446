//! Which keys and authorities a command trusts: those it is given, else the ones that are pinned in the data folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use portcullis_evidence::{KeyList, MAX_KEY_LIST_BYTES, Trust, VerifyingKey};

use crate::DataArgs;
use crate::data::Data;
use crate::key_list::LIST;

/// Arguments of whatever verifies.
#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    /// A public key (PEM) that the bundle may be signed with, whatever the time; may be given more than once
    #[arg(long, conflicts_with = "keys")]
    key: Vec<PathBuf>,
    /// A list of keys with their validity and revocation, as `portcullis keys list` prints it
    #[arg(long)]
    keys: Option<PathBuf>,
    /// The public key (PEM) of the root that signed the list
    #[arg(long, requires = "keys")]
    root: Option<PathBuf>,
    /// Certificates (PEM) of the authorities whose time stamps count
    #[arg(long)]
    tsa: Option<PathBuf>,
}

/// What is trusted, and what it was read from.
pub(crate) struct Trusted {
    pub(crate) trust: Trust,
    /// The list, where there is one.
    pub(crate) list: Option<KeyList>,
    /// All keys.
    pub(crate) keys: Vec<VerifyingKey>,
}

impl TrustArgs {
    /// Reads keys and authorities.
    pub(crate) fn read(&self, place: &DataArgs) -> anyhow::Result<Trusted> {
        let mut trusted = self.keys(place)?;
        if let Some(path) = &self.tsa {
            let pem = text(path).context("the authorities' certificates cannot be read")?;
            trusted.trust = trusted.trust.with_authorities(&pem).with_context(|| format!("{}", path.display()))?;
        }
        Ok(trusted)
    }

    /// The keys that were given; else the ones that are pinned in the data folder.
    fn keys(&self, place: &DataArgs) -> anyhow::Result<Trusted> {
        if let Some(path) = &self.keys {
            let roots = self.root.as_deref().map(public).transpose()?;
            return listed(path, roots.as_slice());
        }
        if !self.key.is_empty() {
            let keys: anyhow::Result<Vec<_>> = self.key.iter().map(|path| public(path)).collect();
            return Ok(Trusted::of(keys?));
        }
        own(&Data::at(&place.load()?.data))
    }
}

impl Trusted {
    fn of(keys: Vec<VerifyingKey>) -> Self {
        Self { trust: Trust::of(&keys), list: None, keys }
    }
}

/// The keys that are pinned in a data folder.
pub(crate) fn own(data: &Data) -> anyhow::Result<Trusted> {
    let folder = data.keys();
    let pinned = folder.join(LIST);
    if pinned.is_file() {
        return listed(&pinned, &[]);
    }
    Ok(Trusted::of(vec![public(&folder.join(crate::keys::EVIDENCE_PUBLIC))?]))
}

fn listed(path: &Path, roots: &[VerifyingKey]) -> anyhow::Result<Trusted> {
    let length = std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?.len();
    if usize::try_from(length).map_or(true, |length| length > MAX_KEY_LIST_BYTES) {
        bail!("{} is too long for a list of keys", path.display());
    }
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let list = KeyList::from_bytes(&bytes, roots).with_context(|| format!("{}", path.display()))?;
    let keys: Result<Vec<_>, _> = list.keys.iter().map(|listed| listed.key()).collect();
    Ok(Trusted { trust: Trust::listed(&list)?, keys: keys?, list: Some(list) })
}

fn public(path: &Path) -> anyhow::Result<VerifyingKey> {
    let pem = text(path).context("the public key cannot be read; give one with --key, or a list with --keys")?;
    VerifyingKey::from_pem(&pem).with_context(|| format!("{} is not a public key", path.display()))
}

fn text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))
}
