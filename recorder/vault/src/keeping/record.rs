//! What the small files of a recording say of it, proved as far as its keeping depends on it.
use bytes::Bytes;
use portcullis_evidence::{
    Buried, Digest, Hold, MAX_TIME_STAMP_BYTES, MAX_TOMBSTONE_BYTES, Manifest, PathInBundle, Replacement, Seal,
    Tombstone, parse_stamp,
};
use time::OffsetDateTime;

use super::holds::last_hold;
use super::{KeepError, Keeper, small};
use crate::{Entry, Key, MAX_LIST, Place};

/// The longest manifest or seal.
const MAX_SMALL: u64 = 256 * 1024;

/// A recording.
#[derive(Debug, Clone)]
pub struct Record {
    /// Where it lies.
    pub place: Place,
    /// Its manifest; proved only by the seal.
    pub manifest: Manifest,
    /// Its seal, of a key that is trusted; `None` while the session runs.
    pub seal: Option<Seal>,
    /// What holds it, or, not [`Hold::held`], did last.
    pub hold: Option<Hold>,
    /// Its tombstone, of a key that is trusted; `None` as long as it is kept.
    pub tombstone: Option<Tombstone>,
    /// Whether something of it may go because its seal says so ([`Seal::lets_go`]).
    pub lets_go: bool,
    /// What says that its video was replaced, of a key that is trusted; `None` as long as it is what was recorded.
    pub replaced: Option<Replacement>,
    /// The bytes of its seal.
    pub(super) sealed: Bytes,
    /// The bytes of its tombstone, if there is one.
    pub(super) buried: Bytes,
}

impl Record {
    /// Whether it is held.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.held)
    }
}

impl Keeper {
    /// Reads what is known of a recording.
    ///
    /// # Errors
    /// What keeps it from being believed; then nothing of the recording goes.
    pub async fn record(&self, place: &Place) -> Result<Record, KeepError> {
        let bytes = self.file(place, PathInBundle::Session, MAX_SMALL).await?.ok_or(KeepError::NoManifest)?;
        let manifest = Manifest::from_bytes(&bytes).map_err(KeepError::Manifest)?;
        if manifest.prefix() != place.key().as_str() {
            return Err(KeepError::Stray(manifest.prefix()));
        }
        let sealed = self.file(place, PathInBundle::Seal, MAX_SMALL).await?;
        let seal = sealed.as_deref().map(|sealed| Seal::proved(sealed, &self.trust)).transpose()?;
        if let Some(seal) = &seal
            && seal.files.last().map(|file| file.sha256) != Some(Digest::of(&bytes))
        {
            return Err(KeepError::Edited);
        }
        let sealed = sealed.unwrap_or_default();
        let stamp = match &seal {
            Some(_) if !Seal::lets_go(&sealed, None, &self.trust) => {
                self.file(place, PathInBundle::TimeStamp, u64::try_from(MAX_TIME_STAMP_BYTES).unwrap_or(u64::MAX))
                    .await?
            }
            _ => None,
        };
        let lets_go = Seal::lets_go(&sealed, stamp.as_deref(), &self.trust);
        let buried = self.file(place, PathInBundle::Expired, MAX_TOMBSTONE_BYTES).await?;
        let tombstone = match (&seal, &buried) {
            (Some(seal), Some(bytes)) => Some(Tombstone::proved(bytes, &self.trust, seal, &sealed)?),
            _ => None,
        };
        let replaced = match (&seal, self.file(place, PathInBundle::Replaced, MAX_TOMBSTONE_BYTES).await?) {
            (Some(seal), Some(bytes)) => Some(Replacement::proved(&bytes, &self.trust, seal, &sealed)?),
            _ => None,
        };
        let hold = last_hold(self.vault.as_ref(), &self.trust, &manifest.id).await?.map(|(hold, _)| hold);
        let (place, buried) = (place.clone(), buried.unwrap_or_default());
        Ok(Record { place, manifest, seal, hold, tombstone, lets_go, replaced, sealed, buried })
    }

    /// Since when the recording need not be kept any more, and who says so; `None`: it is kept for ever, or the session runs.
    #[must_use]
    pub fn due(&self, record: &Record) -> Option<(OffsetDateTime, &'static str)> {
        let seal = record.seal.as_ref()?;
        let policy = seal.keep.as_ref().map(|keep| parse_stamp(&keep.until));
        let own = self.keep.map(|keep| parse_stamp(&seal.ended)?.checked_add(time::Duration::try_from(keep).ok()?));
        match (policy, own) {
            (None, None) => None,
            // Of two the longer counts; one that is no time of this calendar is for ever.
            (Some(policy), Some(own)) => {
                let (policy, own) = (policy?, own?);
                Some(if own > policy { (own, "retention.keep_days") } else { (policy, "recording.keep") })
            }
            (Some(policy), None) => Some((policy?, "recording.keep")),
            (None, Some(own)) => Some((own?, "retention.keep_days")),
        }
    }

    /// All objects of the bundle at this place that have names of a bundle's files.
    pub(super) async fn files(&self, place: &Key) -> Result<Vec<(PathInBundle, Key)>, KeepError> {
        let folder = format!("{place}/");
        let (mut files, mut after) = (Vec::new(), None);
        loop {
            let page = self.vault.list(&folder, after.as_ref(), MAX_LIST).await?;
            let path = |entry: &Entry| entry.key.as_str().strip_prefix(&folder)?.parse::<PathInBundle>().ok();
            files.extend(page.iter().filter_map(|entry| Some((path(entry)?, entry.key.clone()))));
            if files.len() > super::MAX_OBJECTS {
                return Err(KeepError::TooMany);
            }
            after = page.last().filter(|_| page.len() >= MAX_LIST).map(|entry| entry.key.clone());
            if after.is_none() {
                return Ok(files);
            }
        }
    }

    async fn file(&self, place: &Place, path: PathInBundle, most: u64) -> Result<Option<Bytes>, KeepError> {
        small(self.vault.as_ref(), &Key::of(place.key().as_str(), path)?, most).await
    }
}
