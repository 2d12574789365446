//! Ceph's radosgw: the vault as any other, with TLS, and what is said when something is not as it should be.
use std::io::{ErrorKind, Read as _};
use std::ops::ControlFlow;
use std::time::Duration;

use portcullis_evidence::{PathInBundle, Source as _};
use portcullis_vault::{Encryption, Key, MAX_READ_BYTES, Property, S3, S3Settings, Stored, Vault, VaultError};

use super::place::{ID, Place, credentials, key, words};

#[tokio::test]
async fn what_is_put_is_read_in_whole_and_in_part() {
    let place = Place::radosgw(false).await;
    let vault = place.open().await;
    place.put(&vault, "a/b/c.txt", b"0123456789").await.unwrap();
    place.put(&vault, "empty", b"").await.unwrap();
    let read = async |range| vault.read(&key("a/b/c.txt"), range).await;
    assert_eq!(read(None).await.unwrap(), "0123456789");
    assert_eq!(vault.read(&key("empty"), None).await.unwrap(), "");
    for (range, bytes) in [(0..10, "0123456789"), (3..5, "34"), (9..10, "9")] {
        assert_eq!(read(Some(range)).await.unwrap(), bytes);
    }
    for range in [0..11, 10..11, 5..5, 20..30, std::ops::Range { start: 5, end: 4 }, u64::MAX - 1..u64::MAX] {
        assert!(matches!(read(Some(range.clone())).await, Err(VaultError::OutOfRange { bytes: 10, .. })), "{range:?}");
    }
    let long = read(Some(0..MAX_READ_BYTES + 1)).await;
    assert!(matches!(long, Err(VaultError::OutOfRange { .. })));
    assert_eq!((vault.len(&key("a/b/c.txt")).await.unwrap(), vault.len(&key("a/b")).await.unwrap()), (Some(10), None));
    assert!(matches!(vault.read(&key("nothing"), None).await, Err(VaultError::NotFound(_))));
    assert!(matches!(vault.read(&key("nothing"), Some(0..1)).await, Err(VaultError::NotFound(_))));
}

#[tokio::test]
async fn only_the_same_bytes_may_be_put_again_and_only_an_index_is_replaced() {
    let place = Place::radosgw(false).await;
    let vault = place.open().await;
    place.put(&vault, "a/b", b"first").await.unwrap();
    place.put(&vault, "a/b", b"first").await.unwrap();
    for other in [&b"other"[..], b"firs", b""] {
        assert!(matches!(place.put(&vault, "a/b", other).await, Err(VaultError::AlreadyDiffers(_))));
    }
    assert_eq!(vault.read(&key("a/b"), None).await.unwrap(), "first");
    for bytes in ["one", "two"] {
        vault.replace(&key("a/index.m3u8"), &place.source(bytes.as_bytes())).await.unwrap();
        assert_eq!(vault.read(&key("a/index.m3u8"), None).await.unwrap(), bytes);
    }
    let refused = vault.replace(&key("a/seal.json"), &place.source(b"x")).await;
    assert!(matches!(refused, Err(VaultError::NotReplaceable(_))));
    let missing = vault.put(&key("c"), &place.folder().join("nothing")).await;
    assert!(matches!(missing, Err(VaultError::Storage { action: "store", .. })));
}

#[tokio::test]
async fn of_two_gates_that_store_one_object_one_does() {
    let place = Place::radosgw(false).await;
    let (one, other) = (place.open().await, place.open().await);
    let (at, a, b) = (key("sessions/x/session.json"), place.source(b"of the one"), place.source(b"of the other"));
    let (first, second) = tokio::join!(one.put(&at, &a), other.put(&at, &b));
    let stored = one.read(&at, None).await.unwrap();
    match (first, second) {
        (Ok(()), Err(VaultError::AlreadyDiffers(_))) => assert_eq!(stored, "of the one"),
        (Err(VaultError::AlreadyDiffers(_)), Ok(())) => assert_eq!(stored, "of the other"),
        both => panic!("{both:?}"),
    }
}

