//! Which policies differ: compared by their names and by what they say, not by where it stands or in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::PolicyChange;
use crate::language::Policy;
use crate::{Detector, PolicySet};

/// A policy that differs, before and after.
pub(super) struct Changed<'a> {
    pub(super) before: Option<&'a Policy>,
    pub(super) after: Option<&'a Policy>,
}

/// All policies that differ, by their names.
pub(super) fn changed<'a>(before: &'a PolicySet, after: &'a PolicySet) -> Vec<Changed<'a>> {
    let mut pairs: BTreeMap<&str, Changed<'a>> = BTreeMap::new();
    for policy in before.policies() {
        pairs.insert(&policy.name.value, Changed { before: Some(policy), after: None });
    }
    for policy in after.policies() {
        pairs.entry(&policy.name.value).or_insert(Changed { before: None, after: None }).after = Some(policy);
    }
    let said = |policy: Option<&Policy>| policy.map(content);
    let listed = |set: &'a PolicySet, policy: Option<&Policy>| policy.map(|policy| words(set, policy));
    let differs = |pair: &Changed<'_>| {
        said(pair.before) != said(pair.after) || listed(before, pair.before) != listed(after, pair.after)
    };
    pairs.into_values().filter(differs).collect()
}

/// The same for people.
pub(super) fn described(changed: Vec<Changed<'_>>) -> Vec<PolicyChange> {
    let place = |policy: Option<&Policy>| policy.map(|policy| policy.rule(policy.name.at, "policy".into()));
    let said = |policy: Option<&Policy>| policy.map(content).unwrap_or_default();
    let describe = |pair: Changed<'_>| {
        let (before, after) = (said(pair.before), said(pair.after));
        let name = pair.after.or(pair.before).map(|policy| policy.name.value.clone());
        PolicyChange {
            policy: name.unwrap_or_default(),
            before: place(pair.before),
            after: place(pair.after),
            removed: before.difference(&after).cloned().collect(),
            added: after.difference(&before).cloned().collect(),
        }
    };
    changed.into_iter().map(describe).collect()
}

/// All that a policy says, each with its key.
fn content(policy: &Policy) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    let applies = &policy.applies;
    condition(&mut said, "users", &applies.users);
    condition(&mut said, "groups", &applies.groups);
    condition(&mut said, "issuers", &applies.issuers);
    condition(&mut said, "desktops", &applies.desktops);
    condition(&mut said, "networks", &applies.networks);
    condition(&mut said, "hours", &applies.hours);
    for allow in &policy.allow {
        said.insert(format!("allow.{}", allow.kind));
        said.extend(
            allow
                .limits
                .listed()
                .into_iter()
                .map(|limit| format!("allow.{}.{}: {}", allow.kind, limit.key, limit.value)),
        );
    }
    for deny in &policy.deny {
        for action in &deny.actions {
            match &deny.containing {
                None => drop(said.insert(format!("deny {}", action.value))),
                Some(containing) => {
                    let each = |detector| format!("{} {} containing {detector}", containing.then, action.value);
                    said.extend(containing.detectors.iter().map(each));
                }
            }
        }
    }
    said.extend(policy.asks.listed().into_iter().map(|asked| format!("{}: {}", asked.key, asked.value)));
    said
}

/// What the lists of words hold that a policy names.
fn words<'a>(set: &'a PolicySet, policy: &Policy) -> Vec<Option<&'a str>> {
    let detectors = policy.contents().flat_map(|(_, containing)| &containing.detectors);
    let lists = detectors.filter_map(|detector| match detector {
        Detector::Words(list) => Some(set.words(list)),
        _ => None,
    });
    lists.collect()
}

fn condition<T: Display>(said: &mut BTreeSet<String>, key: &str, values: &Option<Vec<T>>) {
    let values = values.iter().flatten().map(|value| format!("applies.{key}: {value}"));
    said.extend(values);
}
