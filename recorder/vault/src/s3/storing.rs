//! Storing an object: once, with its checksum and its lock, and whole or not at all.
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, ObjectLockLegalHold, ObjectLockLegalHoldStatus,
    ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode, ServerSideEncryption,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_evidence::PathInBundle;
use sha2::{Digest as _, Sha256};

use super::{Encryption, Fault, S3, failed};
use crate::{Key, LockMode, Result, VaultError, source};

/// The longest object that is stored by one request, and the length of the parts of a longer one.
const PART: u64 = 16 * 1024 * 1024;
/// The most parts that S3 permits.
const MAX_PARTS: i32 = 10_000;

/// What is sent with an object beside its bytes.
struct Terms {
    media_type: &'static str,
    lock: Option<(ObjectLockMode, DateTime)>,
    hold: Option<ObjectLockLegalHoldStatus>,
    encryption: Option<ServerSideEncryption>,
    kms_key: Option<String>,
}

/// A file of the spool, read in parts.
struct Source {
    file: Arc<File>,
    bytes: u64,
}

impl S3 {
    /// Stores the file under the key, unless the same bytes are there.
    pub(super) async fn store(&self, key: &Key, from: &Path) -> Result<()> {
        let source = Source::open(key, from).await?;
        if self.settings.asks_lock() && key.name() == "seal.json" {
            self.lock_index(key).await?;
        }
        // A server that does not honour the precondition would write over what is there.
        if !self.standing.preconditions
            && let Some(stored) = self.already(key, &source).await?
        {
            return stored;
        }
        let in_parts = source.bytes > PART;
        let stored = match in_parts {
            false => self.whole(key, &source, true).await,
            true => self.in_parts(key, &source).await,
        };
        match stored {
            // Some take a lock that comes with an object and forget one that comes with parts.
            Ok(()) if self.settings.asks_lock() && in_parts => self.extend_lock(key).await,
            Ok(()) if self.settings.asks_lock() && shows_lock(key) => self.check_lock(key).await,
            // It is there: from an earlier try whose answer was lost, or from somebody else.
            Err(Fault::Exists) => {
                let gone = || failed("store", key)(Fault::Exists);
                self.already(key, &source).await?.unwrap_or_else(|| Err(gone()))
            }
            other => other.map_err(failed("store", key)),
        }
    }

    /// Stores the file under the key, whatever is there. It gets its lock with the seal: before, it is written over all the time.
    pub(super) async fn write_over(&self, key: &Key, from: &Path) -> Result<()> {
        let source = Source::open(key, from).await?;
        self.whole(key, &source, false).await.map_err(failed("store", key))
    }

    /// Whether the object is there: `None` if not, else whether it has the same bytes, and is locked as it should be.
    async fn already(&self, key: &Key, source: &Source) -> Result<Option<Result<()>>> {
        let Some(head) = self.head(key).await? else { return Ok(None) };
        let same = head.bytes == source.bytes
            && match head.sha256 {
                Some(sha256) => sha256 == source.sha256(key).await?,
                None => self.has_bytes_of(key, source).await?,
            };
        if !same {
            return Ok(Some(Err(VaultError::AlreadyDiffers(key.clone()))));
        }
        if self.settings.asks_lock() {
            self.extend_lock(key).await?;
        }
        Ok(Some(Ok(())))
    }

    /// For servers that keep no checksum: what is there, byte for byte.
    async fn has_bytes_of(&self, key: &Key, source: &Source) -> Result<bool> {
        let mut at = 0;
        while at < source.bytes {
            let until = at.saturating_add(PART).min(source.bytes);
            if self.get(key, Some(at..until)).await? != source.part(key, at).await? {
                return Ok(false);
            }
            at = until;
        }
        Ok(true)
    }

    async fn whole(&self, key: &Key, source: &Source, new: bool) -> std::result::Result<(), Fault> {
        let (bytes, sha256) = source.summed(key, 0).await?;
        let terms = self.terms(key, new);
        let request = self.client.put_object().bucket(&self.settings.bucket).key(self.name(key.as_str()));
        let request = request
            .set_if_none_match(new.then(|| "*".to_owned()))
            .checksum_sha256(sha256)
            .content_type(terms.media_type)
            .set_server_side_encryption(terms.encryption)
            .set_ssekms_key_id(terms.kms_key)
            .set_object_lock_mode(terms.lock.as_ref().map(|(mode, _)| mode.clone()))
            .set_object_lock_retain_until_date(terms.lock.map(|(_, until)| until))
            .set_object_lock_legal_hold_status(terms.hold)
            .body(ByteStream::from(bytes));
        request.send().await.map(drop).map_err(|error| Fault::of(&error))
    }