#[tokio::test]
async fn a_list_is_in_order_in_pages_and_of_keys_alone() {
    let place = Place::radosgw(false).await;
    let vault = place.open().await;
    let all = ["a-b", "a.b", "a/b", "a/b0", "a/c/d", "a0", "b"];
    for at in all.iter().rev() {
        place.put(&vault, at, at.as_bytes()).await.unwrap();
    }
    place.write_directly(&place.name("a/..strange"), b"no key").await;
    place.write_directly("here/and-there-too/a", b"of another prefix").await;
    let list = async |prefix: &str, after: Option<&Key>, limit| {
        let page = vault.list(prefix, after, limit).await.unwrap();
        page.into_iter().map(|entry| entry.key).collect::<Vec<_>>()
    };
    assert_eq!(list("", None, 100).await, all.map(key));
    assert_eq!(list("a/", None, 100).await, ["a/b", "a/b0", "a/c/d"].map(key));
    assert_eq!(list("nothing", None, 100).await, []);
    for limit in 1..=all.len() {
        let mut found = Vec::new();
        loop {
            let page = list("", found.last(), limit).await;
            let last = page.len() < limit;
            found.extend(page);
            if last {
                break;
            }
        }
        assert_eq!(found, all.map(key), "in pages of {limit}");
    }
    assert_eq!(vault.list("a-", None, 1).await.unwrap()[0].bytes, 3);
}

#[tokio::test]
async fn a_long_object_goes_in_parts_and_is_not_stored_twice() {
    let place = Place::radosgw(false).await;
    let vault = place.open().await;
    let long: Vec<u8> = (0..40_000_000_u32).map(|n| (n % 251) as u8).collect();
    place.put(&vault, "video/00002.m4s", &long).await.unwrap();
    assert_eq!(vault.len(&key("video/00002.m4s")).await.unwrap(), Some(40_000_000));
    assert!(vault.read(&key("video/00002.m4s"), None).await.unwrap() == long);
    place.put(&vault, "video/00002.m4s", &long).await.unwrap();
    let mut other = long.clone();
    other[39_999_999] ^= 1;
    let differs = place.put(&vault, "video/00002.m4s", &other).await;
    assert!(matches!(differs, Err(VaultError::AlreadyDiffers(_))));
    let left = place.client.list_multipart_uploads().bucket(&place.settings.bucket).send().await.unwrap();
    assert_eq!(left.uploads().len(), 0, "none is left half-way");
}

#[tokio::test]
async fn over_tls_only_the_authority_that_is_given_is_trusted() {
    let place = Place::radosgw(false).await;
    let settings = place.over_tls().await;
    let vault = S3::open(settings.clone()).await.unwrap();
    place.put(&vault, "over/tls", b"secret").await.unwrap();
    assert_eq!(vault.read(&key("over/tls"), Some(1..3)).await.unwrap(), "ec");
    let stranger = S3Settings { authorities: None, timeout: Duration::from_secs(5), ..settings.clone() };
    let said = words(&S3::open(stranger).await.unwrap_err());
    assert!(said.contains("invalid peer certificate"), "{said}");
    let other = place.source(b"no certificate");
    let said = words(&S3::open(S3Settings { authorities: Some(other), ..settings }).await.unwrap_err());
    assert!(said.contains("it holds no certificate"), "{said}");
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let place = Place::radosgw(false).await;
    let open = async |settings: S3Settings| words(&S3::open(settings).await.unwrap_err());
    let wrong = credentials(place.folder(), ID, "wrong");
    let said = open(S3Settings { credentials: Some(wrong), ..place.settings.clone() }).await;
    assert!(said.contains("does not accept the credentials (SignatureDoesNotMatch"), "{said}");
    assert!(!said.contains("wrong)"), "no secret is said: {said}");
    let said = open(S3Settings { bucket: "no-such-bucket".to_owned(), ..place.settings.clone() }).await;
    assert_eq!(said, "cannot list the bucket `no-such-bucket`: there is no such bucket");
    let nowhere = Some("http://127.0.0.1:9".to_owned());
    let said = open(S3Settings { endpoint: nowhere, timeout: Duration::from_secs(5), ..place.settings.clone() }).await;
    assert!(said.contains("no answer of the server: ") && said.contains("refused"), "{said}");
    let missing = Some(place.folder().join("none"));
    let said = open(S3Settings { credentials: missing, ..place.settings.clone() }).await;
    assert!(said.contains("No such file"), "{said}");
    let said = open(S3Settings { prefix: "/absolute".to_owned(), ..place.settings.clone() }).await;
    assert!(said.contains("`/absolute` is not a prefix"), "{said}");
}

