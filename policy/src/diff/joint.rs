//! Whom a policy that differs concerns together with another one: a limit or a denial that comes or goes matters to those whom another
//! policy allows the same.

use std::collections::BTreeSet;

use super::content::Changed;
use super::regions::Who;
use crate::language::Policy;
use crate::{ActionKind, PolicySet};

/// The kinds of action that a policy which differs denies, or allows with limits, only before or only after.
pub(super) fn kinds(changed: &[Changed<'_>]) -> Vec<ActionKind> {
    let concerned = |kind: &ActionKind| {
        changed.iter().any(|pair| {
            let (before, after) = (pair.before, pair.after);
            denies(before, *kind) != denies(after, *kind)
                || (limits(before, *kind) && !allows(after, *kind))
                || (limits(after, *kind) && !allows(before, *kind))
        })
    };
    ActionKind::ALL.into_iter().filter(concerned).collect()
}

/// Those whom a policy that differs names, each with those whom any policy allows one of these kinds; without those named alone.
pub(super) fn whom(
    kinds: &[ActionKind],
    named: &BTreeSet<Who>,
    before: &PolicySet,
    after: &PolicySet,
) -> BTreeSet<Who> {
    let policies = before.policies().iter().chain(after.policies());
    let allowing = policies.filter(|policy| kinds.iter().any(|kind| policy.allows(*kind).is_some()));
    let rivals: BTreeSet<Who> = allowing.flat_map(|policy| Who::of(&policy.applies)).collect();
    let joint = named.iter().flat_map(|who| rivals.iter().filter_map(|rival| who.and(rival)));
    joint.filter(|who| !named.contains(who)).collect()
}

fn denies(policy: Option<&Policy>, kind: ActionKind) -> bool {
    policy.is_some_and(|policy| policy.denies_plainly(kind))
}

fn allows(policy: Option<&Policy>, kind: ActionKind) -> bool {
    policy.is_some_and(|policy| policy.allows(kind).is_some())
}

fn limits(policy: Option<&Policy>, kind: ActionKind) -> bool {
    policy.and_then(|policy| policy.allows(kind)).is_some_and(|allow| !allow.limits.listed().is_empty())
}
