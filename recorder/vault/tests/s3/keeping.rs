//! Recordings over the years, on a server that locks: what it keeps stays, and what goes is gone with all its versions.
use std::sync::Arc;

use portcullis_evidence::{KeepLock, KeepTerms, SigningKey, Trust};
use portcullis_vault::keeping::{Fate, Keeper, Stays};
use portcullis_vault::{Key, Lock, LockMode, Place as At, Vault, VaultError};

use super::bundle::{DAY, LEFT, ago, keeper, names, signing, store, verdict};
use super::place::{Place, words};

fn days(days: u64) -> Option<KeepTerms> {
    Some(KeepTerms { lock: KeepLock::None, seconds: days * DAY })
}

fn in_bundle(at: &At, name: &str) -> Key {
    Key::new(format!("{}/{name}", at.key())).unwrap()
}

impl Place {
    /// How many versions there are of what begins like this.
    async fn versions(&self, at: &str) -> usize {
        let (bucket, name) = (&self.settings.bucket, self.name(at));
        let found = self.client.list_object_versions().bucket(bucket).prefix(name).send().await.unwrap();
        found.versions().len() + found.delete_markers().len()
    }
}

#[tokio::test]
async fn what_the_server_locks_stays_and_is_said() {
    let place = Place::radosgw(true).await;
    let vault: Arc<dyn Vault> = place.open().await;
    let lock = Lock { mode: LockMode::Compliance, keep: std::time::Duration::from_secs(5 * DAY) };
    let locked = Arc::clone(&vault).locked(lock).await.unwrap();
    let at = store(locked.as_ref(), "a", Some(ago(9)), days(1), signing()).await;
    // A gate whose clock is ahead by years finds it due, and the lock not over.
    let keeper = keeper(Arc::clone(&vault), None);
    let before = names(vault.as_ref(), &at).await;
    let fate = keeper.expire(&at, "me", ago(0), false).await.unwrap();
    assert!(matches!(fate, Fate::Stays(Stays::Locked { mode: LockMode::Compliance, .. })), "{fate:?}");
    assert_eq!(names(vault.as_ref(), &at).await, before);
    // Who does not ask is refused by the server itself.
    let ahead = time::OffsetDateTime::now_utc() + time::Duration::days(3000);
    let refused = keeper.expire(&at, "me", ahead, false).await.unwrap_err();
    assert!(words(&refused).contains("cannot remove"), "{}", words(&refused));
    let film = in_bundle(&at, "video/00001.m4s");
    assert!(matches!(vault.remove(&film).await, Err(VaultError::Storage { action: "remove", .. })));
    for name in &before {
        assert!(vault.len(&in_bundle(&at, name)).await.unwrap().is_some(), "{name} is gone");
    }
}

#[tokio::test]
async fn what_goes_is_gone_with_all_its_versions() {
    let place = Place::radosgw(false).await;
    place.version().await;
    let vault: Arc<dyn Vault> = place.open().await;
    let at = store(vault.as_ref(), "a", Some(ago(9)), days(1), signing()).await;
    place.write_directly(&place.name(in_bundle(&at, "index.m3u8").as_str()), b"newer").await;
    let fate = keeper(Arc::clone(&vault), None).expire(&at, "me", ago(0), false).await.unwrap();
    assert!(matches!(fate, Fate::Expired { objects: 4, .. }), "{fate:?}");
    assert_eq!(names(vault.as_ref(), &at).await, LEFT);
    assert_eq!(verdict(vault.as_ref(), &at).await, "expired");
    for name in ["index.m3u8", "video/", "events/"] {
        assert_eq!(place.versions(&format!("{}/{name}", at.key())).await, 0, "{name}");
    }
}