    async fn in_parts(&self, key: &Key, source: &Source) -> std::result::Result<(), Fault> {
        let (bucket, name, terms) = (&self.settings.bucket, self.name(key.as_str()), self.terms(key, true));
        let begun = self.client.create_multipart_upload().bucket(bucket).key(&name);
        let begun = begun
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .content_type(terms.media_type)
            .set_server_side_encryption(terms.encryption)
            .set_ssekms_key_id(terms.kms_key)
            .set_object_lock_mode(terms.lock.as_ref().map(|(mode, _)| mode.clone()))
            .set_object_lock_retain_until_date(terms.lock.map(|(_, until)| until))
            .set_object_lock_legal_hold_status(terms.hold);
        let begun = begun.send().await.map_err(|error| Fault::of(&error))?;
        let upload = begun.upload_id().ok_or_else(|| Fault::Other { status: 200, words: "no upload id".to_owned() })?;
        let stored = self.parts(key, source, &name, upload).await;
        if stored.is_err() {
            // Nobody can be told if it fails; a rule of the bucket removes what is left of uploads that were not ended.
            let _ = self.client.abort_multipart_upload().bucket(bucket).key(&name).upload_id(upload).send().await;
        }
        stored
    }

    async fn parts(&self, key: &Key, source: &Source, name: &str, upload: &str) -> std::result::Result<(), Fault> {
        let bucket = &self.settings.bucket;
        let (mut parts, mut at) = (Vec::new(), 0);
        for number in 1..=MAX_PARTS {
            let (bytes, sha256) = source.summed(key, at).await?;
            at = at.saturating_add(PART).min(source.bytes);
            let request = self.client.upload_part().bucket(bucket).key(name).upload_id(upload).part_number(number);
            let request = request.checksum_sha256(&sha256).body(ByteStream::from(bytes));
            let part = request.send().await.map_err(|error| Fault::of(&error))?;
            let done = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag).checksum_sha256(sha256);
            parts.push(done.build());
            if at == source.bytes {
                break;
            }
        }
        if at < source.bytes {
            return Err(Fault::Full(format!("more than {MAX_PARTS} parts")));
        }
        // Some honour the precondition on a put and not here.
        let there = self.head(key).await.map_err(|error| Fault::Unreachable(error.to_string()))?;
        if there.is_some() {
            return Err(Fault::Exists);
        }
        let whole = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.client.complete_multipart_upload().bucket(bucket).key(name).upload_id(upload);
        let request = request.multipart_upload(whole).if_none_match("*");
        request.send().await.map(drop).map_err(|error| Fault::of(&error))
    }

    fn terms(&self, key: &Key, locked: bool) -> Terms {
        let (encryption, kms_key) = match &self.settings.encryption {
            Encryption::None => (None, None),
            Encryption::Own => (Some(ServerSideEncryption::Aes256), None),
            Encryption::Kms(key) => (Some(ServerSideEncryption::AwsKms), key.clone()),
        };
        let lock = self.settings.lock.filter(|_| locked).map(|lock| {
            let mode = match lock.mode {
                LockMode::Governance => ObjectLockMode::Governance,
                LockMode::Compliance => ObjectLockMode::Compliance,
            };
            (mode, until(lock.keep))
        });
        let hold = (locked && self.settings.legal_hold).then_some(ObjectLockLegalHoldStatus::On);
        Terms { media_type: media_type(key.name()), lock, hold, encryption, kms_key }
    }

    /// Locks the index of the bundle that this seal ends: it does not change any more.
    async fn lock_index(&self, seal: &Key) -> Result<()> {
        let index = Key::of(seal.folder(), PathInBundle::Index);
        let Ok(index) = index else { return Ok(()) };
        match self.head(&index).await? {
            Some(_) => self.extend_lock(&index).await,
            None => Ok(()),
        }
    }

    /// Locks an object that is there already, if it is not.
    async fn extend_lock(&self, key: &Key) -> Result<()> {
        if self.lacks(key).await?.is_none() {
            return Ok(());
        }
        let (bucket, name) = (&self.settings.bucket, self.name(key.as_str()));
        if let Some(lock) = self.settings.lock {
            let mode = match lock.mode {
                LockMode::Governance => ObjectLockRetentionMode::Governance,
                LockMode::Compliance => ObjectLockRetentionMode::Compliance,
            };
            let retention = ObjectLockRetention::builder().mode(mode).retain_until_date(until(lock.keep)).build();
            let request = self.client.put_object_retention().bucket(bucket).key(&name).retention(retention);
            request.send().await.map_err(|error| failed("lock", key)(Fault::of(&error)))?;
        }
        if self.settings.legal_hold {
            let hold = ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::On).build();
            let request = self.client.put_object_legal_hold().bucket(bucket).key(&name).legal_hold(hold);
            request.send().await.map_err(|error| failed("lock", key)(Fault::of(&error)))?;
        }
        self.check_lock(key).await
    }

    /// Reads back what the server says of an object's lock.
    async fn check_lock(&self, key: &Key) -> Result<()> {
        match self.lacks(key).await? {
            None => Ok(()),
            Some(reason) => {
                Err(VaultError::Unprotected { property: "Object Lock", reason: format!("{key}: {reason}") })
            }
        }
    }

    /// What an object's lock lacks.
    async fn lacks(&self, key: &Key) -> Result<Option<String>> {
        let found = super::probe::lock_of(&self.client, &self.settings, &self.name(key.as_str())).await;
        Ok(found.map_err(failed("read the lock of", key))?.lacks(&self.settings))
    }
}

