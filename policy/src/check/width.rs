//! Rules that reach further than policies usually mean to.

use super::{Doubt, Findings};
use crate::ActionKind;
use crate::language::{Allow, Policy};

pub(super) fn check(policies: &[Policy], policy: &Policy, findings: &mut Findings) {
    let applies = &policy.applies;
    let condition = |key: &str| policy.rule(applies.at, format!("applies.{key}"));
    if applies.users.is_some() && applies.issuers.is_none() {
        let reason = "names are unique for their issuer only; name the issuers that vouch for these";
        findings.add(Doubt::TooWide, condition("users"), reason);
    }
    for network in applies.networks.iter().flatten().filter(|network| network.is_everything()) {
        findings.add(
            Doubt::TooWide,
            condition("networks"),
            format!("{network} holds every address of its kind; take it out"),
        );
    }
    for hours in applies.hours.iter().flatten().filter(|hours| hours.is_always()) {
        findings.add(Doubt::TooWide, condition("hours"), format!("`{hours}` never ends; take it out"));
    }
    let anybody = applies.users.is_none() && applies.groups.is_none() && applies.issuers.is_none();
    for allow in &policy.allow {
        if anybody {
            let reason = format!(
                "{} is allowed to everybody whom any issuer vouches for; name users, groups or issuers",
                allow.kind
            );
            findings.add(Doubt::TooWide, policy.allow_rule(allow), reason);
        }
        if allow.kind.has_contents() && !limited(policies, policy, allow.kind) {
            let reason = format!("{} has no limit here; give it `max_bytes`", allow.kind);
            findings.add(Doubt::TooWide, policy.allow_rule(allow), reason);
        }
        unlimited_types(allow, findings);
    }
}

/// Whether this policy, or one that applies wherever it does, limits what may cross at once.
fn limited(policies: &[Policy], policy: &Policy, kind: ActionKind) -> bool {
    let limits = |policy: &Policy| policy.allows(kind).is_some_and(|allow| allow.limits.max_bytes.is_some());
    limits(policy) || policies.iter().any(|other| limits(other) && other.applies.covers(&policy.applies))
}

fn unlimited_types(allow: &Allow, findings: &mut Findings) {
    let lists = allow.limits.types.iter();
    for list in lists.filter(|list| list.value.iter().any(|pattern| pattern.is_everything())) {
        findings.add(Doubt::TooWide, list.rule.clone(), "*/* is every type; take `types` out, or name some");
    }
}
