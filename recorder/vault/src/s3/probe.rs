//! What a server does, tried and not assumed: each promise is put to the test with an object of a few bytes.
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    BucketVersioningStatus, ChecksumMode, ObjectLockEnabled, ObjectLockLegalHold, ObjectLockLegalHoldStatus,
    ObjectLockMode, ObjectLockRetentionMode,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::{Fault, Property, S3Error, S3Settings, storing};
use crate::{Lock, LockMode};

/// Where the probe writes, under the vault's prefix; no key of the vault begins with a dot.
const PLACE: &str = ".portcullis/probe";
/// What it writes, and what it would write over that.
const BYTES: &[u8] = b"Portcullis looks whether this server keeps its word.\n";
const OTHER: &[u8] = b"This must not have been stored.\n";
/// How long its locked object is locked: longer than clocks may differ.
const LOCKED: Duration = Duration::from_secs(20 * 60);

/// What a server was found to do.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// It refuses bytes that do not have the SHA-256 that was sent with them.
    pub checksums: bool,
    /// It keeps the SHA-256 and tells it.
    pub keeps_checksums: bool,
    /// It honours `If-None-Match: *`.
    pub preconditions: bool,
    /// It keeps older versions.
    pub versioning: bool,
    /// Whether it locks objects; `None` when nobody asked, else why it does not.
    pub object_lock: Option<Result<(), String>>,
    /// The firmest lock that was tried, and whether a legal hold was.
    tried: (Option<LockMode>, bool),
}

impl Standing {
    /// Whether it was found to do a property; the error says what was found instead.
    ///
    /// # Errors
    /// Why not.
    pub fn of(&self, property: Property) -> Result<(), String> {
        let (is, words) = match property {
            Property::Checksums => (self.checksums, "bytes with a wrong x-amz-checksum-sha256 were accepted"),
            Property::Preconditions => (self.preconditions, "If-None-Match: * was ignored and an object written over"),
            Property::Versioning => (self.versioning, "the bucket does not keep older versions"),
            Property::ObjectLock => {
                return self.object_lock.clone().unwrap_or_else(|| Err("it was not tried".to_owned()));
            }
        };
        if is { Ok(()) } else { Err(words.to_owned()) }
    }

    /// Whether all that the settings ask for is done.
    pub(super) fn check(&self, settings: &S3Settings) -> Result<(), S3Error> {
        let lock = settings.asks_lock().then_some(Property::ObjectLock);
        for property in lock.into_iter().chain(settings.require.iter().copied()) {
            self.of(property).map_err(|reason| S3Error::Unprotected {
                bucket: settings.bucket.clone(),
                property,
                reason,
            })?;
        }
        Ok(())
    }

    /// Whether it was found to lock as these settings ask.
    pub(super) fn locks(&self, settings: &S3Settings) -> bool {
        self.object_lock == Some(Ok(()))
            && self.tried.0 >= settings.lock.map(|lock| lock.mode)
            && self.tried.1 >= settings.legal_hold
    }
}

/// Looks at the server.
pub(super) async fn look(client: &Client, settings: &S3Settings) -> Result<Standing, S3Error> {
    let refused =
        |action: &'static str| move |fault| S3Error::Refused { action, bucket: settings.bucket.clone(), fault };
    let probe = Probe { client, settings, name: name(settings) };
    probe.list().await.map_err(refused("list"))?;
    let version = probe.write("", BYTES, true, None).await.map_err(refused("write to"))?;
    let keeps_checksums = probe.read_back().await.map_err(refused("read back from"))?;
    let standing = Standing {
        checksums: probe.refuses_wrong_checksum().await.map_err(refused("write to"))?,
        keeps_checksums,
        preconditions: probe.refuses_second_write().await.map_err(refused("write to"))?,
        versioning: probe.keeps_versions().await,
        object_lock: match settings.asks_lock() {
            true => Some(probe.locks().await.map_err(refused("lock an object in"))?),
            false => None,
        },
        tried: (settings.lock.map(|lock| lock.mode), settings.legal_hold),
    };
    probe.remove("", version).await;
    Ok(standing)
}

/// A name that nobody else has.
fn name(settings: &S3Settings) -> String {
    let slash = if settings.prefix.is_empty() { "" } else { "/" };
    format!("{}{slash}{PLACE}/{:016x}", settings.prefix, rand::random::<u64>())
}

struct Probe<'a> {
    client: &'a Client,
    settings: &'a S3Settings,
    name: String,
}

