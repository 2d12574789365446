//! A vault that fails, and one that counts: what a person gets of it.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use futures_util::StreamExt;
use portcullis_vault::{Entry, Folder, Key, Result, Vault, VaultError};
use tower::ServiceExt;

use super::bundles::Story;
use super::{Gate, signed};

/// A folder that counts reads, and fails them once `left` have been done.
struct Shaky {
    folder: Folder,
    reads: AtomicUsize,
    longest: AtomicU64,
    left: AtomicUsize,
}

#[async_trait]
impl Vault for Shaky {
    async fn put(&self, key: &Key, from: &Path) -> Result<()> {
        self.folder.put(key, from).await
    }

    async fn replace(&self, key: &Key, from: &Path) -> Result<()> {
        self.folder.replace(key, from).await
    }

    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<Bytes> {
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            let source = std::io::Error::other("cable /srv/vault pulled");
            return Err(VaultError::Storage { action: "read", key: key.to_string(), source });
        }
        let bytes = self.folder.read(key, range).await?;
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.longest.fetch_max(bytes.len() as u64, Ordering::SeqCst);
        Ok(bytes)
    }

    async fn len(&self, key: &Key) -> Result<Option<u64>> {
        self.folder.len(key).await
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>> {
        self.folder.list(prefix, after, limit).await
    }
}

async fn shaky_gate() -> (Gate, Arc<Shaky>, String) {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::open(&dir.path().join("vault")).unwrap();
    let (reads, longest, left) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicUsize::new(usize::MAX));
    let vault = Arc::new(Shaky { folder, reads, longest, left });
    let gate = Gate::over(dir, vault.clone(), |_| {}).await;
    let place = Story::new("0198-alice", "alice").store(gate.dir(), vault.as_ref()).await;
    gate.portal.ingest(&place).await.unwrap();
    let alice = gate.cookie_of("alice", &["users"]).await;
    (gate, vault, alice)
}

/// How many bytes came, and whether the answer came to its end.
async fn drained(gate: &Gate, path: &str, cookie: &str) -> (usize, bool) {
    let request = signed(Request::get(path), Some(cookie)).body(Body::empty()).unwrap();
    let mut body = gate.app.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
    let mut bytes = 0;
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => bytes += piece.len(),
            Err(_) => return (bytes, false),
        }
    }
    (bytes, true)
}

#[tokio::test]
async fn a_file_is_read_piece_by_piece_as_it_is_taken() {
    let (gate, vault, alice) = shaky_gate().await;
    let request = signed(Request::get("/api/recordings/0198-alice/video/00001.m4s"), Some(&alice));
    let answer = gate.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    vault.reads.store(0, Ordering::SeqCst);
    vault.longest.store(0, Ordering::SeqCst);
    let mut body = answer.into_body().into_data_stream();
    let first = body.next().await.unwrap().unwrap();
    assert!(first.len() < 300_000);
    assert_eq!(vault.reads.load(Ordering::SeqCst), 1, "the rest is not read before it is asked for");
    let mut rest = 0;
    while let Some(piece) = body.next().await {
        rest += piece.unwrap().len();
    }
    assert_eq!(first.len() + rest, 300_000);
    assert!(vault.longest.load(Ordering::SeqCst) <= 256 * 1024);
}

#[tokio::test]
async fn a_vault_that_fails_in_the_midst_never_passes_for_the_end() {
    let (gate, vault, alice) = shaky_gate().await;
    let (video, events) = ("/api/recordings/0198-alice/video/00001.m4s", "/api/recordings/0198-alice/events");
    assert_eq!(drained(&gate, video, &alice).await, (300_000, true));
    // The playlist's names are remembered by now: the reads are the file's own.
    vault.left.store(1, Ordering::SeqCst);
    let (bytes, whole) = drained(&gate, video, &alice).await;
    assert!(bytes > 0 && bytes < 300_000 && !whole, "{bytes} {whole}");
    vault.left.store(1, Ordering::SeqCst);
    assert!(!drained(&gate, events, &alice).await.1);
}

#[tokio::test]
async fn what_failed_is_logged_and_not_told() {
    let (gate, vault, alice) = shaky_gate().await;
    vault.left.store(0, Ordering::SeqCst);
    let answer = gate.get("/api/recordings/0198-alice/index.m3u8", Some(&alice)).await;
    answer.is_problem(500);
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(!text.contains("cable") && !text.contains("/srv"), "{text}");
    assert!(gate.journal.take().is_empty(), "nothing was viewed");
}

#[tokio::test]
async fn a_database_that_fails_signs_nobody_in() {
    let (gate, _, alice) = shaky_gate().await;
    gate.portal.close().await;
    gate.get("/api/me", Some(&alice)).await.is_problem(500);
    gate.get("/api/recordings/0198-alice/index.m3u8", Some(&alice)).await.is_problem(500);
    let headers = signed(Request::get("/"), Some(&alice)).body(()).unwrap().headers().clone();
    assert_eq!(gate.portal.authenticate(&headers).await, None);
}
