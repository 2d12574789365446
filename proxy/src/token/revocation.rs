//! What was revoked before its time: tokens, subjects, sessions.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use portcullis_policy::Subject;
use thiserror::Error;

use super::claims::Claims;

/// Revocations that are held at once. When full, a new one is refused loudly: dropping an old one would un-revoke it.
pub const MAX_REVOCATIONS: usize = 65_536;

/// What can be revoked. Names of tokens and subjects are unique for their issuer only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// One token.
    Token {
        /// Its `iss`.
        issuer: String,
        /// Its `jti`.
        jti: String,
    },
    /// Every token of a subject.
    Subject {
        /// Its `iss`.
        issuer: String,
        /// Its `sub`.
        name: String,
    },
    /// Every token for a session.
    Session {
        /// Its id.
        id: String,
    },
}

/// The store is full of revocations that still count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "{MAX_REVOCATIONS} revocations are in force, which is all that this gate holds: rotate the issuer's key instead"
)]
pub struct RevocationsFull;

/// What is revoked, each until a time. Lives in memory; the program keeps the list in a file.
#[derive(Debug, Default)]
pub struct Revocations {
    /// Until when (seconds since the Unix epoch) each is revoked.
    until: RwLock<HashMap<Target, i64>>,
}

impl Revocations {
    /// Revokes `target` until the time `until`, which need not be later than the last token for it expires; a later time that is
    /// already set stays. Times are seconds since the Unix epoch.
    ///
    /// # Errors
    /// [`RevocationsFull`], when [`MAX_REVOCATIONS`] are in force; then nothing has changed.
    pub fn revoke(&self, target: Target, until: i64, now: i64) -> Result<(), RevocationsFull> {
        let mut held = self.until.write().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MAX_REVOCATIONS && !held.contains_key(&target) {
            held.retain(|_, until| *until > now);
            if held.len() >= MAX_REVOCATIONS {
                return Err(RevocationsFull);
            }
        }
        let time = held.entry(target).or_insert(until);
        *time = (*time).max(until);
        Ok(())
    }

    /// Whether `target` is revoked at the time `now`.
    #[must_use]
    pub fn is_revoked(&self, target: &Target, now: i64) -> bool {
        let held = self.until.read().unwrap_or_else(PoisonError::into_inner);
        held.get(target).is_some_and(|until| *until > now)
    }

    /// Whether a session is revoked at the time `now`: itself, its subject, or the token that opened it.
    #[must_use]
    pub fn covers_session(&self, id: &str, subject: &Subject, token: Option<&str>, now: i64) -> bool {
        let issuer = || subject.issuer.clone();
        self.is_revoked(&Target::Session { id: id.to_owned() }, now)
            || self.covers_subject(subject, now)
            || token.is_some_and(|jti| self.is_revoked(&Target::Token { issuer: issuer(), jti: jti.to_owned() }, now))
    }

    /// Whether a subject is revoked at the time `now`, whatever it shows.
    #[must_use]
    pub fn covers_subject(&self, subject: &Subject, now: i64) -> bool {
        self.is_revoked(&Target::Subject { issuer: subject.issuer.clone(), name: subject.name.clone() }, now)
    }

    /// Whether a token with these claims, its subject or its session is revoked at the time `now`.
    #[must_use]
    pub fn covers(&self, claims: &Claims, now: i64) -> bool {
        if self.until.read().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return false;
        }
        let issuer = || claims.iss.clone();
        self.is_revoked(&Target::Token { issuer: issuer(), jti: claims.jti.clone() }, now)
            || self.is_revoked(&Target::Subject { issuer: issuer(), name: claims.sub.clone() }, now)
            || claims.session.clone().is_some_and(|id| self.is_revoked(&Target::Session { id }, now))
    }
}
