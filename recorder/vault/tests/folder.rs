//! The folder vault: nothing is overwritten, nothing is followed, nothing lies half-written under its name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::Arc;

use portcullis_vault::{Entry, Folder, Key, MAX_READ_BYTES, Vault, VaultError};
use proptest::prelude::*;
use tempfile::TempDir;

struct Case {
    folder: TempDir,
    vault: Arc<dyn Vault>,
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vault: Arc<dyn Vault> = Arc::new(Folder::open(&folder.path().join("vault")).unwrap());
        Self { folder, vault }
    }

    fn path(&self, text: &str) -> PathBuf {
        self.folder.path().join("vault").join(text)
    }

    fn source(&self, bytes: &[u8]) -> PathBuf {
        let path = tempfile::NamedTempFile::new_in(self.folder.path()).unwrap().into_temp_path().keep().unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    async fn put(&self, at: &str, bytes: &[u8]) -> Result<(), VaultError> {
        self.vault.put(&key(at), &self.source(bytes)).await
    }

    async fn read(&self, at: &str) -> Vec<u8> {
        self.vault.read(&key(at), None).await.unwrap().to_vec()
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
        let after = after.map(key);
        let entries = self.vault.list(prefix, after.as_ref(), limit).await.unwrap();
        entries.into_iter().map(|entry| entry.key.to_string()).collect()
    }
}

#[tokio::test]
async fn what_is_put_is_read() {
    let case = Case::new();
    case.put("a/b/c.txt", b"hello").await.unwrap();
    case.put("empty", b"").await.unwrap();
    assert_eq!(case.read("a/b/c.txt").await, b"hello");
    assert_eq!(case.read("empty").await, b"");
    assert_eq!(case.vault.len(&key("a/b/c.txt")).await.unwrap(), Some(5));
    for nothing in ["a/b/d", "a", "a/b", "x/y", "a/b/c.txt/d"] {
        assert_eq!(case.vault.len(&key(nothing)).await.unwrap(), None, "{nothing}");
        let read = case.vault.read(&key(nothing), None).await;
        assert!(matches!(read, Err(VaultError::NotFound(_))), "{nothing}: {read:?}");
    }
}

#[tokio::test]
async fn only_the_same_bytes_may_be_put_again() {
    let case = Case::new();
    let long = vec![7; 200_000];
    case.put("a/b", &long).await.unwrap();
    case.put("a/b", &long).await.unwrap();
    let mut other = long.clone();
    other[199_999] = 8;
    for bytes in [&other[..], &long[..199_999], b""] {
        assert!(matches!(case.put("a/b", bytes).await, Err(VaultError::AlreadyDiffers(_))));
    }
    assert_eq!(case.read("a/b").await, long);
    assert!(!case.path("a/.put-b").exists());
}

#[tokio::test]
async fn an_index_and_nothing_else_may_be_replaced() {
    let case = Case::new();
    case.put("a/index.m3u8", b"one").await.unwrap();
    case.vault.replace(&key("a/index.m3u8"), &case.source(b"two")).await.unwrap();
    case.vault.replace(&key("b/index.m3u8"), &case.source(b"new")).await.unwrap();
    assert_eq!((case.read("a/index.m3u8").await, case.read("b/index.m3u8").await), (b"two".to_vec(), b"new".to_vec()));
    for other in ["a/seal.json", "index.m3u8/x", "a/index.m3u8.bak"] {
        let replaced = case.vault.replace(&key(other), &case.source(b"x")).await;
        assert!(matches!(replaced, Err(VaultError::NotReplaceable(_))), "{other}");
    }
}

#[tokio::test]
async fn ranges_lie_within_the_object() {
    let case = Case::new();
    case.put("o", b"0123456789").await.unwrap();
    let read = async |range| case.vault.read(&key("o"), Some(range)).await;
    assert_eq!(read(0..10).await.unwrap(), "0123456789");
    assert_eq!(read(3..5).await.unwrap(), "34");
    assert_eq!(read(9..10).await.unwrap(), "9");
    for range in [0..11, 10..11, 5..5, u64::MAX - 1..u64::MAX] {
        assert!(matches!(read(range.clone()).await, Err(VaultError::OutOfRange { bytes: 10, .. })), "{range:?}");
    }
    let backwards = std::ops::Range { start: 5, end: 4 };
    assert!(matches!(read(backwards).await, Err(VaultError::OutOfRange { .. })));
}