impl Probe<'_> {
    /// Says who is not let in, and what is not there, in the words of an answer with a body.
    async fn list(&self) -> Result<(), Fault> {
        let request = self.client.list_objects_v2().bucket(&self.settings.bucket).prefix(&self.name).max_keys(1);
        request.send().await.map(drop).map_err(|error| Fault::of(&error))
    }

    /// Writes an object and says its version. With `sum` the bytes are said to have that SHA-256.
    async fn write(
        &self,
        suffix: &str,
        bytes: &'static [u8],
        new: bool,
        sum: Option<&[u8]>,
    ) -> Result<Option<String>, Fault> {
        let request = self.client.put_object().bucket(&self.settings.bucket).key(format!("{}{suffix}", self.name));
        let request = request
            .set_if_none_match(new.then(|| "*".to_owned()))
            .checksum_sha256(STANDARD.encode(Sha256::digest(sum.unwrap_or(bytes))))
            .body(ByteStream::from_static(bytes));
        request.send().await.map(|done| done.version_id).map_err(|error| Fault::of(&error))
    }

    /// Reads what was written; whether its SHA-256 was told as well.
    async fn read_back(&self) -> Result<bool, Fault> {
        let request = self.client.get_object().bucket(&self.settings.bucket).key(&self.name);
        let answer = request.checksum_mode(ChecksumMode::Enabled).send().await.map_err(|error| Fault::of(&error))?;
        let told = answer.checksum_sha256() == Some(STANDARD.encode(Sha256::digest(BYTES)).as_str());
        let length = answer.content_length().unwrap_or_default();
        if usize::try_from(length) != Ok(BYTES.len()) {
            return Err(Fault::Altered(format!("{length} bytes came back for {}", BYTES.len())));
        }
        let bytes = answer.body.collect().await.map_err(|error| Fault::Unreachable(error.to_string()))?;
        match bytes.into_bytes() == BYTES {
            true => Ok(told),
            false => Err(Fault::Altered("other bytes came back".to_owned())),
        }
    }

    async fn refuses_wrong_checksum(&self) -> Result<bool, Fault> {
        match self.write("-sum", OTHER, false, Some(BYTES)).await {
            Ok(version) => {
                self.remove("-sum", version).await;
                Ok(false)
            }
            Err(Fault::Altered(_) | Fault::Other { status: 400..500, .. }) => Ok(true),
            Err(fault) => Err(fault),
        }
    }

    async fn refuses_second_write(&self) -> Result<bool, Fault> {
        match self.write("", OTHER, true, None).await {
            Ok(version) => {
                self.remove("", version).await;
                Ok(false)
            }
            Err(Fault::Exists | Fault::Other { status: 409, .. }) => Ok(true),
            Err(fault) => Err(fault),
        }
    }

    async fn keeps_versions(&self) -> bool {
        let answer = self.client.get_bucket_versioning().bucket(&self.settings.bucket).send().await;
        answer.is_ok_and(|answer| answer.status == Some(BucketVersioningStatus::Enabled))
    }

    /// Locks an object, reads the lock back, and tries to remove the object all the same.
    async fn locks(&self) -> Result<Result<(), String>, Fault> {
        let bucket = &self.settings.bucket;
        let no = |words: &str| Ok(Err(words.to_owned()));
        match self.client.get_object_lock_configuration().bucket(bucket).send().await.map_err(|error| Fault::of(&error))
        {
            Ok(answer) => {
                let on = answer.object_lock_configuration.and_then(|found| found.object_lock_enabled);
                if on != Some(ObjectLockEnabled::Enabled) {
                    return no("it is not enabled for the bucket");
                }
            }
            Err(Fault::NoObject) => return no("it is not enabled for the bucket: it was made without"),
            Err(Fault::Unknown(_)) => return no("the server does not know it"),
            Err(fault) => return Err(fault),
        }
        let mut settings = self.settings.clone();
        settings.lock = settings.lock.map(|lock| Lock { keep: LOCKED, ..lock });
        let name = format!("{}-lock", self.name);
        let version = match self.write_locked(&name, &settings).await {
            Ok(version) => version,
            Err(Fault::Other { words, .. } | Fault::Unknown(words)) => {
                return Ok(Err(format!("it is refused: {words}")));
            }
            Err(fault) => return Err(fault),
        };
        if let Some(lacks) = lock_of(self.client, &settings, &name).await?.lacks(&settings) {
            self.remove("-lock", version).await;
            return Ok(Err(lacks));
        }
        let Some(version) = version else { return no("a locked object has no version") };
        let removed = self.client.delete_object().bucket(bucket).key(&name).version_id(&version).send().await;
        let removed = removed.map_err(|error| Fault::of(&error));
        self.let_go(&name).await;
        match removed {
            Ok(_) => no("an object was removed that was locked"),
            Err(fault @ Fault::Unreachable(_)) => Err(fault),
            Err(_) => Ok(Ok(())),
        }
    }

    async fn write_locked(&self, name: &str, settings: &S3Settings) -> Result<Option<String>, Fault> {
        let mode = settings.lock.map(|lock| match lock.mode {
            LockMode::Governance => ObjectLockMode::Governance,
            LockMode::Compliance => ObjectLockMode::Compliance,
        });
        let request = self.client.put_object().bucket(&settings.bucket).key(name);
        let request = request
            .checksum_sha256(STANDARD.encode(Sha256::digest(BYTES)))
            .set_object_lock_mode(mode)
            .set_object_lock_retain_until_date(settings.lock.map(|lock| storing::until(lock.keep)))
            .set_object_lock_legal_hold_status(settings.legal_hold.then_some(ObjectLockLegalHoldStatus::On))
            .body(ByteStream::from_static(BYTES));
        request.send().await.map(|done| done.version_id).map_err(|error| Fault::of(&error))
    }

    /// Takes a hold from the probe's object: it would stay for ever.
    async fn let_go(&self, name: &str) {
        if self.settings.legal_hold {
            let off = ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::Off).build();
            let request = self.client.put_object_legal_hold().bucket(&self.settings.bucket).key(name).legal_hold(off);
            // Where it may not, a few bytes stay.
            let _ = request.send().await;
        }
    }

    /// Removes what was tried with, where the gate may: it needs no right to remove.
    async fn remove(&self, suffix: &str, version: Option<String>) {
        let request = self.client.delete_object().bucket(&self.settings.bucket).key(format!("{}{suffix}", self.name));
        let _ = request.set_version_id(version).send().await;
    }
}

