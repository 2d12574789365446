//! Servers that break their word: each is told by the name of what it does not do, and nothing is taken for safe that is not.
use std::time::Duration;

use portcullis_vault::{Encryption, Lock, LockMode, Property, S3, S3Settings, Vault, VaultError};

use super::fake::{Breach, Fake};
use super::place::{Place, key, words};

async fn breaking(breach: Breach) -> (Place, std::sync::Arc<Fake>) {
    let (endpoint, fake) = Fake::start(breach).await;
    let mut place = Place::at(&endpoint);
    place.settings.lock = Some(Lock { mode: LockMode::Compliance, keep: Duration::from_secs(90 * 86_400) });
    (place, fake)
}

#[tokio::test]
async fn one_that_keeps_its_word_passes() {
    let (mut place, fake) = breaking(Breach::None).await;
    place.settings.require = vec![Property::Checksums, Property::Preconditions, Property::Versioning];
    let vault = place.open().await;
    place.put(&vault, "s/session.json", b"{}").await.unwrap();
    assert_eq!(fake.count("session.json"), 1);
    assert!(vault.standing().keeps_checksums, "it tells them, and is believed when the same is put again");
    place.put(&vault, "s/session.json", b"{}").await.unwrap();
    assert!(matches!(place.put(&vault, "s/session.json", b"[]").await, Err(VaultError::AlreadyDiffers(_))));
    assert_eq!(fake.count("-sum"), 0);
}

