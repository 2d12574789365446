//! What happens between two steps of holding, releasing, expiring and deriving: others act, the storage fails once, a key was taken.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bundle::{DAY, LEFT, ago, derive, derived_names, keeper, names, signing, store, verdict, verdict_at};
use bytes::Bytes;
use portcullis_evidence::{KeepLock, KeepTerms, KeyList, ListedKey, PathInBundle, SigningKey, Trust, stamp};
use portcullis_vault::keeping::{Fate, KeepError, Keeper, Stays};
use portcullis_vault::{Entry, Folder, Guarded, Key, Place, Result, Vault, VaultError};
use tempfile::TempDir;

/// A folder that knows holds, and in which something happens once.
struct Around {
    vault: Arc<dyn Vault>,
    held: Mutex<BTreeSet<Key>>,
    /// Expire this recording before the words of its hold are stored.
    first: Mutex<Option<(Keeper, Place)>>,
    /// Fail to hold the object whose key ends so.
    fails: Mutex<Option<&'static str>>,
}

#[async_trait]
impl Vault for Around {
    async fn put(&self, key: &Key, from: &Path) -> Result<()> {
        let first = if key.as_str().starts_with("holds/") { self.first.lock().unwrap().take() } else { None };
        if let Some((keeper, place)) = first {
            let fate = keeper.expire(&place, "me", ago(0), false).await.unwrap();
            assert!(matches!(fate, Fate::Expired { .. }), "{fate:?}");
        }
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
        self.vault.remove(key).await
    }
    async fn guarded(&self, key: &Key) -> Result<Guarded> {
        Ok(Guarded { lock: None, held: self.held.lock().unwrap().contains(key) })
    }
    async fn hold(&self, key: &Key, held: bool) -> Result<bool> {
        let mut fails = self.fails.lock().unwrap();
        if fails.is_some_and(|end| key.as_str().ends_with(end)) {
            *fails = None;
            let source = std::io::ErrorKind::TimedOut.into();
            return Err(VaultError::Storage { action: "hold", key: key.to_string(), source });
        }
        match held {
            true => self.held.lock().unwrap().insert(key.clone()),
            false => self.held.lock().unwrap().remove(key),
        };
        Ok(true)
    }
}

/// A vault with a recording whose time is over.
async fn due() -> (TempDir, Arc<Around>, Place) {
    let folder = tempfile::tempdir().unwrap();
    let vault: Arc<dyn Vault> = Arc::new(Folder::open(&folder.path().join("vault")).unwrap());
    let keep = Some(KeepTerms { lock: KeepLock::None, seconds: DAY });
    let place = store(vault.as_ref(), "a", Some(ago(9)), keep, signing()).await;
    let around = Around { vault, held: Mutex::default(), first: Mutex::default(), fails: Mutex::default() };
    (folder, Arc::new(around), place)
}

#[tokio::test]
async fn nobody_is_told_that_it_is_held_once_it_goes() {
    let (_folder, vault, place) = due().await;
    *vault.first.lock().unwrap() = Some((keeper(Arc::clone(&vault.vault), None), place.clone()));
    let said = keeper(vault.clone(), None).set_hold(&place, true, "case 7", "carol", ago(0)).await;
    assert!(matches!(said, Err(KeepError::Expired(_))), "{said:?}");
    assert_eq!(names(vault.as_ref(), &place).await, LEFT);
}

#[tokio::test]
async fn a_hold_that_is_half_done_is_completed() {
    for again_by_hand in [false, true] {
        let (_folder, vault, place) = due().await;
        *vault.fails.lock().unwrap() = Some("video/00001.m4s");
        let keeper = keeper(vault.clone(), None);
        assert!(keeper.set_hold(&place, true, "case 7", "carol", ago(0)).await.is_err());
        if again_by_hand {
            assert!(keeper.set_hold(&place, true, "case 7", "carol", ago(0)).await.unwrap());
        } else {
            let fate = keeper.expire(&place, "me", ago(0), false).await.unwrap();
            assert!(matches!(fate, Fate::Stays(Stays::Held { .. })), "{fate:?}");
        }
        let all = names(vault.as_ref(), &place).await.len();
        assert_eq!(vault.held.lock().unwrap().len(), all, "each object is held");
    }
}

#[tokio::test]
async fn what_was_never_held_by_words_is_not_released() {
    let (_folder, vault, place) = due().await;
    let film = Key::of(place.key().as_str(), PathInBundle::Video(1)).unwrap();
    vault.hold(&film, true).await.unwrap();
    let said = keeper(vault.clone(), None).set_hold(&place, false, "over", "mallory", ago(0)).await;
    assert!(matches!(said, Err(KeepError::Already(_))), "{said:?}");
    assert!(vault.guarded(&film).await.unwrap().held, "somebody else's hold stays");
}

