//! Bundles into the index: one when it is written, live ones while somebody looks, all of them to rebuild it.

use std::collections::HashSet;

use portcullis_evidence::PathInBundle;
use portcullis_vault::{Key, VaultError};
use time::OffsetDateTime;

use crate::bundle::{self, BundleError};
use crate::index::{IndexError, Row, Written};
use crate::portal::{Portal, now};
use crate::problem::chain;

/// Seconds after which a recording that runs is read again when somebody looks.
const LIVE_LASTS: i64 = 3;

/// Recordings that are read again for one list.
const MAX_REFRESHED: usize = 8;

/// Times that a bundle is read while another gate reads it too and is faster.
const MAX_TURNS: usize = 5;

/// Why a recording is not in the index.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// Its bundle.
    #[error("the bundle cannot be indexed")]
    Bundle(#[from] BundleError),
    /// The index.
    #[error("the index failed")]
    Index(#[from] IndexError),
    /// The vault cannot be searched for it, or fails in the midst of its events.
    #[error("the vault cannot be read")]
    List(#[from] VaultError),
}

/// What a rebuild found.
#[derive(Debug, Default)]
pub struct Rebuilt {
    /// Bundles that are in the index now.
    pub recordings: usize,
    /// Ids of rows whose bundle the vault does not show: they stay when the index catches up, and go when it is rebuilt.
    pub missing: Vec<String>,
    /// Those of them that it showed the last time.
    pub newly_missing: Vec<String>,
    /// Bundles that cannot be indexed, by their place in the vault, and why.
    pub failed: Vec<(String, BundleError)>,
}

impl Portal {
    /// Reads a bundle into the index, by its place in the vault ("sessions/YYYY/MM/DD/<id>") or by its id; again does no harm.
    pub async fn ingest(&self, recording: &str) -> Result<(), IngestError> {
        let place = match recording.contains('/') {
            true => recording.trim_end_matches('/').to_owned(),
            false => self.find(recording).await?.ok_or(BundleError::Missing)?,
        };
        self.read_in(&place).await
    }

    /// Reads what a bundle has and the index has not.
    async fn read_in(&self, place: &str) -> Result<(), IngestError> {
        for _ in 0..MAX_TURNS {
            let head = bundle::head(self.vault(), place).await?;
            if self.take_in(&head).await? == Written::Yes {
                break;
            }
        }
        // Whoever was faster each time has read the same.
        Ok(())
    }

    /// Empties the cache and reads every bundle of the vault into it, the newest first. One that cannot be read holds up
    /// no other. What people made in the portal stays.
    pub async fn rebuild_index(&self) -> Result<Rebuilt, IngestError> {
        self.index_vault(false).await
    }

    /// As [`Portal::rebuild_index`], but leaves alone what the index has of sealed bundles, which do not change: for every
    /// start of the gate. A row whose bundle the vault does not show stays, and says so.
    pub async fn catch_up_index(&self) -> Result<Rebuilt, IngestError> {
        self.index_vault(true).await
    }

    async fn index_vault(&self, skip_sealed: bool) -> Result<Rebuilt, IngestError> {
        // Before the vault is listed, so that a recording that begins meanwhile is not taken for one that is gone.
        let mut gone: HashSet<String> = self.index().recording_ids().await?.into_iter().collect();
        let mut rebuilt = Rebuilt::default();
        let mut places = bundle::places(self.vault().as_ref()).await?;
        // The newest days first, and a day in the order of its ids, by which those of one millisecond are told apart.
        places.sort_by(|one, other| day_of(other).cmp(day_of(one)).then_with(|| one.cmp(other)));
        if !skip_sealed {
            self.index().clear().await?;
        }
        for place in places {
            let id = id_of(&place);
            gone.remove(id);
            let sealed = async || self.recording(id).await.map(|row| row.is_some_and(|row| row.is_settled_at(&place)));
            if skip_sealed && sealed().await? {
                rebuilt.recordings = rebuilt.recordings.saturating_add(1);
                continue;
            }
            match self.read_in(&place).await {
                Ok(()) => rebuilt.recordings = rebuilt.recordings.saturating_add(1),
                Err(IngestError::Bundle(error)) => {
                    tracing::warn!(bundle = place, error = chain(&error), "a bundle cannot be indexed");
                    rebuilt.failed.push((place, error));
                }
                Err(IngestError::List(error)) => {
                    tracing::warn!(bundle = place, error = chain(&error), "a bundle cannot be indexed");
                    rebuilt.failed.push((place, error.into()));
                }
                Err(error @ IngestError::Index(_)) => return Err(error),
            }
        }
        rebuilt.missing = gone.into_iter().collect();
        rebuilt.missing.sort_unstable();
        for id in &rebuilt.missing {
            // INVARIANT: only who asks for a new index has it forget: what the vault hides is not to vanish without a word.
            match skip_sealed {
                true if self.index().missing(id).await? => rebuilt.newly_missing.push(id.clone()),
                true => {}
                false => self.index().forget(id).await?,
            }
        }
        self.index().analyze().await?;
        Ok(rebuilt)
    }

    /// Marks a recording as expired: its events leave the index, its row stays, and what it counts.
    ///
    /// # Errors
    /// When the index fails.
    pub async fn mark_expired(&self, id: &str) -> Result<(), IngestError> {
        Ok(self.index().expired(id).await?)
    }

    /// The recording with this id, if the index has it.
    pub(crate) async fn recording(&self, id: &str) -> Result<Option<Row>, IndexError> {
        self.index().recording(id).await
    }

    /// The row, read again from its bundle when it runs and was not read just now. If that fails it stays as it was.
    pub(crate) async fn refreshed(&self, row: Row) -> Row {
        if !row.is_live() || now().saturating_sub(row.read_at) < LIVE_LASTS {
            return row;
        }
        let Ok(_turn) = self.refreshes().try_acquire() else { return row };
        if let Err(error) = self.read_in(&row.prefix).await {
            tracing::warn!(recording = row.id, error = chain(&error), "a running recording cannot be read");
            return row;
        }
        self.recording(&row.id).await.ok().flatten().unwrap_or(row)
    }

    /// The rows, of which the newest that run are read again.
    pub(crate) async fn all_refreshed(&self, rows: Vec<Row>) -> Vec<Row> {
        let mut refreshed = Vec::with_capacity(rows.len());
        let mut left = MAX_REFRESHED;
        for row in rows {
            let turn = row.is_live() && left > 0;
            left = left.saturating_sub(usize::from(turn));
            refreshed.push(if turn { self.refreshed(row).await } else { row });
        }
        refreshed
    }

    /// Where the bundle of this id lies: where the index says, else on the day that a UUID of version 7 tells (or the
    /// next or the one before), else wherever the vault is found to have it.
    async fn find(&self, id: &str) -> Result<Option<String>, IngestError> {
        if let Some(row) = self.recording(id).await? {
            return Ok(Some(row.prefix));
        }
        for place in likely_places(id) {
            let manifest = Key::of(&place, PathInBundle::Session).map_err(BundleError::from)?;
            if self.vault().len(&manifest).await?.is_some() {
                return Ok(Some(place));
            }
        }
        let places = bundle::places(self.vault().as_ref()).await?;
        Ok(places.into_iter().rev().find(|place| id_of(place) == id))
    }
}

/// The places on the days around the time in a UUID of version 7 (RFC 9562 §5.7); none for another id.
fn likely_places(id: &str) -> Vec<String> {
    let [Some(high), Some(low), Some("7")] = [id.get(..8), id.get(9..13), id.get(14..15)] else { return Vec::new() };
    let Ok(milliseconds) = i64::from_str_radix(&format!("{high}{low}"), 16) else { return Vec::new() };
    let seconds = [0, -86_400, 86_400].map(|days| (milliseconds / 1000).saturating_add(days));
    let days = seconds.into_iter().filter_map(|at| OffsetDateTime::from_unix_timestamp(at).ok());
    days.map(|day| {
        let (year, month, day) = day.to_calendar_date();
        format!("sessions/{year:04}/{:02}/{day:02}/{id}", u8::from(month))
    })
    .collect()
}

fn day_of(place: &str) -> &str {
    place.rsplit_once('/').map_or("", |(day, _)| day)
}

fn id_of(place: &str) -> &str {
    place.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_of_version_7_tells_its_day() {
        // 2022-02-22T19:22:22Z, the example of RFC 9562 §A.6.
        let id = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
        let days = ["2022/02/22", "2022/02/21", "2022/02/23"];
        assert_eq!(likely_places(id), days.map(|day| format!("sessions/{day}/{id}")));
        for other in ["", "0198-a", "017f22e2-79b0-4cc3-98c4-dc0c0c07398f", "zzzzzzzz-zzzz-7zzz", "ééééééééééééééé"]
        {
            assert_eq!(likely_places(other), Vec::<String>::new(), "{other}");
        }
    }
}