#[tokio::test]
async fn every_object_goes_with_checksum_condition_lock_and_encryption() {
    let (mut place, fake) = breaking(Breach::None).await;
    place.settings.encryption = Encryption::Kms(Some("the-key".to_owned()));
    let vault = place.open().await;
    place.put(&vault, "s/video/00002.m4s", b"abc").await.unwrap();
    let sent = |header| fake.header("00002.m4s", header);
    let abc = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
    for (header, value) in [
        ("x-amz-checksum-sha256", abc),
        ("if-none-match", "*"),
        ("x-amz-object-lock-mode", "COMPLIANCE"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", "the-key"),
        ("content-type", "video/mp4"),
    ] {
        assert_eq!(sent(header).as_deref(), Some(value), "{header}");
    }
    assert!(sent("x-amz-object-lock-retain-until-date").is_some());
    place.settings.encryption = Encryption::Own;
    let vault = place.open().await;
    vault.replace(&key("s/index.m3u8"), &place.source(b"abc")).await.unwrap();
    let sent = |header| fake.header("index.m3u8", header);
    assert_eq!(sent("x-amz-checksum-sha256").as_deref(), Some(abc));
    assert_eq!(sent("x-amz-server-side-encryption").as_deref(), Some("AES256"));
    assert_eq!((sent("if-none-match"), sent("x-amz-object-lock-mode")), (None, None), "it is written over");
}

#[tokio::test]
async fn locks_that_are_not_held_are_found_out_before_anything_is_stored() {
    for (breach, reason) in [
        (Breach::ForgetsLocks, "asked for compliance, the server says that there is no lock"),
        (Breach::ShortensLocks, "asked until "),
        (Breach::SoftensLocks, "asked for compliance, the server says governance"),
        (Breach::RemovesLocked, "an object was removed that was locked"),
    ] {
        let (place, _) = breaking(breach).await;
        let said = words(&S3::open(place.settings.clone()).await.unwrap_err());
        assert!(said.contains(&format!("does not protect the record (Object Lock): {reason}")), "{breach:?}: {said}");
        // Where nobody asks for a lock, nobody needs one.
        S3::open(S3Settings { lock: None, ..place.settings.clone() }).await.unwrap();
    }
}

#[tokio::test]
async fn a_lock_that_is_forgotten_later_fails_the_first_objects_of_a_session() {
    let (place, _) = breaking(Breach::ForgetsLater).await;
    let vault = place.open().await;
    for at in ["s/session.json", "s/events/00001.jsonl", "s/video/00001.m4s", "s/chain/00001.jws"] {
        match place.put(&vault, at, b"x").await {
            Err(VaultError::Unprotected { property: "Object Lock", reason }) => {
                assert!(reason.starts_with(at), "{reason}")
            }
            other => panic!("{at}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn checksums_and_preconditions_that_are_ignored_are_named() {
    for (breach, property) in
        [(Breach::IgnoresChecksums, Property::Checksums), (Breach::IgnoresPreconditions, Property::Preconditions)]
    {
        let (mut place, _) = breaking(breach).await;
        place.settings.lock = None;
        let vault = place.open().await;
        assert!(vault.standing().of(property).is_err(), "{breach:?}");
        let others = [Property::Checksums, Property::Preconditions, Property::Versioning];
        for other in others.into_iter().filter(|other| *other != property) {
            assert_eq!(vault.standing().of(other), Ok(()), "{breach:?}");
        }
        place.settings.require = vec![property];
        let said = words(&S3::open(place.settings.clone()).await.unwrap_err());
        assert!(said.contains(&format!("({property})")), "{said}");
        // What is there is not written over all the same: the vault looks first.
        place.put(&vault, "a", b"first").await.unwrap();
        assert!(matches!(place.put(&vault, "a", b"other").await, Err(VaultError::AlreadyDiffers(_))));
    }
}

#[tokio::test]
async fn bytes_that_come_back_altered_are_noticed() {
    let (place, _) = breaking(Breach::AltersBytes).await;
    let said = words(&S3::open(place.settings.clone()).await.unwrap_err());
    assert!(
        said.starts_with("cannot read back from the bucket") && said.ends_with("(other bytes came back)"),
        "{said}"
    );
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_write_is_no_loss() {
    let (mut place, fake) = breaking(Breach::LosesAnswers).await;
    place.settings.lock = None;
    let vault = S3::for_reading(place.settings.clone()).unwrap();
    place.put(&vault, "a", b"bytes").await.unwrap();
    assert_eq!(fake.count("/a"), 1);
    assert!(matches!(place.put(&vault, "a", b"other").await, Err(VaultError::AlreadyDiffers(_))));
    assert_eq!(vault.read(&key("a"), None).await.unwrap(), "bytes");
}

#[tokio::test]
async fn one_that_is_busy_is_asked_again() {
    let (place, fake) = breaking(Breach::Busy).await;
    let vault = place.open().await;
    for n in 0..4 {
        place.put(&vault, &format!("s/video/{n:05}.m4s"), b"film").await.unwrap();
    }
    assert_eq!(fake.count(".m4s"), 4);
}

#[tokio::test]
async fn clocks_that_differ_are_said_with_seconds() {
    let (place, _) = breaking(Breach::Skewed).await;
    let said = words(&S3::open(place.settings.clone()).await.unwrap_err());
    let seconds = said.split(" differ by ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    assert!((3595..3660).contains(&seconds.parse::<u64>().unwrap()), "{said}");
}

#[tokio::test]
async fn a_list_that_is_cut_short_is_no_end() {
    let (place, _) = breaking(Breach::CutsLists).await;
    let vault = S3::for_reading(place.settings.clone()).unwrap();
    let said = vault.list("sessions/", None, 10).await;
    assert!(matches!(&said, Err(VaultError::Storage { action: "list", .. })), "{said:?}");
    assert!(vault.strange(&key("sessions/2026/01/31/a")).await.is_err());
    assert!(portcullis_vault::next_bundle(&vault, None).await.is_err());
}

#[tokio::test]
async fn a_hold_that_fails_in_passing_is_not_taken_for_a_bucket_without_holds() {
    let (place, _) = breaking(Breach::None).await;
    let vault = S3::for_reading(place.settings.clone()).unwrap();
    place.put(&vault, "a", b"bytes").await.unwrap();
    assert!(!vault.hold(&key("a"), true).await.unwrap());
    let (place, _) = breaking(Breach::AbortsHolds).await;
    let vault = S3::for_reading(place.settings.clone()).unwrap();
    place.put(&vault, "a", b"bytes").await.unwrap();
    let said = vault.hold(&key("a"), true).await;
    assert!(matches!(&said, Err(VaultError::Storage { action: "hold", .. })), "{said:?}");
}
