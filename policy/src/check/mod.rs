//! Policies that are right and yet probably not what was meant: rules that never count, contradict each other or reach too far.

mod contradictions;
mod coverage;
mod shadows;
mod width;

use std::fmt;

use serde::Serialize;

use crate::language::{Allow, Policy};
use crate::values::{Glob, words};
use crate::{ActionKind, PolicySet, Rule};

words! {
    /// What is wrong with a rule.
    Doubt, "a doubt", {
        /// It reaches further than policies usually mean to.
        TooWide = "too-wide",
        /// It counts for nothing, as another rule says as much or more wherever it applies.
        Shadowed = "shadowed",
        /// It can never count.
        Unreachable = "unreachable",
        /// It says the opposite of another rule of the same policy.
        Contradictory = "contradictory",
    }
}

/// One rule that is probably not what was meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Where.
    pub rule: Rule,
    /// What kind of doubt.
    pub doubt: Doubt,
    /// What is wrong and how to mend it.
    pub reason: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}: {}", self.rule.file, self.rule.line, self.doubt, self.rule.key, self.reason)
    }
}

/// What is known of the gate that the policies are for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// The names of all its desktops; empty if they are not known.
    pub desktops: &'a [String],
}

impl PolicySet {
    /// All doubts about these policies, by file and line.
    pub fn check(&self, surroundings: Surroundings<'_>) -> Vec<Finding> {
        let mut findings = Findings::default();
        for (number, policy) in self.policies().iter().enumerate() {
            contradictions::check(policy, &mut findings);
            width::check(self.policies(), policy, &mut findings);
            shadows::check(self.policies(), number, policy, &mut findings);
            unknown_desktops(policy, surroundings, &mut findings);
        }
        findings.0.sort();
        findings.0
    }
}

/// Gathers doubts.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, doubt: Doubt, rule: Rule, reason: impl Into<String>) {
        self.0.push(Finding { rule, doubt, reason: reason.into() });
    }
}

/// Globs for desktops that the gate does not have.
fn unknown_desktops(policy: &Policy, surroundings: Surroundings<'_>, findings: &mut Findings) {
    let desktops = surroundings.desktops;
    if desktops.is_empty() {
        return;
    }
    let none = |glob: &&Glob| !desktops.iter().any(|desktop| glob.matches(desktop));
    for glob in policy.applies.desktops.iter().flatten().filter(none) {
        let reason = format!("no desktop of this gate is called `{glob}`; there are {}", desktops.join(", "));
        findings.add(Doubt::Unreachable, policy.rule(policy.applies.at, "applies.desktops".into()), reason);
    }
}

/// The kinds that an entry of `allow` permits.
fn permitted_by(allow: &Allow) -> impl Iterator<Item = ActionKind> + '_ {
    ActionKind::ALL.into_iter().filter(|kind| kind.allowed_by().contains(&allow.kind))
}

/// The kinds that are denied where this one is.
fn denied_by(action: ActionKind) -> impl Iterator<Item = ActionKind> {
    ActionKind::ALL.into_iter().filter(move |kind| kind.denied_with().contains(&action))
}

/// `contractors.yaml:7`
fn place(rule: &Rule) -> String {
    format!("{}:{}", rule.file, rule.line)
}
