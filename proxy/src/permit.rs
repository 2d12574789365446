//! What is known of a session before its desktop is touched: its name, whose it is, and the verdict that permits it.

use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

use portcullis_policy::{Situation, Subject, Verdict};
use time::OffsetDateTime;

/// A session's name: a version 7 UUID, so that names sort by time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(String);

impl SessionId {
    /// A new, unique name.
    #[must_use]
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known of a session before its desktop is touched.
#[derive(Debug, Clone)]
pub struct Permit {
    /// The session's name.
    pub id: SessionId,
    /// Whose session it is.
    pub subject: Subject,
    /// The template's name.
    pub desktop: String,
    /// The template's title, for people.
    pub title: String,
    /// The verdict on `open`, with rule and policy revision.
    pub verdict: Verdict,
    /// The address that it was opened from, where it is known.
    pub from: Option<IpAddr>,
    /// When it was opened.
    pub started: OffsetDateTime,
    /// The name (`jti`) of the token that opened it, of the subject's issuer; none where a sign-in did.
    pub token: Option<String>,
    /// When it must end, in seconds since the Unix epoch.
    pub until: Option<i64>,
    /// Whether a record that fails ends the session.
    pub strict: bool,
}

impl Permit {
    /// Who uses which desktop and from where, at an instant.
    pub(crate) fn situation(&self, at: SystemTime) -> Situation<'_> {
        Situation { subject: &self.subject, desktop: &self.desktop, at: Some(at), from: self.from }
    }
}
