//! What was derived of a recording: it goes with its original, is held with it, and may stand in place of its video.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod bundle;

use std::sync::Arc;

use bundle::{DAY, LEFT, ago, derive, derived_names, keeper, names, signing, store, verdict, verdict_at};
use portcullis_evidence::{Digest, KeepLock, KeepTerms};
use portcullis_vault::keeping::{Fate, KeepError, Keeper, Replaced, Stays};
use portcullis_vault::{Folder, Key, Place, Vault};
use tempfile::TempDir;

/// A recording that ended so many days ago and is kept for 200, and what was derived of it.
async fn made(ended: u64, lock: KeepLock) -> (TempDir, Arc<dyn Vault>, Place) {
    let folder = tempfile::tempdir().unwrap();
    let vault: Arc<dyn Vault> = Arc::new(Folder::open(&folder.path().join("vault")).unwrap());
    let keep = Some(KeepTerms { lock, seconds: 200 * DAY });
    let place = store(vault.as_ref(), "a", Some(ago(ended)), keep, signing()).await;
    derive(vault.as_ref(), &place).await;
    assert_eq!(verdict_at(vault.as_ref(), &place.derived().unwrap()).await, "derived");
    (folder, vault, place)
}

fn statement() -> Digest {
    Digest::of(b"a derivation")
}

#[tokio::test]
async fn what_was_derived_goes_with_its_original() {
    let (_folder, vault, place) = made(201, KeepLock::None).await;
    let keeper = keeper(Arc::clone(&vault), None);
    let before = derived_names(vault.as_ref(), &place).await;
    let trial = keeper.expire(&place, "me", ago(0), true).await.unwrap();
    assert!(matches!(trial, Fate::Due { objects: 8, .. }), "{trial:?}");
    assert_eq!(derived_names(vault.as_ref(), &place).await, before, "a trial changes nothing");
    let done = keeper.expire(&place, "me", ago(0), false).await.unwrap();
    assert!(matches!(done, Fate::Expired { objects: 8, .. }), "{done:?}");
    assert_eq!(names(vault.as_ref(), &place).await, LEFT);
    let mut left = [LEFT.as_slice(), &["derivation.json"]].concat();
    left.sort_unstable();
    assert_eq!(derived_names(vault.as_ref(), &place).await, left);
    for at in [place.key(), &place.derived().unwrap()] {
        assert_eq!(verdict_at(vault.as_ref(), at).await, "expired", "{at}");
    }
}

#[tokio::test]
async fn what_was_read_goes_with_its_original_and_stays_while_that_is_held() {
    let (folder, vault, place) = made(201, KeepLock::None).await;
    let keeper = keeper(Arc::clone(&vault), None);
    let readings = format!("{}/", place.readings().unwrap());
    for name in ["text.json", "0a1b.jsonl", "thumbnail.json", "2c3d.jpg"] {
        let file = folder.path().join(name);
        std::fs::write(&file, name).unwrap();
        vault.put(&Key::new(format!("{readings}{name}")).unwrap(), &file).await.unwrap();
    }
    let left = async || vault.list(&readings, None, 10).await.unwrap().len();
    keeper.set_hold(&place, true, "a case", "me", ago(0)).await.unwrap();
    let held = keeper.expire(&place, "me", ago(0), false).await.unwrap();
    assert!(matches!(held, Fate::Stays(Stays::Held { .. })), "{held:?}");
    assert_eq!(left().await, 4);
    keeper.set_hold(&place, false, "closed", "me", ago(0)).await.unwrap();
    let done = keeper.expire(&place, "me", ago(0), false).await.unwrap();
    assert!(matches!(done, Fate::Expired { objects: 12, .. }), "{done:?}");
    assert_eq!(left().await, 0);
    assert_eq!(verdict_at(vault.as_ref(), place.key()).await, "expired", "what was read was no part of it");
}

#[tokio::test]
async fn a_copy_that_comes_after_its_original_expired_goes_with_the_next_look() {
    let (_folder, vault, place) = made(201, KeepLock::None).await;
    let late = store(
        vault.as_ref(),
        "late",
        Some(ago(201)),
        Some(KeepTerms { lock: KeepLock::None, seconds: DAY }),
        signing(),
    );
    let late = late.await;
    let keeper = keeper(Arc::clone(&vault), None);
    let whole = derived_names(vault.as_ref(), &place).await.len();
    derive(vault.as_ref(), &late).await;
    let before = derived_names(vault.as_ref(), &late).await.len();
    assert_eq!(before, whole);
    assert!(matches!(keeper.expire(&late, "me", ago(0), false).await.unwrap(), Fate::Expired { .. }));
    // As if it had been stored by somebody who began before: again whole, without a tombstone.
    let tombstone =
        portcullis_vault::Key::of(late.derived().unwrap().as_str(), portcullis_evidence::PathInBundle::Expired);
    vault.remove(&tombstone.unwrap()).await.unwrap();
    assert_eq!(keeper.expire(&late, "me", ago(0), false).await.unwrap(), Fate::Gone { objects: 0 });
    assert_eq!(verdict_at(vault.as_ref(), &late.derived().unwrap()).await, "expired");
}

