//! Why a session was not opened, or not found.

use std::fmt;

use portcullis_policy::{Revision, Rule, Verdict};

/// Why a session was not opened, or not found.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// Policy says no; the verdict names the rule.
    Denied(Box<Verdict>),
    /// The token names another desktop or session.
    NotCovered {
        /// What the token does not cover.
        what: String,
    },
    /// There is no such desktop, or no such session that this caller may know of.
    Unknown {
        /// What was asked for.
        what: String,
    },
    /// Too many sessions are live.
    Busy {
        /// Which limit was reached.
        reason: String,
    },
    /// The subject has as many sessions as policy lets it have.
    Limited {
        /// Words for a person.
        reason: String,
        /// The rule.
        rule: Box<Rule>,
        /// The revision of the files that it stands in.
        revision: Revision,
    },
    /// The desktop takes one session at a time, and has one.
    Taken {
        /// The desktop's name.
        desktop: String,
        /// Whose session that is, as words.
        whose: &'static str,
    },
    /// The recording or the desktop could not be started.
    Failed {
        /// What failed.
        reason: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(verdict) => write!(f, "{} (rule {})", verdict.reason, verdict.rule),
            Self::Limited { reason, rule, .. } => write!(f, "{reason} (rule {rule})"),
            Self::NotCovered { what } => write!(f, "the token does not cover {what}"),
            Self::Unknown { what } => write!(f, "there is no {what}"),
            Self::Taken { desktop, whose } => {
                write!(f, "the desktop {desktop:?} takes one session at a time, and {whose} is on it")
            }
            Self::Busy { reason } | Self::Failed { reason } => f.write_str(reason),
        }
    }
}
