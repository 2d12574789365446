//! What a bundle says of itself: manifest, links and seal in their order, read but not proved.
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use thiserror::Error;

use crate::derivation::{Derivation, MAX_DERIVATION_BYTES};
use crate::digest::{Digest, FileHash};
use crate::jws::{self, Typ};
use crate::link::{Link, MAX_LINK_BYTES};
use crate::manifest::{MAX_MANIFEST_BYTES, Manifest};
use crate::path::{MAX_LINKS, PathInBundle};
use crate::seal::{MAX_SEAL_BYTES, Seal};
use crate::source::Source;
use crate::{canonical, read};

/// A bundle as it describes itself. INVARIANT: nothing of it is proved; that is [`crate::verify_at`]'s to do, before or after.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Whose session.
    pub manifest: Manifest,
    /// How it ended; `None` where there is no seal that can be read.
    pub seal: Option<Seal>,
    /// SHA-256 of the bytes of `seal.json`, if there is one.
    pub sealed: Option<Digest>,
    /// What was made of it, in a derived bundle.
    pub derivation: Option<Derivation>,
    /// Whether it has a tombstone: its events and video are gone or going.
    pub expired: bool,
    /// Whether its video was replaced, and is gone or going.
    pub replaced: bool,
    /// The links that can be read, rising; in a derived bundle they list the video that is there.
    pub links: Vec<Link>,
    /// How many of those that are there cannot be read.
    pub unread: u32,
}

/// Why a bundle says nothing of itself.
#[derive(Debug, Error)]
pub enum ListingError {
    /// The place cannot be listed, or its manifest not be read.
    #[error("the bundle cannot be read")]
    Unreadable(#[source] std::io::Error),
    /// There is a manifest, and it is none.
    #[error("session.json is no manifest")]
    Manifest,
}

impl Listing {
    /// Reads what a bundle says of itself.
    ///
    /// # Errors
    /// Without a manifest nobody knows whose session it is.
    pub fn read(source: &dyn Source) -> Result<Self, ListingError> {
        let manifest = small(source, PathInBundle::Session, MAX_MANIFEST_BYTES).map_err(ListingError::Unreadable)?;
        let manifest = manifest.and_then(|bytes| Manifest::from_bytes(&bytes).ok()).ok_or(ListingError::Manifest)?;
        let numbers = links(source).map_err(ListingError::Unreadable)?;
        let sealed = small(source, PathInBundle::Seal, MAX_SEAL_BYTES).ok().flatten();
        let seal = sealed.as_deref().and_then(|bytes| jws::flattened(Typ::Seal, bytes).ok());
        let seal = seal.and_then(|jws| canonical::from_bytes::<Seal>(&jws.payload).ok());
        let derivation = small(source, PathInBundle::Derivation, MAX_DERIVATION_BYTES).ok().flatten();
        let derivation = derivation.and_then(|bytes| jws::flattened(Typ::Derivation, &bytes).ok());
        let derivation = derivation.and_then(|jws| canonical::from_bytes::<Derivation>(&jws.payload).ok());
        let expired = source.open(PathInBundle::Expired).is_ok();
        let replaced = source.open(PathInBundle::Replaced).is_ok();
        let (mut links, mut unread): (Vec<Link>, u32) = (Vec::new(), 0);
        for n in numbers {
            match link(source, n) {
                Some(link) => links.push(link),
                None => unread = unread.saturating_add(1),
            }
        }
        if let Some(derivation) = &derivation {
            let made: BTreeMap<_, _> = derivation.files.iter().map(|file| (file.path, *file)).collect();
            let listed = links.iter_mut().flat_map(|link| &mut link.files);
            listed.for_each(|listed| *listed = made.get(&listed.path).copied().unwrap_or(*listed));
        }
        let sealed = sealed.as_deref().map(Digest::of);
        Ok(Self { manifest, seal, sealed, derivation, expired, replaced, links, unread })
    }

    /// The same of what is behind [`crate::Decrypted`]: files by their plain names, with length and hash of what is in them.
    #[must_use]
    pub fn decrypted(mut self) -> Self {
        for listed in self.links.iter_mut().flat_map(|link| &mut link.files) {
            if let Some(plain) = listed.plain.filter(|_| listed.path.is_encrypted()) {
                let path = listed.path.plain();
                *listed = FileHash { path, bytes: plain.bytes, sha256: plain.sha256, plain: None };
            }
        }
        self
    }

    /// Length of the session on the media clock, in microseconds: as the seal says, or as far as the chain goes.
    #[must_use]
    pub fn duration_us(&self) -> u64 {
        let chain = self.links.iter().map(|link| link.to_us).max().unwrap_or(0);
        self.seal.as_ref().map_or(chain, |seal| seal.duration_us.max(chain))
    }
}

fn small(source: &dyn Source, path: PathInBundle, most: u64) -> std::io::Result<Option<Vec<u8>>> {
    read::all(source.open(path)?.reader, most)
}

/// The numbers of the links that are there, rising.
fn links(source: &dyn Source) -> std::io::Result<Vec<u32>> {
    let mut found = Vec::new();
    source.list(&mut |entry| {
        if let Ok(PathInBundle::Link(n)) = entry.path.parse()
            && entry.is_file
            && n <= MAX_LINKS
        {
            found.push(n);
        }
        ControlFlow::Continue(())
    })?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn link(source: &dyn Source, n: u32) -> Option<Link> {
    let bytes = small(source, PathInBundle::Link(n), MAX_LINK_BYTES).ok()??;
    let link: Link = canonical::from_bytes(&jws::compact(Typ::Link, &bytes).ok()?.payload).ok()?;
    // What a link names that is not its own would be read as another segment's.
    let own = link.n == n && link.files.iter().all(|file| file.path.segment().is_none_or(|segment| segment == n));
    own.then_some(link)
}
