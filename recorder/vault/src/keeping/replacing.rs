//! Replacing: once another video was made of the recorded one and proved, the recorded one goes, and a tombstone says which stands in its place.
use std::fmt;

use portcullis_evidence::{Buried, Digest, PathInBundle, Replacement, VERSION, parse_stamp, stamp};
use time::OffsetDateTime;

use super::derived::locked_until;
use super::expiry::margin;
use super::{KeepError, Keeper, Stays};
use crate::{Key, Place};

/// What becomes of a recording's own video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replaced {
    /// It went now: so many objects.
    Now(usize),
    /// It would go now, were this not a trial.
    Due(usize),
    /// It went before; so many objects were still there and went, or, in a trial, would.
    Before(usize),
    /// It stays.
    Stays(Stays),
}

impl Keeper {
    /// Lets the video of a recording go, if it may; `derivation` is the SHA-256 of the `derivation.json` of what stands in its place.
    ///
    /// INVARIANT: the caller has proved what stands there, as it lies in the vault.
    ///
    /// # Errors
    /// What keeps the recording from being believed, or its video from going; what is not gone then goes the next time.
    pub async fn replace(
        &self,
        place: &Place,
        derivation: Digest,
        by: &str,
        now: OffsetDateTime,
        trial: bool,
    ) -> Result<Replaced, KeepError> {
        let record = self.record(place).await?;
        let Some(seal) = &record.seal else { return Ok(Replaced::Stays(Stays::Unsealed)) };
        if let Some(tombstone) = &record.tombstone {
            return Err(KeepError::Expired(tombstone.at.clone()));
        }
        if let Some(stays) = self.held(&record, trial).await? {
            return Ok(Replaced::Stays(stays));
        }
        let files = self.files(place.key()).await?;
        let files: Vec<Key> = files.into_iter().filter(|(path, _)| path.is_video()).map(|(_, key)| key).collect();
        if let Some(replaced) = &record.replaced {
            if parse_stamp(&replaced.at).is_none_or(|at| at > now.saturating_add(margin())) {
                return Err(KeepError::Early(PathInBundle::Replaced));
            }
            return Ok(match self.remove(&files, now, trial).await? {
                (0, Some(stays)) => Replaced::Stays(stays),
                (objects, _) => Replaced::Before(objects),
            });
        }
        if !record.lets_go {
            return Ok(Replaced::Stays(Stays::RevokedKey));
        }
        let Some(after) = self.replace_after else { return Ok(Replaced::Stays(Stays::Original)) };
        let least = parse_stamp(&seal.ended)
            .and_then(|ended| ended.checked_add(time::Duration::try_from(after).ok()?))
            .and_then(|least| least.checked_add(margin()));
        let Some(least) = least else { return Ok(Replaced::Stays(Stays::Original)) };
        let least = locked_until(&record).map_or(least, |(_, until)| least.max(until.saturating_add(margin())));
        if now < least {
            return Ok(Replaced::Stays(Stays::Until(least)));
        }
        for key in &files {
            if let Some(stays) = self.guarded(key, now).await? {
                return Ok(Replaced::Stays(stays));
            }
        }
        if trial {
            return Ok(Replaced::Due(files.len()));
        }
        let days = after.as_secs() / 86_400;
        let replacement = Replacement {
            v: VERSION,
            session: seal.session.clone(),
            seal: Digest::of(&record.sealed),
            derivation,
            at: stamp(now),
            by: by.to_owned(),
            reason: format!("encoded anew, {days} days after its end or later (retention.replace_after_days)"),
        };
        let at = Key::of(place.key().as_str(), PathInBundle::Replaced)?;
        self.store(&at, &replacement.sign(&self.key)?).await?;
        // Whoever held it meanwhile is found here.
        let record = self.record(place).await?;
        if let Some(stays) = self.held(&record, trial).await? {
            return Ok(Replaced::Stays(stays));
        }
        let (objects, _) = self.remove(&files, now, trial).await?;
        Ok(Replaced::Now(objects))
    }
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(objects) => write!(f, "its own video went: {objects} objects"),
            Self::Due(objects) => write!(f, "its own video would go: {objects} objects"),
            Self::Before(0) => f.write_str("its own video went before"),
            Self::Before(objects) => write!(f, "its own video went before; {objects} objects that were left"),
            Self::Stays(stays) => write!(f, "its own video stays: {stays}"),
        }
    }
}
