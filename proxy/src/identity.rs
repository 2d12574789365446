//! Who is asking: a bearer token of the control plane, or a person who signed in at the portal.

use async_trait::async_trait;
use axum::http::HeaderMap;
use portcullis_policy::Subject;

use crate::token::Claims;

/// Recognises a person by the portal's sign-in cookie; the portal implements it, the program hands it in.
#[async_trait]
pub trait Identify: Send + Sync {
    /// The subject whose cookie these headers carry, if it is still valid.
    async fn identify(&self, headers: &HeaderMap) -> Option<Subject>;
}

/// A caller whose identity has been verified.
#[derive(Debug, Clone)]
pub enum Caller {
    /// A token signed by a trusted issuer; it names the desktop that may be opened with it.
    Bearer(Box<Claims>, Subject),
    /// A person with the portal's sign-in cookie, whose request came from an allowed Origin.
    Person(Subject),
}

impl Caller {
    /// The subject that policy judges and that every event names.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        match self {
            Self::Bearer(_, subject) | Self::Person(subject) => subject,
        }
    }

    /// Whether this caller's credential covers the desktop: a token names one, a cookie leaves it to policy.
    #[must_use]
    pub fn covers(&self, desktop: &str) -> bool {
        match self {
            Self::Bearer(claims, _) => claims.desktop.as_deref() == Some(desktop),
            Self::Person(_) => true,
        }
    }

    /// The session that the token is tied to, if it names one.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        match self {
            Self::Bearer(claims, _) => claims.session.as_deref(),
            Self::Person(_) => None,
        }
    }

    /// The name (`jti`) of the token, if that is what was shown.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        match self {
            Self::Bearer(claims, _) => Some(&claims.jti),
            Self::Person(_) => None,
        }
    }

    /// When the session must end, in seconds since the Unix epoch, if the token says so.
    #[must_use]
    pub fn until(&self) -> Option<i64> {
        match self {
            Self::Bearer(claims, _) => claims.until,
            Self::Person(_) => None,
        }
    }
}

/// Whether two subjects are one: a name is unique for its issuer only.
pub(crate) fn same(one: &Subject, other: &Subject) -> bool {
    one.name == other.name && one.issuer == other.issuer
}
