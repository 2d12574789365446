//! One policy as a value: whom it applies to, what it allows and denies, what it asks of a session.

use std::sync::Arc;

use super::glob::Glob;
use super::node::{At, Placed};
use crate::{ActionKind, Mode, Rule, Subject};

/// One policy file.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    /// The file that it stands in.
    pub(crate) file: Arc<str>,
    /// Its own name.
    pub(crate) name: Placed<String>,
    pub(crate) applies: Applies,
    /// INVARIANT: at most one entry for each kind of action.
    pub(crate) allow: Vec<Allow>,
    pub(crate) deny: Vec<Deny>,
    pub(crate) recording: Option<Recording>,
}

/// Conditions that must all hold; an absent one (`None`) holds for everybody and everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Applies {
    pub(crate) users: Option<Vec<String>>,
    pub(crate) groups: Option<Vec<String>>,
    pub(crate) desktops: Option<Vec<Glob>>,
    pub(crate) issuers: Option<Vec<String>>,
}

/// One entry of `allow` with its limits.
#[derive(Debug, Clone)]
pub(crate) struct Allow {
    pub(crate) kind: ActionKind,
    pub(crate) at: At,
    pub(crate) max_bytes: Option<Placed<u64>>,
}

/// One entry of `deny`: all its actions are denied.
#[derive(Debug, Clone)]
pub(crate) struct Deny {
    /// INVARIANT: not empty.
    pub(crate) actions: Vec<Placed<ActionKind>>,
}

/// The `recording` part.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) mode: Placed<Mode>,
}

impl Applies {
    /// Whether every condition holds.
    pub(crate) fn matches(&self, subject: &Subject, desktop: &str) -> bool {
        let one_of =
            |wanted: &Option<Vec<String>>, name: &String| wanted.as_ref().is_none_or(|names| names.contains(name));
        one_of(&self.users, &subject.name)
            && one_of(&self.issuers, &subject.issuer)
            && self.groups.as_ref().is_none_or(|groups| groups.iter().any(|group| subject.groups.contains(group)))
            && self.desktops.as_ref().is_none_or(|globs| globs.iter().any(|glob| glob.matches(desktop)))
    }
}

impl Policy {
    /// The most direct entry of `allow` that permits this kind of action.
    pub(crate) fn allows(&self, kind: ActionKind) -> Option<&Allow> {
        kind.allowed_by().iter().find_map(|by| self.allow.iter().find(|allow| allow.kind == *by))
    }

    /// The first entry of `deny` that denies this kind of action: its number from 0 and where the action is named.
    pub(crate) fn denies(&self, kind: ActionKind) -> Option<(usize, At)> {
        self.deny.iter().enumerate().find_map(|(index, deny)| {
            let named = deny.actions.iter().find(|action| kind.denied_with().contains(&action.value))?;
            Some((index, named.at))
        })
    }

    /// The rule at this place of this policy.
    pub(crate) fn rule(&self, at: At, key: String) -> Rule {
        Rule { file: self.file.to_string(), line: at.line, policy: self.name.value.clone(), key }
    }
}
