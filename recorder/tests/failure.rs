//! Recorders that fail: the session hears of it, the record says so, and nothing that was handed over is lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests"
)]
mod stage;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use portcullis_evidence::{State, What};
use portcullis_recorder::{RecordError, Recording, recover};
use portcullis_rfb::{Change, Rect, Size};
use portcullis_vault::{Entry, Key, Result, Vault, VaultError};
use stage::{Stage, colour, fill};

const SIZE: Size = Size::new(320, 200);
const WHOLE: Rect = Rect::new(0, 0, SIZE.width, SIZE.height);

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_encoder_is_heard_of_within_two_seconds_and_loses_nothing() {
    let stage = Stage::new();
    let recording = stage.start(SIZE).await;
    for revision in 1..=30 {
        recording.hand_over(revision, &[fill(WHOLE, colour(revision))]).await.unwrap();
    }
    let mut failure = recording.failure();
    let killed = Instant::now();
    recording.kill_encoder();
    let reason = failure.wait_for(Option::is_some).await.unwrap().clone().unwrap();
    assert!(killed.elapsed() < Duration::from_secs(2));
    assert_eq!(reason, "the encoder died");
    let refused = recording.hand_over(31, &[fill(WHOLE, colour(31))]).await;
    assert!(matches!(refused, Err(RecordError::Failed(reason)) if reason == "the encoder died"));
    assert!(matches!(recording.event("r", "p", What::Bell {}), Err(RecordError::Failed(_))));
    let sealed = recording.close("ended by the gate").await.unwrap();
    stage.assert_kept(&sealed);
    assert_eq!((sealed.seal.state, sealed.seal.revisions), (State::Interrupted, 30));
    assert_eq!(sealed.seal.reason, "ended by the gate (the recording failed: the encoder died)");
    assert!(!sealed.seal.gaps.is_empty(), "a gap, not a silence");
    assert_eq!(stage.events().matches("\"type\":\"session_closed\"").count(), 1);
    let seen: Vec<_> = stage.film().iter().filter_map(|shown| shown.revision(100, 100)).collect();
    assert_eq!(seen, (0..=30).skip(1).collect::<Vec<u64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_end_nothing_is_taken() {
    let stage = Stage::new();
    let recording = stage.start(SIZE).await;
    let clone = recording.clone();
    let sealed = recording.close("done").await.unwrap();
    stage.assert_kept(&sealed);
    assert!(matches!(clone.hand_over(1, &[]).await, Err(RecordError::Closed)));
    assert!(matches!(clone.event("r", "p", What::Bell {}), Err(RecordError::Closed)));
    assert!(matches!(clone.close("again").await, Err(RecordError::Closed)));
    assert_eq!(*clone.failure().borrow(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_does_not_fit_fails_it() {
    let stage = Stage::new();
    let recording = stage.start(SIZE).await;
    let outside = fill(Rect::new(300, 190, 30, 30), colour(1));
    recording.hand_over(1, &[outside]).await.unwrap();
    let mut failure = recording.failure();
    let reason = failure.wait_for(Option::is_some).await.unwrap().clone().unwrap();
    assert!(reason.starts_with("a change does not fit the screen"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_out_of_order_fail_it() {
    let stage = Stage::new();
    let recording = stage.start(SIZE).await;
    recording.hand_over(1, &[]).await.unwrap();
    assert!(matches!(recording.hand_over(3, &[]).await, Err(RecordError::HandOver(_))));
    assert!(matches!(recording.hand_over(2, &[]).await, Err(RecordError::Failed(_))));
}

/// A vault that can be taken away.
struct Away {
    vault: Arc<dyn Vault>,
    away: AtomicBool,
    unprotected: AtomicBool,
}

impl Away {
    fn new(stage: &Stage, away: bool) -> Self {
        Self { vault: stage.vault(), away: away.into(), unprotected: AtomicBool::new(false) }
    }

    fn check(&self, key: &Key) -> Result<()> {
        if self.unprotected.load(Ordering::Relaxed) {
            return Err(VaultError::Unprotected { property: "Object Lock", reason: format!("{key} is not locked") });
        }
        if self.away.load(Ordering::Relaxed) { Err(VaultError::NoSpace(key.clone())) } else { Ok(()) }
    }
}

#[async_trait::async_trait]
impl Vault for Away {
    async fn put(&self, key: &Key, from: &Path) -> Result<()> {
        self.check(key)?;
        self.vault.put(key, from).await
    }
    async fn replace(&self, key: &Key, from: &Path) -> Result<()> {
        self.check(key)?;
        self.vault.replace(key, from).await
    }
    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<bytes::Bytes> {
        self.vault.read(key, range).await
    }
    async fn len(&self, key: &Key) -> Result<Option<u64>> {
        self.vault.len(key).await
    }
    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>> {
        self.vault.list(prefix, after, limit).await
    }
}

async fn start_with(stage: &Stage, vault: &Arc<Away>) -> std::result::Result<Recording, RecordError> {
    let vault: Arc<dyn Vault> = Arc::clone(vault) as _;
    Recording::start(stage.config.clone(), vault, Arc::clone(&stage.key), stage.manifest(), SIZE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_is_away_fails_it_within_its_patience_and_the_spool_keeps_it() {
    let mut stage = Stage::new();
    stage.config.segment = Duration::from_millis(50);
    let vault = Arc::new(Away::new(&stage, false));
    let recording = start_with(&stage, &vault).await.unwrap();
    recording.hand_over(1, &[fill(WHOLE, colour(1))]).await.unwrap();
    vault.away.store(true, Ordering::Relaxed);
    let away = Instant::now();
    let mut failure = recording.failure();
    let mut revision = 1;
    while failure.borrow_and_update().is_none() {
        revision += 1;
        let changes = [fill(WHOLE, colour(revision))];
        let _ = tokio::time::timeout(Duration::from_millis(40), recording.hand_over(revision, &changes)).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(away.elapsed() < Duration::from_secs(10), "it fails in the end");
    }
    let reason = failure.borrow().clone().unwrap();
    assert!(reason.starts_with("the vault does not take the record: "), "{reason}");
    assert!(matches!(recording.close("done").await, Err(RecordError::Vault(_))));
    assert!(stage.spool().exists());
    vault.away.store(false, Ordering::Relaxed);
    let recovered = recover(stage.config.clone(), stage.vault(), Arc::clone(&stage.key)).await;
    let sealed = recovered[0].outcome.as_ref().unwrap();
    stage.assert_kept(sealed);
    assert!(stage.film().iter().any(|shown| shown.revision(9, 9) == Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_vault_it_does_not_start() {
    let stage = Stage::new();
    let vault = Arc::new(Away::new(&stage, true));
    assert!(matches!(start_with(&stage, &vault).await, Err(RecordError::Vault(_))));
    assert!(!stage.spool().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_does_not_protect_the_record_fails_it_at_once() {
    let mut stage = Stage::new();
    stage.config.segment = Duration::from_millis(50);
    stage.config.patience = Duration::from_secs(600);
    let vault = Arc::new(Away::new(&stage, false));
    let recording = start_with(&stage, &vault).await.unwrap();
    vault.unprotected.store(true, Ordering::Relaxed);
    let mut failure = recording.failure();
    let mut revision = 0;
    let began = Instant::now();
    while failure.borrow_and_update().is_none() {
        revision += 1;
        let changes = [fill(WHOLE, colour(revision))];
        let _ = tokio::time::timeout(Duration::from_millis(40), recording.hand_over(revision, &changes)).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < Duration::from_secs(30), "it is not tried for ten minutes");
    }
    let reason = failure.borrow().clone().unwrap();
    assert!(reason.contains("does not protect the record (Object Lock): "), "{reason}");
}

/// A vault that takes a request and never answers.
struct Silent;

#[async_trait::async_trait]
impl Vault for Silent {
    async fn put(&self, _: &Key, _: &Path) -> Result<()> {
        std::future::pending().await
    }
    async fn replace(&self, _: &Key, _: &Path) -> Result<()> {
        std::future::pending().await
    }
    async fn read(&self, _: &Key, _: Option<Range<u64>>) -> Result<bytes::Bytes> {
        std::future::pending().await
    }
    async fn len(&self, _: &Key) -> Result<Option<u64>> {
        std::future::pending().await
    }
    async fn list(&self, _: &str, _: Option<&Key>, _: usize) -> Result<Vec<Entry>> {
        std::future::pending().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_long_for_a_session_whose_vault_is_silent() {
    let mut stage = Stage::new();
    stage.config.patience = Duration::from_secs(600);
    let began = Instant::now();
    let vault: Arc<dyn Vault> = Arc::new(Silent);
    let started =
        Recording::start(stage.config.clone(), vault, Arc::clone(&stage.key), stage.manifest(), SIZE).await.map(drop);
    assert!(matches!(started, Err(RecordError::Silent)), "{started:?}");
    assert!(began.elapsed() < Duration::from_secs(30));
    assert!(!stage.spool().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_full_makes_wait_and_loses_nothing() {
    let mut stage = Stage::new();
    stage.config.ring_bytes = 0;
    let recording = stage.start(Size::new(800, 600)).await;
    let whole = Rect::new(0, 0, 800, 600);
    for revision in 1..=25 {
        // Each is twice as long as the log.
        recording
            .hand_over(revision, &[fill(whole, colour(revision)), Change::Copy { to: whole, from: whole.origin() }])
            .await
            .unwrap();
    }
    let sealed = recording.close("done").await.unwrap();
    stage.assert_kept(&sealed);
    let seen: Vec<_> = stage.film().iter().filter_map(|shown| shown.revision(400, 599)).collect();
    assert_eq!(seen, (1..=25).collect::<Vec<u64>>());
}
