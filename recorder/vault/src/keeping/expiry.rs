//! Expiry: a tombstone first, then the events, the video and the playlist go, and those of what was derived; interrupted at any point it is finished the next time.
use std::fmt;
use std::time::Duration;

use portcullis_evidence::{Buried, PathInBundle, Tombstone, VERSION, parse_stamp, stamp};
use time::OffsetDateTime;

use super::{KeepError, Keeper, Record};
use crate::{Key, LockMode, Place};

/// How far clocks may differ: nothing goes before its time is over by as much.
pub const CLOCKS_DIFFER: Duration = Duration::from_secs(15 * 60);

/// What becomes of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It expired now: so many objects went.
    Expired {
        /// How many.
        objects: usize,
        /// By what rule.
        reason: String,
    },
    /// It would expire now, were this not a trial.
    Due {
        /// How many objects would go.
        objects: usize,
        /// By what rule.
        reason: String,
    },
    /// It expired before; so many objects were still there and went, or, in a trial, would.
    Gone {
        /// How many.
        objects: usize,
    },
    /// It stays.
    Stays(Stays),
}

/// Why a recording stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// Its session runs, or its gate died and has not closed it yet.
    Unsealed,
    /// Its seal is of a key that is revoked, and no time stamp is older: whoever took the key could have written it.
    RevokedKey,
    /// Nobody said how long it is kept.
    ForEver,
    /// Its time is not over.
    Until(OffsetDateTime),
    /// Nobody said that video may go while the recording stays.
    Original,
    /// It is held.
    Held {
        /// By whom.
        by: String,
        /// Why.
        reason: String,
    },
    /// What stores an object of it holds that.
    HeldByStorage(Key),
    /// What stores an object of it locks that.
    Locked {
        /// Which.
        key: Key,
        /// How.
        mode: LockMode,
        /// Until when.
        until: OffsetDateTime,
    },
}

impl Keeper {
    /// Lets a recording expire if its time is over; `trial`: says what would become of it, and changes nothing.
    ///
    /// # Errors
    /// What keeps it from being believed, or from going; what is not gone then goes the next time.
    pub async fn expire(&self, place: &Place, by: &str, now: OffsetDateTime, trial: bool) -> Result<Fate, KeepError> {
        let record = self.record(place).await?;
        let Some(seal) = &record.seal else { return Ok(Fate::Stays(Stays::Unsealed)) };
        if let Some(stays) = self.held(&record, trial).await? {
            return Ok(Fate::Stays(stays));
        }
        let files = self.all_files(place).await?;
        let files = files.into_iter().filter(|(path, _)| path.expires()).map(|(_, key)| key);
        let files: Vec<Key> = files.chain(self.readings(place).await?).collect();
        if let Some(tombstone) = &record.tombstone {
            if parse_stamp(&tombstone.at).is_none_or(|at| at > now.saturating_add(margin())) {
                return Err(KeepError::Early(PathInBundle::Expired));
            }
            if !trial {
                self.bury_derived(place, &record.buried).await?;
            }
            return Ok(match self.remove(&files, now, trial).await? {
                (0, Some(stays)) => Fate::Stays(stays),
                (objects, _) => Fate::Gone { objects },
            });
        }
        if !record.lets_go {
            return Ok(Fate::Stays(Stays::RevokedKey));
        }
        let Some((due, rule)) = self.due(&record) else { return Ok(Fate::Stays(Stays::ForEver)) };
        if due.checked_add(margin()).is_none_or(|due| now < due) {
            return Ok(Fate::Stays(Stays::Until(due)));
        }
        for key in &files {
            if let Some(stays) = self.guarded(key, now).await? {
                return Ok(Fate::Stays(stays));
            }
        }
        let reason = format!("kept until {} ({rule})", stamp(due));
        if trial {
            return Ok(Fate::Due { objects: files.len(), reason });
        }
        let tombstone = Tombstone {
            v: VERSION,
            session: seal.session.clone(),
            seal: portcullis_evidence::Digest::of(&record.sealed),
            due: stamp(due),
            at: stamp(now),
            by: by.to_owned(),
            reason: reason.clone(),
        };
        let at = Key::of(place.key().as_str(), PathInBundle::Expired)?;
        let tombstone = tombstone.sign(&self.key)?;
        self.store(&at, &tombstone).await?;
        self.bury_derived(place, &tombstone).await?;
        // Whoever held it meanwhile is found here, or finds the tombstone behind the words of the hold.
        let record = self.record(place).await?;
        if let Some(stays) = self.held(&record, trial).await? {
            return Ok(Fate::Stays(stays));
        }
        let (objects, _) = self.remove(&files, now, trial).await?;
        Ok(Fate::Expired { objects, reason })
    }

