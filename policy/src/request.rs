//! What is asked: a subject on a desktop, from somewhere at some time, and an action.

use std::net::IpAddr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::{Action, Detector};

/// The person or program that a verified token or sign-in names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// The name, unique for its issuer only (JWT claim `sub`).
    pub name: String,
    /// The groups that the issuer vouches for.
    pub groups: Vec<String>,
    /// Who vouches for the name and the groups (JWT claim `iss`).
    pub issuer: String,
}

/// Who is on which desktop, from where and when: what decides which policies apply.
///
/// What is not known permits nothing and excuses nothing: a policy that names networks allows nothing to an unknown address, but what it
/// denies and asks holds for it. The same goes for hours and an unknown instant.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Who asks.
    pub subject: &'a Subject,
    /// The desktop's name in the configuration.
    pub desktop: &'a str,
    /// When; this package reads no clock.
    pub at: Option<SystemTime>,
    /// The address that the subject's connection comes from.
    pub from: Option<IpAddr>,
}

impl<'a> Situation<'a> {
    /// A subject on a desktop; when and from where is not known.
    pub fn new(subject: &'a Subject, desktop: &'a str) -> Self {
        Self { subject, desktop, at: None, from: None }
    }

    /// The same at this instant.
    #[must_use]
    pub fn at(self, at: SystemTime) -> Self {
        Self { at: Some(at), ..self }
    }

    /// The same from this address.
    #[must_use]
    pub fn from(self, from: IpAddr) -> Self {
        Self { from: Some(from), ..self }
    }

    /// The question whether this may be done.
    pub fn wants(self, action: Action) -> Request<'a> {
        Request { situation: self, action, contents: Contents::default() }
    }
}

/// What is known of the contents that would cross.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contents<'a> {
    /// The media type of a file, as its bytes say; `None` asks before it is known, and is not held against `types`.
    pub media_type: Option<&'a str>,
    /// The extension of a file's name, empty where it has none; `None` asks before it is known, and is not held against `extensions`.
    pub extension: Option<&'a str>,
    /// Whether the file is an archive of files.
    pub archive: bool,
    /// What was found of that which [`crate::PolicySet::detectors`] names.
    pub found: &'a [&'a Detector],
}

/// One question to a [`crate::PolicySet`].
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks, where and when.
    pub situation: Situation<'a>,
    /// What they want to do.
    pub action: Action,
    /// What is known of the contents that would cross.
    pub contents: Contents<'a>,
}

impl<'a> Request<'a> {
    /// The same with contents that are known.
    #[must_use]
    pub fn with(self, contents: Contents<'a>) -> Self {
        Self { contents, ..self }
    }
}