#[tokio::test]
async fn what_it_does_and_does_not_is_told_apart_by_name() {
    let place = Place::radosgw(false).await;
    let standing = place.open().await.standing().clone();
    assert_eq!((standing.preconditions, standing.versioning, standing.checksums), (true, false, false));
    for (property, name) in [(Property::Checksums, "checksums"), (Property::Versioning, "versioning")] {
        let strict = S3Settings { require: vec![property], ..place.settings.clone() };
        let said = words(&S3::open(strict).await.unwrap_err());
        assert!(said.contains(&format!("does not protect the record ({name})")), "{said}");
    }
    S3::open(S3Settings { require: vec![Property::Preconditions], ..place.settings.clone() }).await.unwrap();
    place.version().await;
    // With versions it writes over what is there whatever is asked; the vault looks first.
    let vault = place.open().await;
    assert_eq!((vault.standing().preconditions, vault.standing().versioning), (false, true));
    place.put(&vault, "a", b"first").await.unwrap();
    assert!(matches!(place.put(&vault, "a", b"other").await, Err(VaultError::AlreadyDiffers(_))));
}

#[tokio::test]
async fn encryption_that_is_asked_for_is_asked_of_the_server() {
    let place = Place::radosgw(false).await;
    let asked = S3Settings { encryption: Encryption::Kms(Some("no-such-key".to_owned())), ..place.settings.clone() };
    let vault = S3::open(asked).await.unwrap();
    let refused = place.put(&vault, "a", b"x").await;
    assert!(matches!(refused, Err(VaultError::Storage { .. })), "there is no key service: {refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_read_where_it_lies_and_what_is_strange_is_named() {
    let place = Place::radosgw(false).await;
    let vault = place.open().await;
    let film = (0..9_000_000_u32).map(|n| n.to_le_bytes()[1]).collect::<Vec<_>>();
    for (at, bytes) in [("b/session.json", &b"{}"[..]), ("b/video/00001.m4s", &film), ("b2/other", b"x")] {
        place.put(&vault, at, bytes).await.unwrap();
    }
    for strange in ["b/../../etc/passwd", "b/.hidden", "b/a b"] {
        place.write_directly(&place.name(strange), b"x").await;
    }
    let bundle = |at: &str| Stored::new(vault.clone(), key(at), tokio::runtime::Handle::current());
    let (there, nowhere) = (bundle("b"), bundle("nowhere"));
    tokio::task::spawn_blocking(move || {
        let mut names = Vec::new();
        let list = there.list(&mut |entry| {
            names.push(entry.path);
            ControlFlow::Continue(())
        });
        list.unwrap();
        assert_eq!(names, ["session.json", "video/00001.m4s", "../../etc/passwd", ".hidden", "a b"]);
        let (mut opened, mut read) = (there.open(PathInBundle::Video(1)).unwrap(), Vec::new());
        opened.reader.read_to_end(&mut read).unwrap();
        assert!(opened.bytes == 9_000_000 && read == film);
        assert_eq!(there.open(PathInBundle::Seal).err().map(|error| error.kind()), Some(ErrorKind::NotFound));
        let none = nowhere.list(&mut |_| ControlFlow::Continue(()));
        assert_eq!(none.unwrap_err().kind(), ErrorKind::NotFound);
    })
    .await
    .unwrap();
}
