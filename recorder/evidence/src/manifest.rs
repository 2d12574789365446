//! The manifest, `session.json`: whose session, of what, since when, under which policy.
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use crate::age::MAX_RECIPIENTS;
use crate::canonical::{self, CanonicalError};
use crate::{KeepTerms, MAX_KEEP_SECONDS, VERSION, is_stamp};

/// The longest `session.json`.
pub(crate) const MAX_MANIFEST_BYTES: u64 = 64 * 1024;
/// The longest session id.
const MAX_ID_BYTES: usize = 64;

/// `session.json`: written once, before the desktop is touched, and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the format, [`VERSION`].
    pub v: u32,
    /// The session's id: 1 to 64 of `A-Z a-z 0-9 -`.
    pub id: String,
    /// The subject's name.
    pub subject: String,
    /// The issuer of the subject's token; empty for a local sign-in.
    pub issuer: String,
    /// The subject's groups at the start.
    pub groups: Vec<String>,
    /// The desktop's name.
    pub desktop: String,
    /// Revision of the policies that permitted the session.
    pub policy: String,
    /// The rule that permitted it.
    pub rule: String,
    /// Time 0 of the media clock: RFC 3339, UTC, six decimals.
    pub started: String,
    /// What happens when recording fails.
    pub mode: Mode,
    /// Version of the gate that wrote the bundle.
    pub gate: String,
    /// `kid` of the key that signs link 1.
    pub key: String,
    /// How long it is kept and how it is locked, where somebody asked.
    #[serde(default, deserialize_with = "canonical::present", skip_serializing_if = "Option::is_none")]
    pub keep: Option<KeepTerms>,
    /// What is read off its pictures once it is sealed, where policy asked for it.
    #[serde(default, deserialize_with = "canonical::present", skip_serializing_if = "Option::is_none")]
    pub text: Option<TextTerms>,
    /// Public keys (`age1…`, X25519) of those to whom events and video are encrypted, at most [`MAX_RECIPIENTS`], none twice; empty, and then
    /// absent from the file, when they are clear.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some")]
    pub recipients: Vec<String>,
}

/// What happens to the session when its recording fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The session ends.
    Strict,
    /// The session goes on and the gap is an event.
    BestEffort,
}

/// `text` of a manifest: what policy asked to be read off the pictures of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextTerms {
    /// The text that was on the screen.
    Read,
}

/// Why a manifest is not one of this version.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// Longer than 64 KiB.
    #[error("session.json takes at most {MAX_MANIFEST_BYTES} bytes")]
    TooLong,
    /// Not canonical JSON, or not the members of a manifest.
    #[error("not a manifest in canonical JSON")]
    Json(#[source] CanonicalError),
    /// `v` is not this version's.
    #[error("manifests have version {VERSION}, not {0}")]
    Version(u32),
    /// `id` has other characters or another length.
    #[error("a session's id is 1 to {MAX_ID_BYTES} of A-Z, a-z, 0-9 and -")]
    Id,
    /// `started` is not of the form `2026-01-31T23:59:59.000000Z`.
    #[error("started is not RFC 3339 in UTC with six decimals")]
    Started,
    /// `key` is no name of a key.
    #[error("key is not 16 hexadecimal digits")]
    Key,
    /// `keep` is longer than it can be.
    #[error("a recording is kept for at most {MAX_KEEP_SECONDS} seconds")]
    Keep,
    /// `recipients` is not a list of different X25519 public keys of age.
    #[error("recipients are 1 to {MAX_RECIPIENTS} different public keys, age1…")]
    Recipients,
}

impl Manifest {
    /// The exact bytes of `session.json`: canonical JSON and a line feed.
    ///
    /// # Errors
    /// When a member is out of its range or the whole too long.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        self.check()?;
        let mut bytes = canonical::to_bytes(self).map_err(ManifestError::Json)?;
        bytes.push(b'\n');
        match u64::try_from(bytes.len()) {
            Ok(length) if length <= MAX_MANIFEST_BYTES => Ok(bytes),
            _ => Err(ManifestError::TooLong),
        }
    }

    /// The manifest whose exact bytes these are.
    ///
    /// # Errors
    /// When they are anything but what [`Manifest::to_bytes`] writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ManifestError> {
        if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_MANIFEST_BYTES) {
            return Err(ManifestError::TooLong);
        }
        let json = bytes.strip_suffix(b"\n").ok_or(ManifestError::Json(CanonicalError::NotCanonical))?;
        let manifest: Self = canonical::from_bytes(json).map_err(ManifestError::Json)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Where the bundle lies in a vault: `sessions/YYYY/MM/DD/<id>`, by the UTC day of `started`; no slash at the end.
    #[must_use]
    pub fn prefix(&self) -> String {
        let day = self.started.get(..10).unwrap_or_default().replace('-', "/");
        format!("sessions/{day}/{}", self.id)
    }

    fn check(&self) -> Result<(), ManifestError> {
        let id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if self.v != VERSION {
            return Err(ManifestError::Version(self.v));
        }
        if self.id.is_empty() || self.id.len() > MAX_ID_BYTES || !self.id.bytes().all(id) {
            return Err(ManifestError::Id);
        }
        if !is_stamp(&self.started) {
            return Err(ManifestError::Started);
        }
        if self.key.len() != 16 || !self.key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(ManifestError::Key);
        }
        if self.keep.is_some_and(|keep| keep.seconds > MAX_KEEP_SECONDS) {
            return Err(ManifestError::Keep);
        }
        let mut names: Vec<&str> = self.recipients.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let all = names.len() == self.recipients.len() && names.len() <= MAX_RECIPIENTS;
        if !all || !names.into_iter().all(is_recipient) {
            return Err(ManifestError::Recipients);
        }
        Ok(())
    }

    /// Whether events and video are encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        !self.recipients.is_empty()
    }
}

/// Whether a text has the form of an X25519 public key of age: 62 characters of Bech32.
fn is_recipient(name: &str) -> bool {
    let bech32 = |byte: u8| b"023456789acdefghjklmnpqrstuvwxyz".contains(&byte);
    name.len() == 62 && name.strip_prefix("age1").is_some_and(|rest| rest.bytes().all(bech32))
}

/// A list that is there has somebody in it.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let listed = Vec::<String>::deserialize(deserializer)?;
    if listed.is_empty() {
        return Err(serde::de::Error::custom("recipients is empty"));
    }
    Ok(listed)
}