#[tokio::test]
async fn what_is_held_keeps_both() {
    let (_folder, vault, place) = made(201, KeepLock::None).await;
    let keeper = keeper(Arc::clone(&vault), None);
    keeper.set_hold(&place, true, "case 7", "carol", ago(0)).await.unwrap();
    let held = Stays::Held { by: "carol".to_owned(), reason: "case 7".to_owned() };
    assert_eq!(keeper.expire(&place, "me", ago(0), false).await.unwrap(), Fate::Stays(held.clone()));
    assert_eq!(keeper.replace(&place, statement(), "me", ago(0), false).await.unwrap(), Replaced::Stays(held));
    assert_eq!(verdict_at(vault.as_ref(), &place.derived().unwrap()).await, "derived");
    assert_eq!(verdict(vault.as_ref(), &place).await, "sound");
}

#[tokio::test]
async fn replaced_video_goes_and_everything_else_stays() {
    let (_folder, vault, place) = made(100, KeepLock::None).await;
    let keeper = keeper(Arc::clone(&vault), None);
    let before = names(vault.as_ref(), &place).await;
    assert_eq!(keeper.replace(&place, statement(), "me", ago(0), true).await.unwrap(), Replaced::Due(2));
    assert_eq!(names(vault.as_ref(), &place).await, before, "a trial changes nothing");
    assert_eq!(keeper.replace(&place, statement(), "me", ago(0), false).await.unwrap(), Replaced::Now(2));
    assert_eq!(verdict(vault.as_ref(), &place).await, "replaced");
    let left = names(vault.as_ref(), &place).await;
    assert!(left.contains(&"events/00001.jsonl".to_owned()) && left.contains(&"index.m3u8".to_owned()), "{left:?}");
    assert!(!left.iter().any(|name| name.starts_with("video/")), "{left:?}");
    let said = keeper.record(&place).await.unwrap().replaced.unwrap();
    assert_eq!((said.by.as_str(), said.derivation), ("me", statement()));
    assert_eq!(keeper.replace(&place, statement(), "me", ago(0), false).await.unwrap(), Replaced::Before(0));
    // When its time is over the rest goes too, and what stood in its place.
    let later = ago(0) + time::Duration::days(101);
    let done = keeper.expire(&place, "me", later, false).await.unwrap();
    assert!(matches!(done, Fate::Expired { objects: 6, .. }), "{done:?}");
    for at in [place.key(), &place.derived().unwrap()] {
        assert_eq!(verdict_at(vault.as_ref(), at).await, "expired", "{at}");
    }
    let refused = keeper.replace(&place, statement(), "me", later, false).await;
    assert!(matches!(refused, Err(KeepError::Expired(_))), "{refused:?}");
}

#[tokio::test]
async fn video_stays_while_anybody_wants_it() {
    for (ended, lock, after, why) in [
        (89, KeepLock::None, Some(90), "until"),
        (100, KeepLock::Governance, Some(90), "until"),
        (199, KeepLock::Compliance, Some(90), "until"),
        (100, KeepLock::None, None, "original"),
    ] {
        let (_folder, vault, place) = made(ended, lock).await;
        let after = after.map(|days: u64| std::time::Duration::from_secs(days * DAY));
        let keeper = Keeper { replace_after: after, ..keeper(Arc::clone(&vault), None) };
        let fate = keeper.replace(&place, statement(), "me", ago(0), false).await.unwrap();
        let said = match &fate {
            Replaced::Stays(Stays::Until(_)) => "until",
            Replaced::Stays(Stays::Original) => "original",
            _ => "another",
        };
        assert_eq!(said, why, "{ended} {lock:?}: {fate:?}");
        assert_eq!(verdict(vault.as_ref(), &place).await, "sound");
    }
    let folder = tempfile::tempdir().unwrap();
    let vault: Arc<dyn Vault> = Arc::new(Folder::open(&folder.path().join("vault")).unwrap());
    let open = store(vault.as_ref(), "open", None, None, signing()).await;
    let fate = keeper(Arc::clone(&vault), None).replace(&open, statement(), "me", ago(0), false).await.unwrap();
    assert_eq!(fate, Replaced::Stays(Stays::Unsealed));
}
