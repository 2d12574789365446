//! garage, which verifies checksums, and has neither locks nor versions nor preconditions without saying so: found out, and refused where policy asks for one.
use std::sync::Arc;
use std::time::Duration;

use portcullis_vault::{Lock, LockMode, Property, S3, S3Settings, Vault, VaultError};

use super::place::{Place, words};

const LOCK: Lock = Lock { mode: LockMode::Compliance, keep: Duration::from_secs(86_400) };

#[tokio::test]
async fn what_it_leaves_undone_is_found_out() {
    let place = Place::garage().await;
    let standing = place.open().await.standing().clone();
    assert_eq!((standing.checksums, standing.preconditions, standing.versioning), (true, false, false), "{standing:?}");
    for (property, name) in [(Property::Preconditions, "preconditions"), (Property::Versioning, "versioning")] {
        let strict = S3Settings { require: vec![property], ..place.settings.clone() };
        let said = words(&S3::open(strict).await.unwrap_err());
        assert!(said.contains(&format!("does not protect the record ({name})")), "{said}");
    }
    S3::open(S3Settings { require: vec![Property::Checksums], ..place.settings.clone() }).await.unwrap();
}

#[tokio::test]
async fn a_lock_is_refused_at_the_start_and_at_a_session_s() {
    let place = Place::garage().await;
    let said = words(&S3::open(S3Settings { lock: Some(LOCK), ..place.settings.clone() }).await.unwrap_err());
    assert!(said.contains("does not protect the record (Object Lock)"), "{said}");
    // Without one it is used; a policy that asks for a lock later is refused then.
    let vault: Arc<dyn Vault> = place.open().await;
    let later = vault.locked(LOCK).await.map(drop);
    assert!(matches!(later, Err(VaultError::Unprotected { property: "Object Lock", .. })), "{later:?}");
}

#[tokio::test]
async fn what_is_there_is_not_written_over_though_it_would_let_us() {
    let place = Place::garage().await;
    let vault = place.open().await;
    place.put(&vault, "a", b"film").await.unwrap();
    place.put(&vault, "a", b"film").await.unwrap();
    assert!(matches!(place.put(&vault, "a", b"fila").await, Err(VaultError::AlreadyDiffers(_))));
    let long: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 241) as u8).collect();
    place.put(&vault, "long", &long).await.unwrap();
    assert!(matches!(place.put(&vault, "long", &long[1..]).await, Err(VaultError::AlreadyDiffers(_))));
}
