//! Recordings over the years, on a server that locks: what it keeps stays, and what goes is gone with all its versions.
use std::sync::Arc;

use portcullis_evidence::{Digest, KeepLock, KeepTerms, PathInBundle, SigningKey, Trust};
use portcullis_vault::keeping::{Fate, KeepError, Keeper, Replaced, Stays};
use portcullis_vault::{Key, Lock, LockMode, Place as At, Vault, VaultError};

use super::bundle::{DAY, LEFT, ago, derive, derived_names, keeper, names, signing, store, verdict, verdict_at};
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

#[tokio::test]
async fn a_hold_by_configuration_is_not_taken_off_by_a_release() {
    let mut place = Place::radosgw(true).await;
    place.settings.legal_hold = true;
    let vault: Arc<dyn Vault> = place.open().await;
    let at = store(vault.as_ref(), "a", Some(ago(9)), days(1), signing()).await;
    let film = in_bundle(&at, "video/00001.m4s");
    let keeper = keeper(Arc::clone(&vault), None);
    let never = keeper.set_hold(&at, false, "over", "mallory", ago(0)).await;
    assert!(matches!(never, Err(KeepError::Already(_))), "{never:?}");
    assert!(vault.guarded(&film).await.unwrap().held);
    keeper.set_hold(&at, true, "case 7", "carol", ago(0)).await.unwrap();
    keeper.set_hold(&at, false, "over", "carol", ago(0)).await.unwrap();
    assert!(vault.guarded(&film).await.unwrap().held, "the configuration's own stays");
    let fate = keeper.expire(&at, "me", ago(0), false).await.unwrap();
    assert!(matches!(fate, Fate::Stays(Stays::HeldByStorage(_))), "{fate:?}");
    // By hand, as an administrator of the storage does.
    place.settings.legal_hold = false;
    let bare: Arc<dyn Vault> = place.open().await;
    for name in names(vault.as_ref(), &at).await {
        bare.hold(&in_bundle(&at, &name), false).await.unwrap();
    }
    assert!(matches!(keeper.expire(&at, "me", ago(0), false).await.unwrap(), Fate::Expired { .. }));
}

#[tokio::test]
async fn a_stamp_that_comes_later_is_locked_and_held_as_its_recording() {
    let place = Place::radosgw(true).await;
    let vault: Arc<dyn Vault> = place.open().await;
    let keep = Some(KeepTerms { lock: KeepLock::Compliance, seconds: 12 * DAY });
    let at = store(vault.as_ref(), "a", Some(ago(9)), keep, signing()).await;
    let keeper = keeper(Arc::clone(&vault), None);
    keeper.set_hold(&at, true, "case 7", "carol", ago(0)).await.unwrap();
    let stamp = in_bundle(&at, "seal.tsr");
    vault.put(&stamp, &place.source(b"a stamp")).await.unwrap();
    assert_eq!(vault.guarded(&stamp).await.unwrap(), portcullis_vault::Guarded::default());
    for _ in 0..2 {
        keeper.guard(&at, PathInBundle::TimeStamp, ago(0)).await.unwrap();
        let guarded = vault.guarded(&stamp).await.unwrap();
        let until = ago(0) + time::Duration::days(3);
        let (mode, to) = guarded.lock.unwrap();
        assert!(guarded.held && mode == LockMode::Compliance);
        assert!((to - until).abs() < time::Duration::minutes(5), "{to} {until}");
    }
    assert!(vault.remove(&stamp).await.is_err(), "the server keeps it");
}

#[tokio::test]
async fn what_is_derived_is_locked_with_its_original_and_replaces_it_only_behind_the_lock() {
    let place = Place::radosgw(true).await;
    let vault: Arc<dyn Vault> = place.open().await;
    let keep = Some(KeepTerms { lock: KeepLock::Governance, seconds: 202 * DAY });
    let at = store(vault.as_ref(), "a", Some(ago(200)), keep, signing()).await;
    let lock = Lock { mode: LockMode::Governance, keep: std::time::Duration::from_secs(2 * DAY) };
    derive(vault.as_ref(), &at).await;
    let keeper = keeper(Arc::clone(&vault), None);
    keeper.guard_derived(&at, ago(0)).await.unwrap();
    let copy = at.derived().unwrap();
    for name in derived_names(vault.as_ref(), &at).await {
        let key = Key::new(format!("{copy}/{name}")).unwrap();
        let (mode, to) = vault.guarded(&key).await.unwrap().lock.unwrap();
        let least = ago(0) + time::Duration::try_from(lock.keep).unwrap() - time::Duration::minutes(5);
        assert!(mode == lock.mode && to > least, "{name} {to}");
        assert!(vault.remove(&key).await.is_err(), "{name}: the server keeps it");
    }
    let derivation =
        Digest::of(&vault.read(&Key::of(copy.as_str(), PathInBundle::Derivation).unwrap(), None).await.unwrap());
    let fate = keeper.replace(&at, derivation, "me", ago(0), false).await.unwrap();
    assert!(matches!(fate, Replaced::Stays(Stays::Until(_))), "the seal says that it is locked: {fate:?}");
    assert_eq!(verdict(vault.as_ref(), &at).await, "sound");
    // Another that was never locked: its own video goes with all its versions, and what was made of it stays.
    let free = store(vault.as_ref(), "free", Some(ago(200)), days(400), signing()).await;
    derive(vault.as_ref(), &free).await;
    keeper.guard_derived(&free, ago(0)).await.unwrap();
    assert_eq!(keeper.replace(&free, derivation, "me", ago(0), false).await.unwrap(), Replaced::Now(2));
    assert_eq!(place.versions(&format!("{}/video/", free.key())).await, 0);
    assert_eq!(verdict(vault.as_ref(), &free).await, "replaced");
    assert_eq!(verdict_at(vault.as_ref(), &free.derived().unwrap()).await, "derived");
}
