//! What keeps an object in a bucket, and taking one away: lock and hold of its newest version, and all of its versions.
use std::time::Duration;

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention, ObjectLockRetentionMode};
use time::OffsetDateTime;

use super::{Fault, S3, S3Settings, failed};
use crate::{Guarded, Key, Lock, LockMode, Result, VaultError};

/// What servers answer, with 400 or 409, of a bucket that was made without Object Lock. Another such answer is passing, or a fault.
const NO_HOLDS: [&str; 3] = ["InvalidRequest", "InvalidBucketState", "ObjectLockConfigurationNotFoundError"];

impl S3 {
    /// What the server says of an object's lock and hold.
    pub(super) async fn guard_of(&self, key: &Key) -> Result<Guarded> {
        // Both are asked for, whatever this vault itself wants of what it stores.
        let lock = Some(Lock { mode: LockMode::Governance, keep: Duration::ZERO });
        let asked = S3Settings { lock, legal_hold: true, ..S3Settings::clone(&self.settings) };
        let found = super::probe::lock_of(&self.client, &asked, &self.name(key.as_str())).await;
        let found = found.map_err(failed("read the lock of", key))?;
        let until = OffsetDateTime::from_unix_timestamp(found.until).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Ok(Guarded { lock: found.mode.map(|mode| (mode, until)), held: found.hold })
    }

    /// Makes the lock of an object firmer and longer, where it is not, and reads it back.
    pub(super) async fn lock_until(&self, key: &Key, mode: LockMode, until: OffsetDateTime) -> Result<()> {
        let enough = |guarded: &Guarded| {
            guarded.lock.is_some_and(|(has, to)| has >= mode && to.unix_timestamp() >= until.unix_timestamp())
        };
        let found = self.guard_of(key).await?;
        if enough(&found) {
            return Ok(());
        }
        let (mode, until) = found.lock.map_or((mode, until), |(has, to)| (has.max(mode), to.max(until)));
        let said = match mode {
            LockMode::Governance => ObjectLockRetentionMode::Governance,
            LockMode::Compliance => ObjectLockRetentionMode::Compliance,
        };
        // Whole seconds: up, so that no lock is over before its time.
        let seconds = until.unix_timestamp().saturating_add(i64::from(until.nanosecond() > 0));
        let date = DateTime::from_secs(seconds);
        let retention = ObjectLockRetention::builder().mode(said).retain_until_date(date).build();
        let request = self.client.put_object_retention().bucket(&self.settings.bucket).key(self.name(key.as_str()));
        let done = request.retention(retention).send().await;
        done.map_err(|error| failed("lock", key)(Fault::of(&error)))?;
        if enough(&self.guard_of(key).await?) {
            return Ok(());
        }
        let reason = format!("{key}: asked for {mode} until {until}, the server says otherwise");
        Err(VaultError::Unprotected { property: "Object Lock", reason })
    }

    /// Puts a legal hold on an object, or takes it off; whether the server knows holds.
    pub(super) async fn set_hold(&self, key: &Key, held: bool) -> Result<bool> {
        let status = if held { ObjectLockLegalHoldStatus::On } else { ObjectLockLegalHoldStatus::Off };
        let hold = ObjectLockLegalHold::builder().status(status).build();
        let request = self.client.put_object_legal_hold().bucket(&self.settings.bucket).key(self.name(key.as_str()));
        match request.legal_hold(hold).send().await.map_err(|error| Fault::of(&error)) {
            Ok(_) => Ok(true),
            // A bucket that was made without Object Lock, or a server that does not know it.
            Err(Fault::Unknown(_)) => Ok(false),
            Err(Fault::Other { status: 400 | 409, words }) if NO_HOLDS.iter().any(|code| words.starts_with(code)) => {
                Ok(false)
            }
            Err(fault) => Err(failed("hold", key)(fault)),
        }
    }

    /// Takes an object away with all its versions: in a bucket that keeps them it would else be hidden, and still there.
    pub(super) async fn take_away(&self, key: &Key) -> Result<()> {
        let (bucket, name) = (&self.settings.bucket, self.name(key.as_str()));
        let (mut key_marker, mut version_marker) = (None, None);
        loop {
            let request = self.client.list_object_versions().bucket(bucket).prefix(&name);
            let request = request.set_key_marker(key_marker).set_version_id_marker(version_marker);
            let page = match request.send().await.map_err(|error| Fault::of(&error)) {
                Ok(page) => page,
                // Without versions there is one.
                Err(Fault::Unknown(_)) => return self.take_version(key, &name, None).await,
                Err(fault) => return Err(failed("list the versions of", key)(fault)),
            };
            let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
            let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
            for (of, version) in versions.chain(markers) {
                if of == Some(name.as_str()) {
                    self.take_version(key, &name, version).await?;
                }
            }
            (key_marker, version_marker) = (page.next_key_marker, page.next_version_id_marker);
            // Names that only begin like this one come behind it.
            if !page.is_truncated.unwrap_or(false) || key_marker.as_ref() != Some(&name) {
                return Ok(());
            }
        }
    }

    async fn take_version(&self, key: &Key, name: &str, version: Option<&str>) -> Result<()> {
        let request = self.client.delete_object().bucket(&self.settings.bucket).key(name);
        match request.set_version_id(version.map(str::to_owned)).send().await.map_err(|error| Fault::of(&error)) {
            Ok(_) | Err(Fault::NoObject) => Ok(()),
            Err(fault) => Err(failed("remove", key)(fault)),
        }
    }
}
