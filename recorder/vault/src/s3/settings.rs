//! What an operator says about a bucket and the way to it.
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::Lock;

/// A bucket, the way to it, and what is asked of it.
#[derive(Debug, Clone)]
pub struct S3Settings {
    /// The bucket's name.
    pub bucket: String,
    /// What all keys begin with, without slashes around it; may be empty.
    pub prefix: String,
    /// `https://host[:port]`; `None` for AWS's own, by region.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// How the bucket is named in requests.
    pub addressing: Addressing,
    /// PEM file of the only authorities that are trusted; `None` for the machine's own.
    pub authorities: Option<PathBuf>,
    /// Whether `http://` may leave this machine. What is sent can then be read and held back on the way, not altered unnoticed.
    pub plain_http: bool,
    /// File of credentials as AWS's programs have it; `None`: `AWS_SHARED_CREDENTIALS_FILE` or `~/.aws/credentials`.
    pub credentials: Option<PathBuf>,
    /// The section of that file; `None`: `AWS_PROFILE` or `default`.
    pub profile: Option<String>,
    /// Which encryption at rest is asked for.
    pub encryption: Encryption,
    /// The lock that every object gets.
    pub lock: Option<Lock>,
    /// Whether every object is put under legal hold too.
    pub legal_hold: bool,
    /// What the server has to do, or the vault does not open; Object Lock is among it where a lock or hold is asked for.
    pub require: Vec<Property>,
    /// How long one request may take, its retries included.
    pub timeout: Duration,
}

impl S3Settings {
    /// The defaults, for a bucket of AWS in `us-east-1`.
    #[must_use]
    pub fn new(bucket: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            prefix: String::new(),
            endpoint: None,
            region: "us-east-1".to_owned(),
            addressing: Addressing::Auto,
            authorities: None,
            plain_http: false,
            credentials: None,
            profile: None,
            encryption: Encryption::None,
            lock: None,
            legal_hold: false,
            require: Vec::new(),
            timeout: Duration::from_secs(60),
        }
    }

    /// Whether objects are to be locked in any way.
    pub(super) fn asks_lock(&self) -> bool {
        self.lock.is_some() || self.legal_hold
    }
}

/// How the bucket is named in requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Addressing {
    /// In the path where an endpoint is given, else in the host.
    #[default]
    Auto,
    /// `https://host/bucket/key`.
    Path,
    /// `https://bucket.host/key`.
    Virtual,
}

/// Encryption at rest, by the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Encryption {
    /// Whatever the bucket does by itself.
    #[default]
    None,
    /// With keys of the storage (SSE-S3).
    Own,
    /// With a key of its key service (SSE-KMS): the key's id, or the service's default.
    Kms(Option<String>),
}

/// What a server is asked to prove when the vault opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// Bytes that do not have the SHA-256 that was sent with them are refused.
    Checksums,
    /// `If-None-Match: *` is honoured: what is there is not written over.
    Preconditions,
    /// What is written over or removed stays as an older version.
    Versioning,
    /// Locked objects keep their lock and are not removed.
    ObjectLock,
}

impl Property {
    /// Its name, in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Checksums => "checksums",
            Self::Preconditions => "preconditions",
            Self::Versioning => "versioning",
            Self::ObjectLock => "Object Lock",
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
