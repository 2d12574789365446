//! Object Lock by a server that does lock: what is stored is locked, and nothing takes it away.
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::{ObjectLockLegalHoldStatus, ObjectLockRetentionMode};
use portcullis_vault::{Lock, LockMode, S3, S3Settings, Vault, VaultError};

use super::place::{Place, key, words};

const DAY: Duration = Duration::from_secs(86_400);

async fn locking(mode: LockMode) -> (Place, Arc<S3>) {
    let mut place = Place::radosgw(true).await;
    place.settings.lock = Some(Lock { mode, keep: 30 * DAY });
    let vault = place.open().await;
    (place, vault)
}

impl Place {
    /// Mode, days from now (rounded) and version of an object's lock.
    async fn lock_of(&self, at: &str) -> (ObjectLockRetentionMode, i64, String) {
        let (bucket, name) = (&self.settings.bucket, self.name(at));
        let found =
            self.client.get_object_retention().bucket(bucket).key(&name).send().await.unwrap().retention.unwrap();
        let head = self.client.head_object().bucket(bucket).key(&name).send().await.unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let days = (found.retain_until_date.unwrap().secs() - now + 43_200) / 86_400;
        (found.mode.unwrap(), days, head.version_id.unwrap())
    }
}

#[tokio::test]
async fn deleting_writing_over_and_shortening_are_refused_by_the_server() {
    let (place, vault) = locking(LockMode::Compliance).await;
    assert_eq!(vault.standing().object_lock, Some(Ok(())));
    assert!(vault.standing().versioning);
    let at = "sessions/s/video/00001.m4s";
    place.put(&vault, at, b"film").await.unwrap();
    let (mode, days, version) = place.lock_of(at).await;
    assert_eq!((mode, days), (ObjectLockRetentionMode::Compliance, 30));
    let (bucket, name) = (&place.settings.bucket, place.name(at));
    // Whoever has all rights, and asks for the bypass too, does not remove it.
    let removed = place.client.delete_object().bucket(bucket).key(&name).version_id(&version);
    let refused = removed.bypass_governance_retention(true).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("AccessDenied"));
    // Through the vault nothing is written over; past it, a newer version hides the older one, which stays.
    assert!(matches!(place.put(&vault, at, b"fake").await, Err(VaultError::AlreadyDiffers(_))));
    place.write_directly(&name, b"fake").await;
    let old = place.client.get_object().bucket(bucket).key(&name).version_id(&version).send().await.unwrap();
    assert_eq!(old.body.collect().await.unwrap().into_bytes(), "film");
}

#[tokio::test]
async fn governance_is_what_the_server_says_too_and_the_same_bytes_again_extend_it() {
    let (mut place, vault) = locking(LockMode::Governance).await;
    place.put(&vault, "s/chain/00001.jws", b"link").await.unwrap();
    assert_eq!(place.lock_of("s/chain/00001.jws").await.0, ObjectLockRetentionMode::Governance);
    place.settings.lock = Some(Lock { mode: LockMode::Governance, keep: 60 * DAY });
    let longer = place.open().await;
    place.put(&longer, "s/chain/00001.jws", b"link").await.unwrap();
    let (mode, days, _) = place.lock_of("s/chain/00001.jws").await;
    assert_eq!((mode, days), (ObjectLockRetentionMode::Governance, 60));
    place.put(&vault, "s/chain/00001.jws", b"link").await.unwrap();
    assert_eq!(place.lock_of("s/chain/00001.jws").await.1, 60, "and never shorten it");
}

#[tokio::test]
async fn an_index_is_locked_with_the_seal() {
    let (place, vault) = locking(LockMode::Compliance).await;
    let index = key("s/index.m3u8");
    for bytes in ["one", "two"] {
        vault.replace(&index, &place.source(bytes.as_bytes())).await.unwrap();
    }
    let (bucket, name) = (&place.settings.bucket, place.name("s/index.m3u8"));
    assert!(place.client.get_object_retention().bucket(bucket).key(&name).send().await.is_err(), "it still grows");
    place.put(&vault, "s/seal.json", b"{}").await.unwrap();
    for at in ["s/index.m3u8", "s/seal.json"] {
        assert_eq!(place.lock_of(at).await.1, 30, "{at}");
    }
    assert_eq!(vault.read(&index, None).await.unwrap(), "two");
}

#[tokio::test]
async fn a_long_object_is_locked_too() {
    let (place, vault) = locking(LockMode::Compliance).await;
    place.put(&vault, "s/video/00001.m4s", &vec![7; 20_000_000]).await.unwrap();
    assert_eq!(place.lock_of("s/video/00001.m4s").await.1, 30);
}

#[tokio::test]
async fn a_legal_hold_has_no_end() {
    let mut place = Place::radosgw(true).await;
    place.settings.legal_hold = true;
    let vault = place.open().await;
    place.put(&vault, "s/session.json", b"{}").await.unwrap();
    let (bucket, name) = (&place.settings.bucket, place.name("s/session.json"));
    let held = place.client.get_object_legal_hold().bucket(bucket).key(&name).send().await.unwrap();
    assert_eq!(held.legal_hold.unwrap().status, Some(ObjectLockLegalHoldStatus::On));
    let head = place.client.head_object().bucket(bucket).key(&name).send().await.unwrap();
    let removed = place.client.delete_object().bucket(bucket).key(&name).version_id(head.version_id.unwrap());
    assert!(removed.send().await.is_err());
}

#[tokio::test]
async fn a_lock_may_be_asked_for_later_and_only_gets_firmer() {
    let (place, vault) = locking(LockMode::Governance).await;
    let vault: Arc<dyn Vault> = vault;
    let firmer = Arc::clone(&vault).locked(Lock { mode: LockMode::Compliance, keep: DAY }).await.unwrap();
    firmer.put(&key("s/session.json"), &place.source(b"{}")).await.unwrap();
    let (mode, days, _) = place.lock_of("s/session.json").await;
    assert_eq!((mode, days), (ObjectLockRetentionMode::Compliance, 30));
    vault.put(&key("t/session.json"), &place.source(b"{}")).await.unwrap();
    assert_eq!(
        place.lock_of("t/session.json").await.0,
        ObjectLockRetentionMode::Governance,
        "the others are as they were"
    );
}

#[tokio::test]
async fn where_the_bucket_does_not_lock_a_lock_is_refused() {
    let place = Place::radosgw(false).await;
    let lock = Lock { mode: LockMode::Governance, keep: DAY };
    let settings = S3Settings { lock: Some(lock), ..place.settings.clone() };
    let said = words(&S3::open(settings).await.unwrap_err());
    assert!(
        said.ends_with(
            "does not protect the record (Object Lock): it is not enabled for the bucket: it was made without"
        ),
        "{said}"
    );
    let vault: Arc<dyn Vault> = place.open().await;
    let later = vault.locked(lock).await.map(drop);
    assert!(matches!(later, Err(VaultError::Unprotected { property: "Object Lock", .. })), "{later:?}");
    let folder: Arc<dyn Vault> = Arc::new(portcullis_vault::Folder::open(&place.folder().join("folder")).unwrap());
    assert!(matches!(folder.locked(lock).await.map(drop), Err(VaultError::Unprotected { .. })));
}
