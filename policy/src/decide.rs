//! The decision: permit if some applying policy allows it and none denies it, within the strictest limit; else deny.

use std::fmt::Write;

use crate::language::{Allow, Policy, show_bytes};
use crate::shown::Shown;
use crate::{ActionKind, Effect, PolicySet, Request, Rule, Verdict};

impl PolicySet {
    /// Answers one request; a pure function of the set and the request.
    ///
    /// 1. A `deny` of an applying policy that names the action, or one that it needs ([`ActionKind::denied_with`]), denies.
    /// 2. An `allow` of an applying policy for the action, or one that implies it ([`ActionKind::allowed_by`]), permits.
    /// 3. Limits of all applying policies that allow it hold together: the smallest counts, and going over it denies.
    /// 4. What no policy allows is denied by the rule `default deny`.
    pub fn decide(&self, request: &Request<'_>) -> Verdict {
        let kind = request.action.kind();
        let mut allowed: Option<Grant<'_>> = None;
        let mut limited: Option<Grant<'_>> = None;
        let mut applied = 0_usize;
        for policy in self.applying(request.subject, request.desktop) {
            applied = applied.saturating_add(1);
            if let Some((index, line)) = policy.denies(kind) {
                let rule = policy.rule(line, format!("deny[{index}].actions"));
                let reason = denied(request, &rule);
                return self.verdict(Effect::Deny, rule, reason);
            }
            let Some(allow) = policy.allows(kind) else {
                continue;
            };
            let grant = Grant { policy, allow };
            // Of equal grants the first in the order of files is named.
            allowed.get_or_insert(grant);
            if grant.limit() < limited.map_or(u64::MAX, |tightest| tightest.limit()) {
                limited = Some(grant);
            }
        }
        let Some(grant) = limited.or(allowed) else {
            return self.verdict(Effect::Deny, Rule::default_deny(), unallowed(request, applied));
        };
        let bytes = request.action.bytes().unwrap_or(0);
        if bytes > grant.limit() {
            let rule = grant.limit_rule();
            let reason = over(kind, bytes, grant.limit(), &rule);
            return self.verdict(Effect::Deny, rule, reason);
        }
        let rule = grant.rule();
        let reason = format!("{} allows {}", place(&rule), request.action.kind());
        self.verdict(Effect::Permit, rule, reason)
    }

    fn verdict(&self, effect: Effect, rule: Rule, reason: String) -> Verdict {
        Verdict { effect, rule, revision: self.revision().clone(), reason }
    }
}

/// An entry of `allow` with the policy that it stands in.
#[derive(Clone, Copy)]
struct Grant<'a> {
    policy: &'a Policy,
    allow: &'a Allow,
}

impl Grant<'_> {
    fn limit(&self) -> u64 {
        self.allow.max_bytes.as_ref().map_or(u64::MAX, |limit| limit.value)
    }

    fn rule(&self) -> Rule {
        self.policy.rule(self.allow.at, format!("allow.{}", self.allow.kind))
    }

    fn limit_rule(&self) -> Rule {
        let at = self.allow.max_bytes.as_ref().map_or(self.allow.at, |limit| limit.at);
        self.policy.rule(at, format!("allow.{}.max_bytes", self.allow.kind))
    }
}

fn place(rule: &Rule) -> String {
    format!("{}:{}", rule.file, rule.line)
}

fn denied(request: &Request<'_>, rule: &Rule) -> String {
    let kind = request.action.kind();
    format!("{} denies {kind} on {}", place(rule), Shown(request.desktop))
}

fn unallowed(request: &Request<'_>, applied: usize) -> String {
    let (who, desktop) = (Shown(&request.subject.name), Shown(request.desktop));
    let kind = request.action.kind();
    match applied {
        0 => format!("no policy applies to {who} on {desktop}"),
        1 => format!("the policy that applies to {who} on {desktop} does not allow {kind}"),
        _ => {
            format!("none of the {applied} policies that apply to {who} on {desktop} allows {kind}")
        }
    }
}

fn over(kind: ActionKind, bytes: u64, limit: u64, rule: &Rule) -> String {
    let mut reason =
        format!("{kind} of {} is over the {} that {} allows", show_bytes(bytes), show_bytes(limit), place(rule));
    if show_bytes(bytes) == show_bytes(limit) {
        // Rounding would make the sentence read as if nothing were over.
        let _infallible = write!(reason, " ({bytes} of at most {limit} bytes)");
    }
    reason
}
