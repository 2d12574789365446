//! Recordings over the years, in a folder: what goes, what stays and why, and what a crash leaves in between.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bundle::{DAY, LEFT, ago, keeper, names, signing, store, verdict};
use bytes::Bytes;
use portcullis_evidence::{KeepLock, KeepTerms, SigningKey, parse_stamp};
use portcullis_vault::keeping::{CLOCKS_DIFFER, Fate, KeepError, Stays};
use portcullis_vault::{Entry, Folder, Key, Place, Result, Vault, VaultError, next_bundle};
use tempfile::TempDir;

fn folder() -> (TempDir, Arc<dyn Vault>) {
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(Folder::open(&folder.path().join("vault")).unwrap());
    (folder, vault)
}

fn days(days: u64) -> Option<KeepTerms> {
    Some(KeepTerms { lock: KeepLock::None, seconds: days * DAY })
}

#[tokio::test]
async fn what_is_due_goes_and_what_proves_it_stays() {
    let (_folder, vault) = folder();
    let ended = ago(31);
    let place = store(vault.as_ref(), "a", Some(ended), days(30), signing()).await;
    let keeper = keeper(Arc::clone(&vault), None);
    let before = names(vault.as_ref(), &place).await;
    let trial = keeper.expire(&place, "me", ago(0), true).await.unwrap();
    assert!(matches!(trial, Fate::Due { objects: 4, .. }), "{trial:?}");
    assert_eq!(names(vault.as_ref(), &place).await, before, "a trial changes nothing");
    assert_eq!(verdict(vault.as_ref(), &place).await, "sound");
    let done = keeper.expire(&place, "me", ago(0), false).await.unwrap();
    assert!(matches!(&done, Fate::Expired { objects: 4, reason } if reason.ends_with("(recording.keep)")), "{done:?}");
    assert_eq!(names(vault.as_ref(), &place).await, LEFT);
    assert_eq!(verdict(vault.as_ref(), &place).await, "expired");
    assert_eq!(keeper.expire(&place, "me", ago(0), false).await.unwrap(), Fate::Gone { objects: 0 });
    let tombstone = keeper.record(&place).await.unwrap().tombstone.unwrap();
    assert_eq!((tombstone.by.as_str(), parse_stamp(&tombstone.due)), ("me", Some(ended + time::Duration::days(30))));
}

#[tokio::test]
async fn nothing_goes_before_its_time() {
    let (_folder, vault) = folder();
    let place = store(vault.as_ref(), "a", Some(ago(30)), days(30), signing()).await;
    let due =
        parse_stamp(&keeper(Arc::clone(&vault), None).record(&place).await.unwrap().seal.unwrap().keep.unwrap().until);
    let due = due.unwrap();
    let fate =
        async |keep_days, now| keeper(Arc::clone(&vault), keep_days).expire(&place, "me", now, true).await.unwrap();
    let stays = Fate::Stays(Stays::Until(due));
    let margin = time::Duration::try_from(CLOCKS_DIFFER).unwrap();
    assert_eq!(fate(None, due - time::Duration::SECOND).await, stays);
    assert_eq!(fate(None, due + margin - time::Duration::SECOND).await, stays, "clocks differ");
    assert!(matches!(fate(None, due + margin).await, Fate::Due { .. }));
    assert!(matches!(fate(Some(60), due + margin).await, Fate::Stays(Stays::Until(_))), "the longer counts");
    assert!(matches!(fate(Some(10), due + margin).await, Fate::Due { .. }), "and not the shorter");
    let asked = store(vault.as_ref(), "b", Some(ago(400)), None, signing()).await;
    let fate =
        async |keep_days| keeper(Arc::clone(&vault), keep_days).expire(&asked, "me", ago(0), true).await.unwrap();
    assert_eq!(fate(None).await, Fate::Stays(Stays::ForEver));
    assert!(matches!(fate(Some(401)).await, Fate::Stays(Stays::Until(_))));
    assert!(matches!(fate(Some(399)).await, Fate::Due { reason, .. } if reason.ends_with("(retention.keep_days)")));
}

#[tokio::test]
async fn what_has_no_good_seal_stays() {
    let (folder, vault) = folder();
    let keeper = keeper(Arc::clone(&vault), Some(1));
    let open = store(vault.as_ref(), "open", None, days(1), signing()).await;
    assert_eq!(keeper.expire(&open, "me", ago(0), false).await.unwrap(), Fate::Stays(Stays::Unsealed));
    let other = Arc::new(SigningKey::generate(&[2; 32]));
    let foreign = store(vault.as_ref(), "foreign", Some(ago(9)), days(1), other).await;
    let edited = store(vault.as_ref(), "edited", Some(ago(9)), days(1), signing()).await;
    let manifest = folder.path().join("vault").join(edited.key().as_str()).join("session.json");
    std::fs::write(&manifest, std::fs::read_to_string(&manifest).unwrap().replace("alice", "mallory")).unwrap();
    let buried = store(vault.as_ref(), "buried", Some(ago(9)), days(1), signing()).await;
    let tombstone = folder.path().join("vault").join(buried.key().as_str()).join("expired.json");
    std::fs::copy(tombstone.with_file_name("seal.json"), &tombstone).unwrap();
    for (place, words) in
        [(&foreign, "no key named"), (&edited, "not the one that was sealed"), (&buried, "expired.json: ")]
    {
        let before = names(vault.as_ref(), place).await;
        let said = keeper.expire(place, "me", ago(0), false).await.unwrap_err().to_string();
        assert!(said.contains(words), "{}: {said}", place.id());
        assert_eq!(names(vault.as_ref(), place).await, before);
    }
}