impl Source {
    async fn open(key: &Key, from: &Path) -> Result<Self> {
        let from = from.to_owned();
        blocking(key, move || {
            let file = source::open(&from)?;
            let bytes = file.metadata()?.len();
            Ok(Self { file: Arc::new(file), bytes })
        })
        .await
    }

    /// The bytes from `at`, up to [`PART`].
    async fn part(&self, key: &Key, at: u64) -> Result<bytes::Bytes> {
        let file = Arc::clone(&self.file);
        let length = self.bytes.saturating_sub(at).min(PART);
        blocking(key, move || {
            let mut buffer = vec![0; usize::try_from(length).map_err(std::io::Error::other)?];
            file.read_exact_at(&mut buffer, at)?;
            Ok(buffer.into())
        })
        .await
    }

    /// As [`Source::part`], with the SHA-256 of those bytes in Base64: it is given to the SDK as it is, which left to itself may send none.
    async fn summed(&self, key: &Key, at: u64) -> std::result::Result<(bytes::Bytes, String), Fault> {
        let failed = |error: VaultError| Fault::Unreachable(error.to_string());
        let bytes = self.part(key, at).await.map_err(failed)?;
        let hashed = bytes.clone();
        let sha256 = blocking(key, move || Ok(STANDARD.encode(Sha256::digest(&hashed)))).await.map_err(failed)?;
        Ok((bytes, sha256))
    }

    /// The SHA-256 of the whole file, in Base64.
    async fn sha256(&self, key: &Key) -> Result<String> {
        let (mut hash, mut at) = (Sha256::new(), 0);
        while at < self.bytes {
            let part = self.part(key, at).await?;
            hash.update(&part);
            at = at.saturating_add(PART);
        }
        Ok(STANDARD.encode(hash.finalize()))
    }
}

/// Runs what waits for the disk on a thread where it may.
async fn blocking<T: Send + 'static>(
    key: &Key,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    done.map_err(|source| VaultError::Storage { action: "store", key: key.to_string(), source })
}

/// The date so far from now, in whole seconds.
pub(super) fn until(keep: std::time::Duration) -> DateTime {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    DateTime::from_secs(i64::try_from(now.saturating_add(keep).as_secs()).unwrap_or(i64::MAX))
}

/// Whether this object's lock is read back: the manifest's, before anything is shown, and those of the first segment.
fn shows_lock(key: &Key) -> bool {
    key.name() == "session.json" || key.name().starts_with("00001.")
}

/// What players and browsers are told that it is.
fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("mp4" | "m4s") => "video/mp4",
        Some("m3u8") => "application/vnd.apple.mpegurl",
        Some("json") => "application/json",
        Some("jsonl") => "application/x-ndjson",
        Some("jws") => "application/jose",
        _ if name == "SHA256SUMS" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