#[tokio::test]
async fn a_lock_gets_longer_and_firmer_and_never_the_other_way() {
    let place = Place::radosgw(true).await;
    let vault: Arc<dyn Vault> = place.open().await;
    let key = Key::new("a").unwrap();
    vault.put(&key, &place.source(b"x")).await.unwrap();
    assert_eq!(vault.guarded(&key).await.unwrap(), portcullis_vault::Guarded::default());
    let (soon, late) = (ago(0) + time::Duration::days(2), ago(0) + time::Duration::days(9));
    for (mode, until, has) in [
        (LockMode::Governance, soon, (LockMode::Governance, soon)),
        (LockMode::Governance, late, (LockMode::Governance, late)),
        (LockMode::Governance, soon, (LockMode::Governance, late)),
    ] {
        vault.lock_until(&key, mode, until).await.unwrap();
        assert_eq!(vault.guarded(&key).await.unwrap().lock, Some(has));
    }
    let bare: Arc<dyn Vault> = Place::radosgw(false).await.open().await;
    bare.put(&key, &place.source(b"x")).await.unwrap();
    assert!(bare.lock_until(&key, LockMode::Governance, soon).await.is_err());
    assert!(!bare.hold(&key, true).await.unwrap());
}

#[tokio::test]
async fn a_hold_is_the_servers_too() {
    let place = Place::radosgw(true).await;
    let vault: Arc<dyn Vault> = place.open().await;
    let at = store(vault.as_ref(), "a", Some(ago(9)), days(1), signing()).await;
    let keeper = keeper(Arc::clone(&vault), None);
    assert!(keeper.set_hold(&at, true, "case 7", "carol", ago(0)).await.unwrap());
    let film = in_bundle(&at, "video/00001.m4s");
    assert!(vault.guarded(&film).await.unwrap().held);
    assert!(vault.remove(&film).await.is_err(), "the server keeps it");
    assert!(matches!(keeper.expire(&at, "me", ago(0), false).await.unwrap(), Fate::Stays(Stays::Held { .. })));
    assert!(keeper.set_hold(&at, false, "over", "carol", ago(0)).await.unwrap());
    // One that somebody else put there counts as well.
    vault.hold(&film, true).await.unwrap();
    assert_eq!(keeper.expire(&at, "me", ago(0), false).await.unwrap(), Fate::Stays(Stays::HeldByStorage(film.clone())));
    vault.hold(&film, false).await.unwrap();
    assert!(matches!(keeper.expire(&at, "me", ago(0), false).await.unwrap(), Fate::Expired { .. }));
}

#[tokio::test]
async fn two_gates_with_one_bucket() {
    let place = Place::radosgw(true).await;
    let vault: Arc<dyn Vault> = place.open().await;
    let other = Arc::new(SigningKey::generate(&[2; 32]));
    let mine = store(vault.as_ref(), "mine", Some(ago(9)), days(1), signing()).await;
    let theirs = store(vault.as_ref(), "theirs", Some(ago(9)), days(1), Arc::clone(&other)).await;
    let one = keeper(Arc::clone(&vault), None);
    let before = names(vault.as_ref(), &theirs).await;
    assert!(one.expire(&theirs, "one", ago(0), false).await.is_err(), "a seal of another gate");
    assert_eq!(names(vault.as_ref(), &theirs).await, before);
    // Two that share their keys come upon the same recording at once: nothing is lost, and the next look finds it done.
    let trust = Trust::of(&[signing().verifying_key()]);
    let two = Keeper { vault: Arc::clone(&vault), trust, key: signing(), keep: None, replace_after: None };
    let (now, later) = (ago(0), ago(0) + time::Duration::SECOND);
    let _ = tokio::join!(one.expire(&mine, "one", now, false), two.expire(&mine, "two", later, false));
    one.expire(&mine, "one", now, false).await.unwrap();
    assert_eq!(two.expire(&mine, "two", later, false).await.unwrap(), Fate::Gone { objects: 0 });
    assert_eq!(verdict(vault.as_ref(), &mine).await, "expired");
}
