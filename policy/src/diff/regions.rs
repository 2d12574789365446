//! Where policies that differ apply: representatives of everybody and everything that any policy tells apart.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use super::content::Changed;
use crate::language::{Applies, Fit, Policy};
use crate::values::{Glob, Hours, Network};
use crate::{PolicySet, Situation, Subject};

/// What names that no policy mentions are made of: no name in a policy has a control character.
const OTHER: &str = "\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}";
/// Monday, 2026-03-02, 00:00 UTC: hours are compared in the week that begins here.
const WEEK: Duration = Duration::from_secs(1_772_409_600);

/// Somebody, by what policies tell people apart by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Who {
    user: Option<String>,
    groups: BTreeSet<String>,
    issuer: Option<String>,
}

/// A value that stands for all that policies do not tell apart from it, and what it is called.
#[derive(Debug, Clone)]
pub(super) struct Class<T> {
    pub(super) value: T,
    pub(super) called: String,
}

/// All classes of desktops, addresses and times.
pub(super) struct Classes {
    pub(super) desktops: Vec<Class<String>>,
    pub(super) addresses: Vec<Class<IpAddr>>,
    pub(super) times: Vec<Class<SystemTime>>,
    /// Whether any policy tells addresses, or times, apart.
    pub(super) told_apart: (bool, bool),
}

impl Who {
    /// Everybody that a policy which differs names.
    pub(super) fn named(changed: &[Changed<'_>]) -> BTreeSet<Self> {
        let versions = changed.iter().flat_map(|pair| [pair.before, pair.after]).flatten();
        versions.flat_map(|policy| Self::of(&policy.applies)).collect()
    }

    /// Everybody that a policy names.
    pub(super) fn of(applies: &Applies) -> Vec<Self> {
        let mut named = Vec::new();
        for user in each(&applies.users) {
            for group in each(&applies.groups) {
                for issuer in each(&applies.issuers) {
                    let groups = group.clone().into_iter().collect();
                    named.push(Self { user: user.clone(), groups, issuer: issuer.clone() });
                }
            }
        }
        named
    }

    /// Whether everybody who is the other is this one too.
    pub(super) fn is_part_of(&self, other: &Self) -> bool {
        (self.user.is_none() || self.user == other.user)
            && self.groups.is_subset(&other.groups)
            && (self.issuer.is_none() || self.issuer == other.issuer)
    }

    /// Somebody who is both; nothing if nobody is.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        let either = |mine: &Option<String>, theirs: &Option<String>| match (mine, theirs) {
            (Some(mine), Some(theirs)) if mine != theirs => None,
            (mine, theirs) => Some(mine.clone().or_else(|| theirs.clone())),
        };
        Some(Self {
            user: either(&self.user, &other.user)?,
            groups: self.groups.union(&other.groups).cloned().collect(),
            issuer: either(&self.issuer, &other.issuer)?,
        })
    }

    pub(super) fn subject(&self) -> Subject {
        let or_other = |name: &Option<String>| name.clone().unwrap_or_else(|| OTHER.to_owned());
        Subject {
            name: or_other(&self.user),
            groups: self.groups.iter().cloned().collect(),
            issuer: or_other(&self.issuer),
        }
    }

    pub(super) fn called(&self) -> String {
        let user = self.user.iter().map(|name| format!("user {name}"));
        let groups = self.groups.iter().map(|name| format!("group {name}"));
        let issuer = self.issuer.iter().map(|name| format!("issuer {name}"));
        let named: Vec<String> = user.chain(groups).chain(issuer).collect();
        if named.is_empty() { "everybody".to_owned() } else { named.join(", ") }
    }
}

/// Each value, or none where there is no condition.
fn each(values: &Option<Vec<String>>) -> Vec<Option<String>> {
    match values {
        Some(values) => values.iter().cloned().map(Some).collect(),
        None => vec![None],
    }
}