    /// Whether it is held; what came into the vault after it was held is then held by what stores it, too.
    pub(super) async fn held(&self, record: &Record, trial: bool) -> Result<Option<Stays>, KeepError> {
        let Some(hold) = record.hold.as_ref().filter(|hold| hold.held) else { return Ok(None) };
        let seal = Key::of(record.place.key().as_str(), PathInBundle::Seal)?;
        if !trial && record.seal.is_some() && !self.vault.guarded(&seal).await?.held {
            self.hold_objects(&record.place, true).await?;
        }
        Ok(Some(Stays::Held { by: hold.by.clone(), reason: hold.reason.clone() }))
    }

    /// What keeps an object by the word of what stores it.
    pub(super) async fn guarded(&self, key: &Key, now: OffsetDateTime) -> Result<Option<Stays>, KeepError> {
        let guarded = self.vault.guarded(key).await?;
        Ok(match guarded.lock {
            _ if guarded.held => Some(Stays::HeldByStorage(key.clone())),
            Some((mode, until)) if until > now => Some(Stays::Locked { key: key.clone(), mode, until }),
            _ => None,
        })
    }

    /// How many went, or in a trial would go, and what keeps one of the others.
    ///
    /// INVARIANT: what a lock or a hold keeps is not even asked to go.
    pub(super) async fn remove(
        &self,
        files: &[Key],
        now: OffsetDateTime,
        trial: bool,
    ) -> Result<(usize, Option<Stays>), KeepError> {
        let (mut went, mut kept) = (0_usize, None);
        for key in files {
            match self.guarded(key, now).await? {
                Some(stays) => kept = Some(stays),
                None => {
                    went = went.saturating_add(1);
                    if !trial {
                        self.vault.remove(key).await?;
                    }
                }
            }
        }
        Ok((went, kept))
    }
}

pub(super) fn margin() -> time::Duration {
    time::Duration::try_from(CLOCKS_DIFFER).unwrap_or_default()
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { objects, reason } => write!(f, "expired: {reason}; {objects} objects went"),
            Self::Due { objects, reason } => write!(f, "would expire: {reason}; {objects} objects"),
            Self::Gone { objects: 0 } => f.write_str("expired before"),
            Self::Gone { objects } => write!(f, "expired before; {objects} objects that were left"),
            Self::Stays(stays) => write!(f, "stays: {stays}"),
        }
    }
}

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsealed => f.write_str("it has no seal, for the session runs or was not closed yet"),
            Self::RevokedKey => f.write_str("its seal is of a revoked key, and no time stamp is older"),
            Self::ForEver => f.write_str("nobody said how long it is kept"),
            Self::Original => f.write_str("retention.replace_after_days does not permit it to go"),
            Self::Until(until) => write!(f, "it is kept until {}", stamp(*until)),
            Self::Held { by, reason } => {
                write!(f, "it is held by {}: {}", by.escape_debug(), reason.escape_debug())
            }
            Self::HeldByStorage(key) => write!(f, "the storage holds {key}"),
            Self::Locked { key, mode, until } => write!(f, "the storage locks {key} ({mode}) until {}", stamp(*until)),
        }
    }
}
