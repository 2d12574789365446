//! Legal holds: `holds/<id>/NNNNN.jws` beside the bundles, and on the objects themselves where what stores them knows holds.
use bytes::Bytes;
use portcullis_evidence::{Hold, MAX_HOLD_BYTES, MAX_HOLDS, PathInBundle, Trust, VERSION, stamp};
use time::OffsetDateTime;

use super::{KeepError, Keeper, small};
use crate::{Key, Place, Vault};

impl Keeper {
    /// Holds a recording, or releases it: when this returns, its words are in the vault and its objects are held, or not.
    /// Whether what stores them holds them too.
    ///
    /// # Errors
    /// [`KeepError::Already`], [`KeepError::Expired`]; after another one it is to be repeated, which does no harm.
    pub async fn set_hold(
        &self,
        place: &Place,
        held: bool,
        reason: &str,
        by: &str,
        now: OffsetDateTime,
    ) -> Result<bool, KeepError> {
        let record = self.record(place).await?;
        if let Some(tombstone) = record.tombstone.filter(|_| held) {
            return Err(KeepError::Expired(tombstone.at));
        }
        let last = last_hold(self.vault.as_ref(), &self.trust, place.id()).await?;
        if last.is_none() && !held {
            // What stores them may hold the objects for reasons of its own.
            return Err(KeepError::Already("it is not held"));
        }
        if last.as_ref().is_some_and(|(hold, _)| hold.held) == held {
            // The words are there; the objects' own may have been interrupted.
            let by_storage = self.hold_objects(place, held).await?;
            let already = if held { "it is held already" } else { "it is not held" };
            return if by_storage { Ok(true) } else { Err(KeepError::Already(already)) };
        }
        let n = last.as_ref().map_or(1, |(hold, _)| hold.n.saturating_add(1));
        let hold = Hold {
            v: VERSION,
            session: place.id().to_owned(),
            n,
            held,
            reason: reason.to_owned(),
            by: by.to_owned(),
            at: stamp(now),
            prev: Hold::link(last.as_ref().map(|(_, bytes)| bytes.as_ref())),
        };
        // INVARIANT: words of a hold come before its objects are held, and objects are let go before the words of a release are gone by.
        self.store(&key(place.id(), n)?, &hold.sign(&self.key)?).await?;
        // INVARIANT: nobody is told that it is held once it goes. Expiry that has its tombstone looks for these words, and else goes on.
        if let Some(tombstone) = self.record(place).await?.tombstone.filter(|_| held) {
            return Err(KeepError::Expired(tombstone.at));
        }
        self.hold_objects(place, held).await
    }

    /// Holds each object, or lets it go, where what stores them knows holds; whether it does.
    ///
    /// INVARIANT: the recording's own seal comes last, so that one that is held has all the others held ([`Keeper::expire`] looks for it).
    pub(super) async fn hold_objects(&self, place: &Place, held: bool) -> Result<bool, KeepError> {
        let (mut known, seal) = (false, Key::of(place.key().as_str(), PathInBundle::Seal)?);
        let files = self.all_files(place).await?.into_iter().map(|(_, key)| key);
        let mut files: Vec<Key> = files.chain(self.readings(place).await?).collect();
        files.sort_by_key(|key| *key == seal);
        for key in files {
            known = self.vault.hold(&key, held).await?;
            if !known {
                break;
            }
        }
        Ok(known)
    }
}

/// The last words about a hold of this session, and their bytes; each is proved to follow the one before.
///
/// # Errors
/// [`KeepError::Hold`] when one is forged, of another place, or of a key that is not trusted; [`KeepError::Vault`].
pub async fn last_hold(vault: &dyn Vault, trust: &Trust, id: &str) -> Result<Option<(Hold, Bytes)>, KeepError> {
    let mut last: Option<(Hold, Bytes)> = None;
    for n in 1..=MAX_HOLDS {
        let Some(bytes) = small(vault, &key(id, n)?, MAX_HOLD_BYTES).await? else { break };
        let prev = last.as_ref().map(|(_, bytes)| bytes.as_ref());
        let hold = Hold::proved(&bytes, trust, id, n, prev)?;
        last = Some((hold, bytes));
    }
    Ok(last)
}

fn key(id: &str, n: u32) -> Result<Key, KeepError> {
    Ok(Key::new(format!("holds/{id}/{n:05}.jws"))?)
}
