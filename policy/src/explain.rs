//! Why: which policies were considered, which condition kept the others out, and what each of the rest says.

use serde::Serialize;

use crate::language::{Fit, Policy};
use crate::{ActionKind, Obligation, PolicySet, Request, Rule, Situation, Then, Verdict};

/// Everything that policy says of a subject on a desktop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Every policy, in the order of files, and whether it applies.
    pub policies: Vec<Considered>,
    /// Every kind of action, judged at its smallest.
    pub actions: Vec<Allowance>,
    /// What the session owes.
    pub obligations: Vec<Obligation>,
}

/// One policy and whether it applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Considered {
    /// Its name.
    pub policy: String,
    /// Its conditions: the line of `applies`.
    pub rule: Rule,
    /// Whether all of its conditions hold.
    pub applies: Holds,
    /// The conditions that do not hold, or depend on what is not known, by their keys.
    pub but: Vec<&'static str>,
}

/// Whether conditions hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// All of them.
    Yes,
    /// One depends on a time or an address that is not given: what the policy denies, limits and asks counts, what it allows does not.
    Unknown,
    /// One does not.
    No,
}

/// What policy says of one kind of action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Allowance {
    /// The kind.
    pub action: ActionKind,
    /// The verdict on the smallest of its kind.
    pub verdict: Verdict,
    /// Limits that hold if it is permitted; the keys are those below `allow.ACTION`.
    pub limits: Vec<Obligation>,
    /// What contents must not hold.
    pub searched: Vec<Obligation>,
}

/// Why one action is permitted or denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// The verdict.
    pub verdict: Verdict,
    /// Every policy, in the order of files, with what it says of the action.
    pub steps: Vec<Step>,
}

/// One policy and what it says of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The policy, and whether it applies.
    #[serde(flatten)]
    pub considered: Considered,
    /// What it says; nothing if it does not apply or is silent.
    pub says: Option<Says>,
}

/// What a policy says of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// It allows it.
    Allows(Rule),
    /// It allows the kind, but this one is over its limit.
    Limits(Rule),
    /// It lets it cross without what was found in it.
    Redacts(Rule),
    /// It lets it cross and tells of what was found in it.
    Alerts(Rule),
    /// It denies it.
    Denies(Rule),
}

impl PolicySet {
    /// Everything that policy says of a subject on a desktop.
    pub fn explain(&self, situation: &Situation<'_>) -> Explanation {
        let action = |kind: ActionKind| Allowance {
            action: kind,
            verdict: self.decide(&situation.wants(kind.at_all())),
            limits: self.limits(situation, kind).listed(),
            searched: self.searched(situation, kind),
        };
        Explanation {
            policies: self.policies().iter().map(|policy| considered(policy, situation)).collect(),
            actions: ActionKind::ALL.into_iter().map(action).collect(),
            obligations: self.obligations(situation).listed(),
        }
    }

    /// Why one action is permitted or denied: the verdict of [`PolicySet::decide`], and what each policy contributes.
    pub fn why(&self, request: &Request<'_>) -> Why {
        let step = |policy: &Policy| {
            let considered = considered(policy, &request.situation);
            let says = (considered.applies != Holds::No).then(|| says(policy, request)).flatten();
            Step { considered, says }
        };
        Why { verdict: self.decide(request), steps: self.policies().iter().map(step).collect() }
    }

    fn searched(&self, situation: &Situation<'_>, kind: ActionKind) -> Vec<Obligation> {
        let detectors = self.detectors(situation, kind).into_iter();
        let listed =
            detectors.map(|stated| Obligation { key: "containing", value: stated.described(), rule: stated.rule });
        listed.collect()
    }
}

fn considered(policy: &Policy, situation: &Situation<'_>) -> Considered {
    let fits = policy.applies.fits(situation);
    let applies = match policy.applies.fit(situation) {
        Fit::Yes => Holds::Yes,
        Fit::Unknown => Holds::Unknown,
        Fit::No => Holds::No,
    };
    // What is not known is no matter where something known keeps the policy out.
    let kept = if applies == Holds::No { Fit::No } else { Fit::Unknown };
    let but = fits.into_iter().filter(|(_, fit)| *fit == kept).map(|(key, _)| key).collect();
    Considered {
        policy: policy.name.value.clone(),
        rule: policy.rule(policy.applies.at, "applies".into()),
        applies,
        but,
    }
}

fn says(policy: &Policy, request: &Request<'_>) -> Option<Says> {
    let kind = request.action.kind();
    if let Some(rule) = policy.denies(kind, request.contents) {
        return Some(Says::Denies(rule));
    }
    let does = |then| policy.does(then, kind, request.contents);
    let found = || does(Then::Redact).map(Says::Redacts).or_else(|| does(Then::Alert).map(Says::Alerts));
    let Some(allow) = policy.allows(kind) else { return found() };
    let bytes = request.action.bytes().unwrap_or(0);
    if let Some(limit) = allow.limits.max_bytes.as_ref().filter(|limit| bytes > limit.value.bytes()) {
        return Some(Says::Limits(limit.rule.clone()));
    }
    match allow.limits.unlike(request.contents) {
        Some(unlike) => Some(Says::Limits(unlike.rule.clone())),
        None => found().or_else(|| Some(Says::Allows(policy.allow_rule(allow)))),
    }
}
