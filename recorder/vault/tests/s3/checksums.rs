//! s3s-fs, which verifies checksums: what the vault sends has the SHA-256 of its bytes, in whole and in parts.
use portcullis_vault::{Property, S3, S3Settings, Vault, VaultError};

use super::place::{Place, key, words};

#[tokio::test]
async fn it_is_found_to_keep_its_word() {
    let mut place = Place::s3s().await;
    place.settings.require = vec![Property::Checksums, Property::Preconditions];
    let standing = place.open().await.standing().clone();
    assert!(standing.checksums && standing.preconditions, "{standing:?}");
    place.settings.require.push(Property::Versioning);
    let said = words(&S3::open(place.settings.clone()).await.unwrap_err());
    assert!(said.contains("(versioning)"), "{said}");
    let lock = portcullis_vault::Lock {
        mode: portcullis_vault::LockMode::Compliance,
        keep: std::time::Duration::from_secs(86_400),
    };
    let said =
        words(&S3::open(S3Settings { lock: Some(lock), require: Vec::new(), ..place.settings }).await.unwrap_err());
    assert!(said.contains("does not protect the record (Object Lock): the server does not know it"), "{said}");
}

#[tokio::test]
async fn what_is_sent_passes_where_checksums_are_verified() {
    let place = Place::s3s().await;
    let vault = place.open().await;
    place.put(&vault, "a", b"film").await.unwrap();
    place.put(&vault, "a", b"film").await.unwrap();
    assert!(matches!(place.put(&vault, "a", b"fila").await, Err(VaultError::AlreadyDiffers(_))));
    let long: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 241) as u8).collect();
    place.put(&vault, "long", &long).await.unwrap();
    place.put(&vault, "long", &long).await.unwrap();
    assert!(vault.read(&key("long"), None).await.unwrap() == long);
    assert!(matches!(place.put(&vault, "long", &long[1..]).await, Err(VaultError::AlreadyDiffers(_))));
}
