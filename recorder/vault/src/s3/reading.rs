//! Reading objects: whole or in part, their length, and their names.
use std::ops::Range;
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, Object};
use bytes::Bytes;

use super::{Fault, S3, failed};
use crate::{Entry, Key, MAX_LIST, MAX_READ_BYTES, Result, VaultError};

/// The most names that S3 lists at once.
const PAGE: usize = 1000;
/// Empty pages in a row that a list may have before it is given up.
const MAX_EMPTY: usize = 1000;
/// How long the bytes of one answer may take.
const BODY: Duration = Duration::from_secs(120);

/// What the server says of an object.
pub(super) struct Head {
    pub(super) bytes: u64,
    /// SHA-256 of the whole object in Base64, where the server keeps it.
    pub(super) sha256: Option<String>,
}

impl S3 {
    /// What the server says of an object; `None` when there is none.
    pub(super) async fn head(&self, key: &Key) -> Result<Option<Head>> {
        let request = self.client.head_object().bucket(&self.settings.bucket).key(self.name(key.as_str()));
        let head = match request.checksum_mode(ChecksumMode::Enabled).send().await {
            Ok(head) => head,
            Err(error) => {
                return match Fault::of(&error) {
                    Fault::NoObject => Ok(None),
                    fault => Err(failed("read", key)(fault)),
                };
            }
        };
        let bytes = head.content_length().and_then(|length| u64::try_from(length).ok());
        let whole = head.checksum_type().is_none_or(|of| *of == ChecksumType::FullObject);
        let sha256 = head.checksum_sha256().filter(|text| whole && !text.contains('-')).map(str::to_owned);
        let silent = || failed("read", key)(Fault::Other { status: 200, words: "no length of the object".to_owned() });
        Ok(Some(Head { bytes: bytes.ok_or_else(silent)?, sha256 }))
    }

    /// The bytes of the range, or all.
    pub(super) async fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Bytes> {
        let outside = |bytes| VaultError::OutOfRange { key: key.clone(), bytes };
        if range.as_ref().is_some_and(|range| range.is_empty()) {
            return Err(outside(self.length(key).await?));
        }
        if range.as_ref().is_some_and(|range| range.end - range.start > MAX_READ_BYTES) {
            let bytes = self.length(key).await?;
            let beyond = range.is_some_and(|range| range.end > bytes);
            return Err(if beyond { outside(bytes) } else { VaultError::TooLong(key.clone()) });
        }
        let mut request = self.client.get_object().bucket(&self.settings.bucket).key(self.name(key.as_str()));
        request = match &range {
            Some(range) => request.range(format!("bytes={}-{}", range.start, range.end.saturating_sub(1))),
            // Of a whole object the SDK checks the checksum that the server has, if it has one.
            None => request.checksum_mode(ChecksumMode::Enabled),
        };
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                return Err(match Fault::of(&error) {
                    Fault::Range => outside(self.length(key).await?),
                    fault => failed("read", key)(fault),
                });
            }
        };
        let length = answer.content_length().and_then(|length| u64::try_from(length).ok());
        match (length, &range) {
            (Some(length), Some(range)) if length != range.end - range.start => {
                return Err(outside(self.length(key).await?));
            }
            (Some(length), _) if length <= MAX_READ_BYTES => {
                collect(answer.body, length).await.map_err(failed("read", key))
            }
            (Some(_), _) => Err(VaultError::TooLong(key.clone())),
            (None, _) => Err(failed("read", key)(cut("an answer that does not say how long it is"))),
        }
    }

    async fn length(&self, key: &Key) -> Result<u64> {
        let head = self.head(key).await?;
        head.map(|head| head.bytes).ok_or_else(|| VaultError::NotFound(key.clone()))
    }

    /// A page of names that are keys; others are left out, as those of the vault's own probe are.
    pub(super) async fn page(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>> {
        let (mut entries, mut after) = (Vec::new(), after.map(|key| self.name(key.as_str())));
        let limit = limit.min(MAX_LIST);
        while entries.len() < limit {
            let wanted = limit.saturating_sub(entries.len()).min(PAGE);
            let (objects, more) =
                self.objects(&self.name(prefix), after.as_deref(), wanted).await.map_err(|fault| {
                    VaultError::Storage { action: "list", key: prefix.to_owned(), source: fault.into_io() }
                })?;
            after = objects.last().and_then(Object::key).map(str::to_owned);
            entries.extend(objects.iter().filter_map(|object| self.entry(object)));
            if !more || after.is_none() {
                break;
            }
        }
        Ok(entries)
    }

    /// Names under `place` that are none of a key's, fit for a report.
    pub(super) async fn not_keys(&self, place: &Key) -> Result<Vec<String>> {
        let folder = format!("{}/", self.name(place.as_str()));
        let (mut strange, mut after) = (Vec::new(), None);
        loop {
            let listed = self.objects(&folder, after.as_deref(), PAGE).await;
            let (objects, more) = listed.map_err(failed("list", place))?;
            let names = objects.iter().filter_map(|object| object.key()?.strip_prefix(&folder));
            strange.extend(names.filter(|name| Key::new(*name).is_err()).map(super::fault::clean));
            after = objects.last().and_then(Object::key).map(str::to_owned);
            if !more || after.is_none() || strange.len() > MAX_LIST {
                return Ok(strange);
            }
        }
    }

    fn entry(&self, object: &Object) -> Option<Entry> {
        let name = object.key()?;
        let key = match self.settings.prefix.as_str() {
            "" => name,
            prefix => name.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        Some(Entry { key: Key::new(key).ok()?, bytes: u64::try_from(object.size()?).ok()? })
    }

    /// Objects by the beginning of their names in the bucket, and whether there are more.
    pub(super) async fn objects(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> std::result::Result<(Vec<Object>, bool), Fault> {
        let mut token: Option<String> = None;
        for _ in 0..MAX_EMPTY {
            let request = self.client.list_objects_v2().bucket(&self.settings.bucket).prefix(prefix);
            let request = request.set_start_after(after.map(str::to_owned)).max_keys(i32::try_from(limit).unwrap_or(1));
            let answer = request.set_continuation_token(token).send().await.map_err(|error| Fault::of(&error))?;
            let more = answer.is_truncated().unwrap_or(false);
            let objects = answer.contents.unwrap_or_default();
            if !objects.is_empty() || !more {
                return Ok((objects, more));
            }
            // A server that skips what is hidden may say that there is more behind a page on which nothing is left.
            token = answer.next_continuation_token;
            if token.is_none() {
                break;
            }
        }
        // INVARIANT: a list that was cut short is never taken for the end.
        Err(Fault::Other { status: 200, words: "a list that is cut short".to_owned() })
    }
}

/// All bytes of a body that says that it has `length` of them.
async fn collect(body: ByteStream, length: u64) -> std::result::Result<Bytes, Fault> {
    let bytes = tokio::time::timeout(BODY, body.collect()).await.map_err(|_| cut("the bytes do not come in time"))?;
    let bytes = bytes.map_err(|error| cut(&fault_words(&error)))?.into_bytes();
    match u64::try_from(bytes.len()) {
        Ok(found) if found == length => Ok(bytes),
        _ => Err(cut("an answer that ends early")),
    }
}

fn fault_words(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

fn cut(words: &str) -> Fault {
    Fault::Unreachable(super::fault::clean(words))
}