#[tokio::test]
async fn what_is_held_stays_until_it_is_released() {
    let (folder, vault) = folder();
    let place = store(vault.as_ref(), "a", Some(ago(9)), days(1), signing()).await;
    let keeper = keeper(Arc::clone(&vault), None);
    let set = async |held, reason| keeper.set_hold(&place, held, reason, "carol", ago(0)).await;
    assert!(matches!(set(false, "none").await, Err(KeepError::Already(_))));
    assert!(!set(true, "case 7").await.unwrap(), "a folder holds nothing by itself");
    assert!(matches!(set(true, "case 8").await, Err(KeepError::Already(_))));
    let held = Fate::Stays(Stays::Held { by: "carol".to_owned(), reason: "case 7".to_owned() });
    assert_eq!(keeper.expire(&place, "me", ago(0), false).await.unwrap(), held);
    set(false, "closed").await.unwrap();
    set(true, "reopened").await.unwrap();
    let hold = keeper.record(&place).await.unwrap().hold.unwrap();
    assert_eq!((hold.n, hold.held, hold.reason.as_str()), (3, true, "reopened"));
    // A hold that was put wrong, or one in the midst that is another, holds.
    let second = folder.path().join("vault/holds/a/00002.jws");
    let good = std::fs::read(&second).unwrap();
    std::fs::write(&second, [&good[..], b"x"].concat()).unwrap();
    assert!(matches!(keeper.expire(&place, "me", ago(0), false).await, Err(KeepError::Hold(_))));
    std::fs::copy(folder.path().join("vault/holds/a/00001.jws"), &second).unwrap();
    assert!(matches!(keeper.expire(&place, "me", ago(0), false).await, Err(KeepError::Hold(_))));
    std::fs::write(&second, good).unwrap();
    set(false, "over").await.unwrap();
    assert!(matches!(keeper.expire(&place, "me", ago(0), false).await.unwrap(), Fate::Expired { .. }));
    assert!(matches!(set(true, "too late").await, Err(KeepError::Expired(_))));
}

/// A vault whose gate is killed after so many removals.
struct Killed {
    vault: Arc<dyn Vault>,
    left: AtomicUsize,
}

#[async_trait]
impl Vault for Killed {
    async fn put(&self, key: &Key, from: &Path) -> Result<()> {
        self.vault.put(key, from).await
    }
    async fn replace(&self, key: &Key, from: &Path) -> Result<()> {
        self.vault.replace(key, from).await
    }
    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<Bytes> {
        self.vault.read(key, range).await
    }
    async fn len(&self, key: &Key) -> Result<Option<u64>> {
        self.vault.len(key).await
    }
    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>> {
        self.vault.list(prefix, after, limit).await
    }
    async fn remove(&self, key: &Key) -> Result<()> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match left {
            Ok(_) => self.vault.remove(key).await,
            Err(_) => {
                let source = std::io::ErrorKind::Interrupted.into();
                Err(VaultError::Storage { action: "remove", key: key.to_string(), source })
            }
        }
    }
}

#[tokio::test]
async fn what_a_crash_leaves_half_done_is_finished() {
    for removed in 0..4 {
        let (_folder, vault) = folder();
        let place = store(vault.as_ref(), "a", Some(ago(9)), days(1), signing()).await;
        let killed = Arc::new(Killed { vault: Arc::clone(&vault), left: removed.into() });
        assert!(keeper(killed, None).expire(&place, "me", ago(0), false).await.is_err());
        assert_eq!(names(vault.as_ref(), &place).await.len(), LEFT.len() + 4 - removed);
        assert_eq!(verdict(vault.as_ref(), &place).await, "expired", "{removed} removed");
        let keeper = keeper(Arc::clone(&vault), None);
        assert_eq!(keeper.expire(&place, "me", ago(0), true).await.unwrap(), Fate::Gone { objects: 4 - removed });
        assert_eq!(keeper.expire(&place, "me", ago(0), false).await.unwrap(), Fate::Gone { objects: 4 - removed });
        assert_eq!(names(vault.as_ref(), &place).await, LEFT);
    }
}

#[tokio::test]
async fn a_tombstone_of_a_time_to_come_takes_nothing_away() {
    let (_folder, vault) = folder();
    let place = store(vault.as_ref(), "a", Some(ago(9)), days(1), signing()).await;
    let killed = Arc::new(Killed { vault: Arc::clone(&vault), left: 0.into() });
    // By a gate whose clock was ahead, and that was killed.
    let ahead = ago(0) + time::Duration::days(2);
    assert!(keeper(killed, None).expire(&place, "me", ahead, false).await.is_err());
    let said = keeper(Arc::clone(&vault), None).expire(&place, "me", ago(0), false).await;
    assert!(matches!(said, Err(KeepError::Early(_))), "{said:?}");
    assert_eq!(names(vault.as_ref(), &place).await.len(), LEFT.len() + 4);
}

#[tokio::test]
async fn a_vault_is_gone_through_by_its_bundles() {
    let (_folder, vault) = folder();
    for (id, days) in [("a", 3), ("b", 2), ("c", 2)] {
        store(vault.as_ref(), id, Some(ago(days)), None, signing()).await;
    }
    let (mut found, mut last): (Vec<String>, Option<Place>) = (Vec::new(), None);
    while let Some(place) = next_bundle(vault.as_ref(), last.as_ref()).await.unwrap() {
        found.push(place.id().to_owned());
        last = Some(place);
    }
    assert_eq!(found, ["a", "b", "c"]);
}
