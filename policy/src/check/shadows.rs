//! Rules that never count because of other policies that apply wherever theirs does.

use super::{Doubt, Findings, denied_by, permitted_by, place};
use crate::language::{Allow, Policy};
use crate::{ActionKind, Limits, Rule};

/// A policy that applies wherever another one does.
struct Covering<'a> {
    policy: &'a Policy,
    /// Whether it applies to the same and stands behind in the order of files: what both say alike is then said by the other.
    later_twin: bool,
}

pub(super) fn check(policies: &[Policy], number: usize, policy: &Policy, findings: &mut Findings) {
    let others = policies.iter().enumerate().filter(|(other, _)| *other != number);
    let covering: Vec<Covering<'_>> = others
        .filter(|(_, covering)| covering.applies.covers(&policy.applies))
        .map(|(other, covering)| Covering {
            policy: covering,
            later_twin: other > number && policy.applies.covers(&covering.applies),
        })
        .collect();
    for allow in &policy.allow {
        if let Some(rule) = denied(&covering, allow) {
            let reason = format!("{} denies {} to everybody whom this applies to", place(&rule), allow.kind);
            findings.add(Doubt::Unreachable, policy.allow_rule(allow), reason);
        } else if let Some(rule) = allowed(&covering, allow) {
            let reason = format!("{} allows {} wherever this does, within the same limits", place(&rule), allow.kind);
            findings.add(Doubt::Shadowed, policy.allow_rule(allow), reason);
        }
    }
    denials(&covering, policy, findings);
    asks(&covering, policy, findings);
}

fn denies(policy: &Policy, kind: ActionKind) -> Option<Rule> {
    policy.denies_plainly(kind).then(|| policy.denies(kind, crate::Contents::default())).flatten()
}

/// A rule that denies all that this entry permits.
fn denied(covering: &[Covering<'_>], allow: &Allow) -> Option<Rule> {
    let rules = permitted_by(allow).map(|kind| covering.iter().find_map(|other| denies(other.policy, kind)));
    rules.collect::<Option<Vec<Rule>>>()?.into_iter().next()
}

/// A rule that allows all that this entry permits, with limits that these add nothing to.
fn allowed(covering: &[Covering<'_>], allow: &Allow) -> Option<Rule> {
    let shadow = |other: &Covering<'_>| {
        let twin = other.policy.allows(allow.kind).filter(|twin| twin.kind == allow.kind)?;
        let mut both = twin.limits.clone();
        both.add(&allow.limits);
        let alike = other.later_twin && values(&twin.limits) == values(&allow.limits);
        (!alike && adds_nothing(&both, &allow.limits)).then(|| other.policy.allow_rule(twin))
    };
    covering.iter().find_map(shadow)
}

fn values(limits: &Limits) -> Vec<(&'static str, String)> {
    limits.listed().into_iter().map(|limit| (limit.key, limit.value)).collect()
}

fn adds_nothing(both: &Limits, added: &Limits) -> bool {
    let both = both.listed();
    added.listed().iter().all(|limit| !both.contains(limit))
}

/// Entries of `deny` of which another policy denies as much.
fn denials(covering: &[Covering<'_>], policy: &Policy, findings: &mut Findings) {
    for (index, deny) in policy.deny.iter().enumerate() {
        for action in &deny.actions {
            let mut kinds = denied_by(action.value).filter(|kind| deny.is_plain() || kind.has_contents());
            let firm = || covering.iter().filter(|other| !other.later_twin);
            let other = |kind: ActionKind| firm().find_map(|other| denies(other.policy, kind));
            let Some(rules) = kinds.try_fold(Vec::new(), |mut rules, kind| {
                rules.push(other(kind)?);
                Some(rules)
            }) else {
                continue;
            };
            if let Some(rule) = rules.first() {
                let reason = format!("{} denies {} wherever this does", place(rule), action.value);
                findings.add(Doubt::Shadowed, policy.rule(action.at, format!("deny[{index}].actions")), reason);
            }
        }
    }
}

/// Obligations of which another policy asks as much.
fn asks(covering: &[Covering<'_>], policy: &Policy, findings: &mut Findings) {
    for asked in policy.asks.listed() {
        let shadow = covering.iter().find_map(|other| {
            let mut both = other.policy.asks.clone();
            both.add(&policy.asks);
            let both = both.listed();
            // The size of the screen is stated by two numbers, which one rule may ask.
            let stays = both.iter().any(|owed| owed.key == asked.key && owed.rule == asked.rule);
            let counts = both.iter().find(|owed| owed.key == asked.key).filter(|_| !stays)?;
            if other.later_twin && counts.value == asked.value {
                return None;
            }
            Some(format!("{} asks {} wherever this applies", place(&counts.rule), counts.value))
        });
        if let Some(reason) = shadow {
            findings.add(Doubt::Shadowed, asked.rule.clone(), reason);
        }
    }
}
