//! One policy as a value: whom it applies to, what it allows and denies, what it asks of a session.

use std::sync::Arc;

use super::node::{At, Placed};
use crate::values::{Glob, Hours, Network};
use crate::{ActionKind, Contents, Detector, Limits, Obligations, Rule, Situation, Then};

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
    pub(crate) asks: Obligations,
}

/// Conditions that must all hold; an absent one (`None`) holds for everybody and everything.
#[derive(Debug, Clone)]
pub(crate) struct Applies {
    /// Where the key `applies` stands.
    pub(crate) at: At,
    pub(crate) users: Option<Vec<String>>,
    pub(crate) groups: Option<Vec<String>>,
    pub(crate) issuers: Option<Vec<String>>,
    pub(crate) desktops: Option<Vec<Glob>>,
    pub(crate) networks: Option<Vec<Network>>,
    pub(crate) hours: Option<Vec<Hours>>,
}

/// One entry of `allow` with its limits.
#[derive(Debug, Clone)]
pub(crate) struct Allow {
    pub(crate) kind: ActionKind,
    pub(crate) at: At,
    pub(crate) limits: Limits,
}

/// One entry of `deny`: all its actions are denied, if the contents hold one of its detectors where it names any.
#[derive(Debug, Clone)]
pub(crate) struct Deny {
    /// INVARIANT: not empty.
    pub(crate) actions: Vec<Placed<ActionKind>>,
    pub(crate) containing: Option<Containing>,
}

/// The detectors of an entry of `deny`.
#[derive(Debug, Clone)]
pub(crate) struct Containing {
    pub(crate) at: At,
    /// INVARIANT: not empty.
    pub(crate) detectors: Vec<Detector>,
    /// What is done where one finds something.
    pub(crate) then: Then,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    No,
    /// What it asks for is not known.
    Unknown,
    Yes,
}

impl Fit {
    fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl Applies {
    /// Each condition that is there, by its key, and whether it holds.
    pub(crate) fn fits(&self, situation: &Situation<'_>) -> Vec<(&'static str, Fit)> {
        let subject = situation.subject;
        let named = |names: &Option<Vec<String>>, name: &String| Some(Fit::of(names.as_ref()?.contains(name)));
        let groups = || Some(Fit::of(self.groups.as_ref()?.iter().any(|group| subject.groups.contains(group))));
        let desktops = || Some(Fit::of(self.desktops.as_ref()?.iter().any(|glob| glob.matches(situation.desktop))));
        let networks = || {
            let networks = self.networks.as_ref()?;
            let within = |from| Fit::of(networks.iter().any(|network| network.contains(from)));
            Some(situation.from.map_or(Fit::Unknown, within))
        };
        let hours = || {
            let hours = self.hours.as_ref()?;
            let open = |at| Fit::of(hours.iter().any(|hours| hours.are_open(at)));
            Some(situation.at.map_or(Fit::Unknown, open))
        };
        let all = [
            ("users", named(&self.users, &subject.name)),
            ("groups", groups()),
            ("issuers", named(&self.issuers, &subject.issuer)),
            ("desktops", desktops()),
            ("networks", networks()),
            ("hours", hours()),
        ];
        all.into_iter().filter_map(|(key, fit)| Some((key, fit?))).collect()
    }

    /// Whether all conditions hold: no if one does not, unknown if one is.
    pub(crate) fn fit(&self, situation: &Situation<'_>) -> Fit {
        self.fits(situation).into_iter().map(|(_, fit)| fit).min().unwrap_or(Fit::Yes)
    }
}

impl Deny {
    /// Whether it denies whatever the contents are.
    pub(crate) fn is_plain(&self) -> bool {
        self.containing.is_none()
    }

    /// What it does with these contents: nothing if none of its detectors found anything in them.
    fn then(&self, contents: Contents<'_>) -> Option<Then> {
        let Some(Containing { detectors, then, .. }) = &self.containing else { return Some(Then::Deny) };
        detectors.iter().any(|wanted| contents.found.contains(&wanted)).then_some(*then)
    }

    /// The action of this entry that denies this kind.
    fn action(&self, kind: ActionKind) -> Option<&Placed<ActionKind>> {
        self.actions.iter().find(|action| kind.denied_with().contains(&action.value))
    }
}

impl Policy {
    /// The most direct entry of `allow` that permits this kind of action.
    pub(crate) fn allows(&self, kind: ActionKind) -> Option<&Allow> {
        kind.allowed_by().iter().find_map(|by| self.allow.iter().find(|allow| allow.kind == *by))
    }

    /// The rule of the first entry of `deny` that denies this kind of action with these contents.
    pub(crate) fn denies(&self, kind: ActionKind, contents: Contents<'_>) -> Option<Rule> {
        self.does(Then::Deny, kind, contents)
    }

    /// The rule of the first entry of `deny` that does this with this kind of action and these contents.
    pub(crate) fn does(&self, then: Then, kind: ActionKind, contents: Contents<'_>) -> Option<Rule> {
        let those = self.deny.iter().enumerate().filter(|(_, deny)| deny.then(contents) == Some(then));
        those.into_iter().find_map(|(index, deny)| {
            let action = deny.action(kind)?;
            Some(match &deny.containing {
                Some(containing) => self.rule(containing.at, format!("deny[{index}].containing")),
                None => self.rule(action.at, format!("deny[{index}].actions")),
            })
        })
    }

    /// The entries of `deny` that deny this kind of action only with certain contents: each with its number.
    pub(crate) fn searches(&self, kind: ActionKind) -> impl Iterator<Item = (usize, &Containing)> {
        let denies = self.deny.iter().enumerate().filter(move |(_, deny)| deny.action(kind).is_some());
        denies.filter_map(|(index, deny)| Some((index, deny.containing.as_ref()?)))
    }

    /// All entries of `deny` that look at contents: each with its number.
    pub(crate) fn contents(&self) -> impl Iterator<Item = (usize, &Containing)> {
        self.deny.iter().enumerate().filter_map(|(index, deny)| Some((index, deny.containing.as_ref()?)))
    }

    /// Whether some entry of `deny` denies this kind of action whatever the contents are.
    pub(crate) fn denies_plainly(&self, kind: ActionKind) -> bool {
        self.deny.iter().any(|deny| deny.is_plain() && deny.action(kind).is_some())
    }

    /// Every entry of `allow` and `deny`.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let mut rules: Vec<Rule> = self.allow.iter().map(|allow| self.allow_rule(allow)).collect();
        for (index, deny) in self.deny.iter().enumerate() {
            match &deny.containing {
                Some(containing) => rules.push(self.rule(containing.at, format!("deny[{index}].containing"))),
                None => {
                    let each = |at: &At| self.rule(*at, format!("deny[{index}].actions"));
                    rules.extend(deny.actions.iter().map(|action| each(&action.at)));
                }
            }
        }
        // Actions that are denied in one line are one rule.
        rules.dedup();
        rules
    }

    /// The rule at this place of this policy.
    pub(crate) fn rule(&self, at: At, key: String) -> Rule {
        Rule { file: self.file.to_string(), line: at.line, policy: self.name.value.clone(), key }
    }

    /// The rule of an entry of `allow`.
    pub(crate) fn allow_rule(&self, allow: &Allow) -> Rule {
        self.rule(allow.at, format!("allow.{}", allow.kind))
    }
}