/// What a server says of an object's lock.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Locked {
    pub(super) mode: Option<LockMode>,
    /// Seconds since 1970.
    pub(super) until: i64,
    pub(super) hold: bool,
}

/// Asks for an object's lock and hold, as far as the settings want them. What the server does not know is none.
pub(super) async fn lock_of(client: &Client, settings: &S3Settings, name: &str) -> Result<Locked, Fault> {
    let mut locked = Locked::default();
    if settings.lock.is_some() {
        let answer = client.get_object_retention().bucket(&settings.bucket).key(name).send().await;
        let answer = answer.map(Some).or_else(|error| none(Fault::of(&error)))?;
        if let Some(retention) = answer.and_then(|answer| answer.retention) {
            locked.mode = match retention.mode {
                Some(ObjectLockRetentionMode::Compliance) => Some(LockMode::Compliance),
                Some(ObjectLockRetentionMode::Governance) => Some(LockMode::Governance),
                _ => None,
            };
            locked.until = retention.retain_until_date.as_ref().map_or(0, DateTime::secs);
        }
    }
    if settings.legal_hold {
        let answer = client.get_object_legal_hold().bucket(&settings.bucket).key(name).send().await;
        let answer = answer.map(Some).or_else(|error| none(Fault::of(&error)))?;
        let hold = answer.and_then(|answer| answer.legal_hold).and_then(|hold| hold.status);
        locked.hold = hold == Some(ObjectLockLegalHoldStatus::On);
    }
    Ok(locked)
}

fn none<T>(fault: Fault) -> Result<Option<T>, Fault> {
    match fault {
        Fault::NoObject | Fault::Unknown(_) | Fault::Other { status: 400, .. } => Ok(None),
        fault => Err(fault),
    }
}

impl Locked {
    /// What it lacks of what was asked for.
    pub(super) fn lacks(&self, settings: &S3Settings) -> Option<String> {
        if let Some(lock) = settings.lock {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            // The date was set when it was stored: some time has passed.
            let passed = (lock.keep / 10).min(Duration::from_secs(3600));
            let least = now.saturating_add(lock.keep).saturating_sub(passed).as_secs();
            match self.mode {
                None => return Some(format!("asked for {}, the server says that there is no lock", lock.mode)),
                Some(mode) if mode < lock.mode => {
                    return Some(format!("asked for {}, the server says {mode}", lock.mode));
                }
                Some(_) if u64::try_from(self.until).unwrap_or_default() < least => {
                    return Some(format!("asked until {least}, the server says {} (seconds since 1970)", self.until));
                }
                Some(_) => {}
            }
        }
        (settings.legal_hold && !self.hold)
            .then(|| "asked for a legal hold, the server says that there is none".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_lacks_mode_time_or_hold() {
        let mut settings = S3Settings::new("abc");
        let keep = Duration::from_secs(10 * 86_400);
        settings.lock = Some(Lock { mode: LockMode::Governance, keep });
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let until = now + 10 * 86_400 - 60;
        let locked = |mode, until, hold| Locked { mode, until, hold };
        assert_eq!(locked(Some(LockMode::Governance), until, false).lacks(&settings), None);
        assert_eq!(locked(Some(LockMode::Compliance), until + 999, false).lacks(&settings), None, "firmer and longer");
        assert!(Locked::default().lacks(&settings).unwrap().ends_with("there is no lock"));
        let short = locked(Some(LockMode::Governance), until - 86_400, false).lacks(&settings).unwrap();
        assert!(short.starts_with("asked until "), "{short}");
        settings.lock = Some(Lock { mode: LockMode::Compliance, keep });
        let soft = locked(Some(LockMode::Governance), until, false).lacks(&settings).unwrap();
        assert_eq!(soft, "asked for compliance, the server says governance");
        settings.legal_hold = true;
        assert!(locked(Some(LockMode::Compliance), until, false).lacks(&settings).unwrap().contains("legal hold"));
        assert_eq!(locked(Some(LockMode::Compliance), until, true).lacks(&settings), None);
    }
}