/// Whether one of the versions of the policies that differ applies here, as far as is known.
pub(super) fn concerns(changed: &[Changed<'_>], situation: &Situation<'_>) -> bool {
    let mut versions = changed.iter().flat_map(|pair| [pair.before, pair.after]).flatten();
    versions.any(|policy| policy.applies.fit(situation) != Fit::No)
}

impl Classes {
    /// What the policies of both sets tell apart, as far as the policies that differ may apply there.
    pub(super) fn of(before: &PolicySet, after: &PolicySet, changed: &[Changed<'_>]) -> Self {
        let policies: Vec<&Policy> = before.policies().iter().chain(after.policies()).collect();
        let globs = distinct(&policies, |applies| &applies.desktops);
        let mut desktops: Vec<Class<String>> =
            globs.iter().map(|glob| Class { value: glob.sample(OTHER), called: glob.to_string() }).collect();
        if !globs.iter().any(|glob| *glob == Glob::new("*")) {
            desktops.push(Class { value: OTHER.to_owned(), called: "*".to_owned() });
        }
        let mut addresses = addresses(&distinct(&policies, |applies| &applies.networks));
        let mut times = times(&distinct(&policies, |applies| &applies.hours));
        let versions =
            || changed.iter().flat_map(|pair| [pair.before, pair.after]).flatten().map(|policy| &policy.applies);
        let among = |applies: &Applies, from: IpAddr| {
            applies.networks.as_ref().is_none_or(|networks| networks.iter().any(|network| network.contains(from)))
        };
        let open = |applies: &Applies, at: SystemTime| {
            applies.hours.as_ref().is_none_or(|hours| hours.iter().any(|hours| hours.are_open(at)))
        };
        let told_apart = (addresses.len() > 1, times.len() > 1);
        addresses.retain(|class| versions().any(|applies| among(applies, class.value)));
        times.retain(|class| versions().any(|applies| open(applies, class.value)));
        Self { desktops, addresses, times, told_apart }
    }
}

fn distinct<T: Clone + PartialEq>(policies: &[&Policy], values: impl Fn(&Applies) -> &Option<Vec<T>>) -> Vec<T> {
    let mut distinct: Vec<T> = Vec::new();
    for value in policies.iter().flat_map(|policy| values(&policy.applies).iter().flatten()) {
        if !distinct.contains(value) {
            distinct.push(value.clone());
        }
    }
    distinct
}

/// One address for each set of networks that can hold one: it changes only where a network begins, and behind where one ends.
fn addresses(networks: &[Network]) -> Vec<Class<IpAddr>> {
    let edges = networks.iter().flat_map(|network| [Some(network.first()), network.behind()]).flatten();
    let everywhere = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)];
    classes(
        everywhere.into_iter().chain(edges),
        networks,
        |network, address| network.contains(*address),
        ["from", "from elsewhere"],
    )
}

/// One instant for each set of hours that are open at once in a week.
fn times(hours: &[Hours]) -> Vec<Class<SystemTime>> {
    let monday = SystemTime::UNIX_EPOCH + WEEK;
    let week = Duration::from_secs(7 * 86_400);
    let edges = hours.iter().flat_map(|hours| hours.edges(monday)).filter(|edge| *edge < monday + week);
    classes(std::iter::once(monday).chain(edges), hours, |hours, at| hours.are_open(*at), ["during", "at other times"])
}

/// Of values that the same tests hold for, the first; called by the tests that hold.
fn classes<T, C: std::fmt::Display>(
    values: impl Iterator<Item = T>,
    tests: &[C],
    holds: impl Fn(&C, &T) -> bool,
    [word, none]: [&str; 2],
) -> Vec<Class<T>> {
    let mut seen: BTreeSet<Vec<bool>> = BTreeSet::new();
    let mut classes = Vec::new();
    for value in values {
        let held: Vec<bool> = tests.iter().map(|test| holds(test, &value)).collect();
        let names: Vec<String> =
            tests.iter().zip(&held).filter(|(_, held)| **held).map(|(test, _)| test.to_string()).collect();
        if seen.insert(held) {
            let called = if names.is_empty() { none.to_owned() } else { format!("{word} {}", names.join(" and ")) };
            classes.push(Class { value, called });
        }
    }
    classes
}