#[tokio::test]
async fn what_the_storage_holds_behind_a_tombstone_is_no_news() {
    let (_folder, vault, place) = due().await;
    let keeper = keeper(vault.clone(), None);
    assert!(matches!(keeper.expire(&place, "me", ago(0), false).await.unwrap(), Fate::Expired { objects: 4, .. }));
    let film = Key::of(place.key().as_str(), PathInBundle::Video(1)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("film"), "film").unwrap();
    vault.put(&film, &folder.path().join("film")).await.unwrap();
    vault.hold(&film, true).await.unwrap();
    for trial in [true, false, false] {
        let fate = keeper.expire(&place, "me", ago(0), trial).await.unwrap();
        assert_eq!(fate, Fate::Stays(Stays::HeldByStorage(film.clone())));
    }
    vault.hold(&film, false).await.unwrap();
    assert_eq!(keeper.expire(&place, "me", ago(0), true).await.unwrap(), Fate::Gone { objects: 1 });
    assert_eq!(keeper.expire(&place, "me", ago(0), false).await.unwrap(), Fate::Gone { objects: 1 });
    assert_eq!(keeper.expire(&place, "me", ago(0), false).await.unwrap(), Fate::Gone { objects: 0 });
}

/// A keeper with a new key, whose list says that the key of before is revoked.
fn after_a_theft(vault: Arc<dyn Vault>) -> Keeper {
    let new = Arc::new(SigningKey::generate(&[2; 32]));
    let mut old = ListedKey::of(&signing().verifying_key(), "2020-01-01T00:00:00.000000Z");
    old.revoked = stamp(ago(20));
    let listed = vec![old, ListedKey::of(&new.verifying_key(), "2020-01-02T00:00:00.000000Z")];
    let list = KeyList { v: 1, issued: stamp(ago(0)), keys: listed };
    Keeper { key: new, trust: Trust::listed(&list).unwrap(), ..keeper(vault, None) }
}

#[tokio::test]
async fn a_release_of_a_revoked_key_releases_nothing() {
    let (_folder, vault, place) = due().await;
    let before = keeper(vault.clone(), None);
    before.set_hold(&place, true, "case 7", "carol", ago(0)).await.unwrap();
    before.set_hold(&place, false, "over", "mallory", ago(0)).await.unwrap();
    let after = after_a_theft(vault.clone());
    let fate = after.expire(&place, "me", ago(0), false).await.unwrap();
    assert!(matches!(&fate, Fate::Stays(Stays::Held { reason, .. }) if reason.contains("revoked")), "{fate:?}");
    after.set_hold(&place, false, "over indeed", "carol", ago(0)).await.unwrap();
    // Nor does a seal of that key say for how long it is kept.
    assert_eq!(after.expire(&place, "me", ago(0), false).await.unwrap(), Fate::Stays(Stays::RevokedKey));
    assert_eq!(verdict(vault.as_ref(), &place).await, "sound");
}

#[tokio::test]
async fn what_an_interrupted_derivation_left_makes_room() {
    let (_folder, vault, place) = due().await;
    let keeper = keeper(vault.clone(), None);
    derive(vault.as_ref(), &place).await;
    let to = place.derived().unwrap();
    let whole = derived_names(vault.as_ref(), &place).await;
    keeper.clear_derived(&place, ago(0)).await.unwrap();
    assert_eq!(derived_names(vault.as_ref(), &place).await, whole, "what is stated stays");
    vault.remove(&Key::of(to.as_str(), PathInBundle::Derivation).unwrap()).await.unwrap();
    let (film, folder) = (Key::of(to.as_str(), PathInBundle::Video(1)).unwrap(), tempfile::tempdir().unwrap());
    vault.remove(&film).await.unwrap();
    std::fs::write(folder.path().join("film"), "made before").unwrap();
    vault.put(&film, &folder.path().join("film")).await.unwrap();
    vault.hold(&film, true).await.unwrap();
    let said = keeper.clear_derived(&place, ago(0)).await.unwrap_err();
    assert!(matches!(&said, KeepError::Guarded(Stays::HeldByStorage(key)) if *key == film), "{said}");
    vault.hold(&film, false).await.unwrap();
    keeper.clear_derived(&place, ago(0)).await.unwrap();
    assert!(derived_names(vault.as_ref(), &place).await.is_empty());
    derive(vault.as_ref(), &place).await;
    assert_eq!(verdict_at(vault.as_ref(), &to).await, "derived");
}
