//! How long a recording is kept: a vault that cannot lock is refused, and nothing is locked for less than was asked in the end.
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
use std::sync::{Arc, Mutex};

use portcullis_evidence::{Keep, KeepLock, KeepTerms, Manifest, parse_stamp, stamp};
use portcullis_recorder::{RecordError, Recording};
use portcullis_rfb::Size;
use portcullis_vault::{Entry, Key, Lock, LockMode, Result, Vault, VaultError};
use stage::Stage;
use time::{Duration, OffsetDateTime};

const SIZE: Size = Size::new(320, 200);

/// A vault that notes what it is asked to lock.
#[derive(Clone)]
struct Locking {
    vault: Arc<dyn Vault>,
    asked: Arc<Mutex<Vec<Lock>>>,
    locked: Arc<Mutex<Vec<(String, LockMode, OffsetDateTime)>>>,
}

#[async_trait::async_trait]
impl Vault for Locking {
    async fn put(&self, key: &Key, from: &Path) -> Result<()> {
        self.vault.put(key, from).await
    }
    async fn replace(&self, key: &Key, from: &Path) -> Result<()> {
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
    async fn locked(self: Arc<Self>, lock: Lock) -> Result<Arc<dyn Vault>> {
        self.asked.lock().unwrap().push(lock);
        Ok(self)
    }
    async fn lock_until(&self, key: &Key, mode: LockMode, until: OffsetDateTime) -> Result<()> {
        self.locked.lock().unwrap().push((key.name().to_owned(), mode, until));
        Ok(())
    }
}

fn terms(lock: KeepLock, seconds: u64) -> KeepTerms {
    KeepTerms { lock, seconds }
}

async fn start(stage: &Stage, vault: Arc<dyn Vault>, keep: KeepTerms) -> std::result::Result<Recording, RecordError> {
    let manifest = Manifest { keep: Some(keep), ..stage.manifest() };
    Recording::start(stage.config.clone(), vault, Arc::clone(&stage.key), manifest, SIZE).await
}

fn locking(stage: &Stage) -> Locking {
    Locking { vault: stage.vault(), asked: Arc::default(), locked: Arc::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_cannot_lock_is_refused_where_a_lock_is_asked_for() {
    let stage = Stage::new();
    let refused = start(&stage, stage.vault(), terms(KeepLock::Governance, 100)).await.err();
    assert!(matches!(refused, Some(RecordError::Vault(VaultError::Unprotected { property: "Object Lock", .. }))));
    assert!(!stage.spool().exists(), "nothing was begun");
    let recording = start(&stage, stage.vault(), terms(KeepLock::None, 100)).await.unwrap();
    let more = recording.keep("rule", "policy", terms(KeepLock::Compliance, 100)).await;
    assert!(matches!(more, Err(RecordError::Vault(VaultError::Unprotected { .. }))), "{more:?}");
    let sealed = recording.close("done").await.unwrap();
    stage.assert_kept(&sealed);
    let until = parse_stamp(&sealed.seal.ended).unwrap() + Duration::seconds(100);
    assert_eq!(sealed.seal.keep, Some(Keep { lock: KeepLock::None, until: stamp(until) }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_outlasts_the_end_and_is_set_anew_where_it_does_not() {
    for (seconds, again) in [(86_400, false), (100, true)] {
        let stage = Stage::new();
        let vault = locking(&stage);
        let recording = start(&stage, Arc::new(vault.clone()), terms(KeepLock::Governance, seconds)).await.unwrap();
        let asked = vault.asked.lock().unwrap().clone();
        let keep = std::time::Duration::from_secs(seconds + seconds / 10);
        assert_eq!(asked, [Lock { mode: LockMode::Governance, keep }]);
        let sealed = recording.close("done").await.unwrap();
        stage.assert_kept(&sealed);
        let until = parse_stamp(&sealed.seal.keep.unwrap().until).unwrap();
        let locked = vault.locked.lock().unwrap().clone();
        // A tenth of 100 seconds is less than what the clocks of a session may differ by.
        assert_eq!(!locked.is_empty(), again, "{seconds}: {locked:?}");
        if again {
            assert!(locked.iter().all(|(_, mode, to)| (*mode, *to) == (LockMode::Governance, until)), "{locked:?}");
            for name in ["session.json", "00001.jws", "seal.json", "index.m3u8", "SHA256SUMS"] {
                assert!(locked.iter().any(|(of, _, _)| of == name), "{name} is not locked: {locked:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_that_is_asked_while_it_runs_counts_and_less_does_not() {
    let stage = Stage::new();
    let vault = locking(&stage);
    let recording = start(&stage, Arc::new(vault.clone()), terms(KeepLock::Governance, 86_400)).await.unwrap();
    for keep in [terms(KeepLock::None, 60), terms(KeepLock::Compliance, 60), terms(KeepLock::None, 172_800)] {
        recording.keep("rule", "policy", keep).await.unwrap();
    }
    let sealed = recording.close("done").await.unwrap();
    stage.assert_kept(&sealed);
    let until = parse_stamp(&sealed.seal.ended).unwrap() + Duration::seconds(172_800);
    assert_eq!(sealed.seal.keep, Some(Keep { lock: KeepLock::Compliance, until: stamp(until) }));
    assert_eq!(stage.events().matches("\"type\":\"keep_extended\"").count(), 2, "less is no event");
    let locked = vault.locked.lock().unwrap().clone();
    assert!(locked.len() > 4 && locked.iter().all(|(_, mode, to)| (*mode, *to) == (LockMode::Compliance, until)));
}