#[tokio::test]
async fn long_objects_are_read_by_range() {
    let case = Case::new();
    case.put("o", b"").await.unwrap();
    fs::File::options().write(true).open(case.path("o")).unwrap().set_len(1 << 40).unwrap();
    assert!(matches!(case.vault.read(&key("o"), None).await, Err(VaultError::TooLong(_))));
    assert!(matches!(case.vault.read(&key("o"), Some(0..MAX_READ_BYTES + 1)).await, Err(VaultError::TooLong(_))));
    assert_eq!(case.vault.read(&key("o"), Some((1 << 40) - 4..1 << 40)).await.unwrap(), "\0\0\0\0");
}

#[tokio::test]
async fn links_are_not_followed() {
    let case = Case::new();
    let outside = case.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    symlink(&outside, case.path("folder")).unwrap();
    symlink(outside.join("secret"), case.path("file")).unwrap();
    case.put("real/x", b"x").await.unwrap();
    symlink(case.path("real"), case.path("inside")).unwrap();
    for at in ["folder/secret", "file", "folder/new", "inside/x"] {
        assert!(matches!(case.vault.read(&key(at), None).await, Err(VaultError::Storage { .. })), "{at}");
        assert!(matches!(case.vault.len(&key(at)).await, Err(VaultError::Storage { .. })), "{at}");
        assert!(matches!(case.put(at, b"secret").await, Err(VaultError::Storage { .. })), "{at}");
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(case.list("", None, 10).await, ["real/x"]);
    // A link that waits under the name that is written to first is not followed either.
    symlink(outside.join("secret"), case.path("real/.put-y")).unwrap();
    assert!(matches!(case.put("real/y", b"mine").await, Err(VaultError::Storage { .. })));
    assert_eq!(fs::read_to_string(outside.join("secret")).unwrap(), "secret");
    // Nor is one stored.
    let stored = case.vault.put(&key("stored"), &case.path("file")).await;
    assert!(matches!(stored, Err(VaultError::Storage { .. })));
}

#[tokio::test]
async fn what_lists_leave_out_is_told_as_strange() {
    let place = Case::new();
    place.put("s/b/video/00001.m4s", b"film").await.unwrap();
    let b = place.path("s/b");
    std::fs::write(b.join(".hidden"), "x").unwrap();
    std::fs::write(b.join("video/a b"), "x").unwrap();
    std::fs::write(b.join("video/.put-00002.m4s"), "being stored").unwrap();
    std::fs::create_dir(b.join("empty")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", b.join("seal.tsr")).unwrap();
    let strange = place.vault.strange(&key("s/b")).await.unwrap();
    assert_eq!(strange, [".hidden", "seal.tsr", "video/a b"]);
    assert_eq!(place.list("s/b/", None, 9).await, ["s/b/video/00001.m4s"]);
    assert_eq!(place.vault.strange(&key("s/none")).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn special_files_are_no_objects_and_do_not_hold_anybody_up() {
    let case = Case::new();
    let status = std::process::Command::new("mkfifo").arg(case.path("pipe")).status().unwrap();
    assert!(status.success());
    assert!(matches!(case.vault.read(&key("pipe"), None).await, Err(VaultError::Storage { .. })));
    assert!(matches!(case.put("pipe", b"x").await, Err(VaultError::Storage { .. })));
    let stored = case.vault.put(&key("stored"), &case.path("pipe")).await;
    assert!(matches!(stored, Err(VaultError::Storage { .. })));
    assert_eq!(case.list("", None, 10).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_killed_gate_left_half_written_is_no_object_and_is_written_over() {
    let case = Case::new();
    fs::create_dir(case.path("a")).unwrap();
    fs::write(case.path("a/.put-b"), "half of something long").unwrap();
    assert_eq!(case.list("", None, 10).await, Vec::<String>::new());
    assert_eq!(case.vault.len(&key("a/b")).await.unwrap(), None);
    case.put("a/b", b"whole").await.unwrap();
    assert_eq!(case.read("a/b").await, b"whole");
    assert!(!case.path("a/.put-b").exists());
}

#[tokio::test]
async fn many_at_once_store_one_object_whole() {
    let case = Arc::new(Case::new());
    let contents: Vec<Vec<u8>> = (0..8_u8).map(|n| vec![n; 100_000]).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for bytes in contents {
        let case = Arc::clone(&case);
        tasks.spawn(async move { case.put("one/object", &bytes).await.is_ok() });
    }
    let stored = tasks.join_all().await.into_iter().filter(|stored| *stored).count();
    assert_eq!(stored, 1);
    let bytes = case.read("one/object").await;
    assert!(bytes.len() == 100_000 && bytes.iter().all(|byte| *byte == bytes[0]));
    assert_eq!(fs::read_dir(case.path("one")).unwrap().count(), 1);
}

#[tokio::test]
async fn files_and_folders_are_for_their_owner_alone() {
    let case = Case::new();
    case.put("a/b", b"x").await.unwrap();
    let mode = |path: &str| fs::metadata(case.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("a"), mode("a/b")), (0o700, 0o700, 0o600));
}

#[tokio::test]
async fn a_list_is_sorted_by_key_and_paged() {
    let case = Case::new();
    for at in ["a/b", "a-b", "a.b", "a/c/d", "a0", "b", "a/b0"] {
        case.put(at, at.as_bytes()).await.unwrap();
    }
    // '-' and '.' come before '/', '0' after: the order of bytes, not of folders.
    let all = ["a-b", "a.b", "a/b", "a/b0", "a/c/d", "a0", "b"];
    assert_eq!(case.list("", None, 100).await, all);
    assert_eq!(case.list("a/", None, 100).await, ["a/b", "a/b0", "a/c/d"]);
    assert_eq!(case.list("a/b", None, 100).await, ["a/b", "a/b0"]);
    assert_eq!(case.list("nothing", None, 100).await, Vec::<String>::new());
    assert_eq!(case.list("../", None, 100).await, Vec::<String>::new());
    for limit in 1..=all.len() {
        let mut found = Vec::new();
        loop {
            let page = case.list("", found.last().map(String::as_str), limit).await;
            let last = page.len() < limit;
            found.extend(page);
            if last {
                break;
            }
        }
        assert_eq!(found, all, "in pages of {limit}");
    }
    let one = case.vault.list("a-", None, 1).await.unwrap();
    assert_eq!(one, [Entry { key: key("a-b"), bytes: 3 }]);
}

#[tokio::test]
async fn a_missing_source_is_an_error_and_leaves_nothing() {
    let case = Case::new();
    let put = case.vault.put(&key("a"), &case.folder.path().join("nothing")).await;
    assert!(matches!(put, Err(VaultError::Storage { action: "store", .. })));
    assert_eq!(fs::read_dir(case.path("")).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_page_is_what_sorting_all_keys_gives(
        keys in proptest::collection::btree_set("[ab./-]{1,6}", 1..12),
        prefix in "[ab./-]{0,2}",
        after in "[ab./-]{1,4}",
        limit in 0_usize..6,
    ) {
        let case = Case::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut stored = Vec::new();
        for text in keys {
            // A key cannot be a folder and an object at once, in a folder.
            if let Ok(key) = Key::new(text) && runtime.block_on(case.put(key.as_str(), b"")).is_ok() {
                stored.push(key);
            }
        }
        stored.sort();
        let after = Key::new(after).ok();
        let expected: Vec<String> = stored
            .iter()
            .filter(|key| key.as_str().starts_with(&prefix) && after.as_ref().is_none_or(|after| *key > after))
            .take(limit)
            .map(ToString::to_string)
            .collect();
        let found = runtime.block_on(case.list(&prefix, after.as_ref().map(Key::as_str), limit));
        prop_assert_eq!(found, expected);
    }
}
