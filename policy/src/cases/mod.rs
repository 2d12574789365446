//! Cases kept beside the policies: who does what, and the verdict and rule that are expected.

mod read;

use std::net::IpAddr;
use std::time::SystemTime;

use serde::Serialize;

use crate::{
    Action, Contents, Detector, Effect, PolicyError, PolicyFile, PolicySet, Request, Rule, Situation, Subject, Verdict,
};

/// Cases in one set; more is refused.
pub const MAX_CASES: usize = 100_000;

/// The cases of some files.
#[derive(Debug, Clone)]
pub struct Cases(Vec<Case>);

/// One case.
#[derive(Debug, Clone)]
struct Case {
    file: String,
    line: u32,
    name: Option<String>,
    subject: Subject,
    desktop: String,
    at: Option<SystemTime>,
    from: Option<IpAddr>,
    action: Action,
    media_type: Option<String>,
    extension: Option<String>,
    found: Vec<Detector>,
    expect: Option<Effect>,
    rule: Option<Wanted>,
    /// Keys of obligations with their values; nothing for what must not be owed.
    owes: Vec<(String, Option<String>)>,
}

/// The rule that is expected: `contractors.yaml:7 allow.paste`, less of it, the policy's name instead of the file's, or `default deny`.
#[derive(Debug, Clone)]
struct Wanted {
    text: String,
    file: String,
    line: Option<u32>,
    key: Option<String>,
}

/// How one case went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    /// The file that the case stands in.
    pub file: String,
    /// Its line there, from 1.
    pub line: u32,
    /// What it is about, in words.
    pub name: String,
    /// What is not as expected; nothing if the case passed.
    pub faults: Vec<String>,
    /// The verdict that there is.
    pub verdict: Verdict,
}

impl CaseResult {
    /// Whether all is as expected.
    pub fn passed(&self) -> bool {
        self.faults.is_empty()
    }
}

impl Cases {
    /// Reads all cases of these files; on failure every fault found in any of them, ordered by file and line.
    pub fn parse(files: &[PolicyFile]) -> Result<Self, Vec<PolicyError>> {
        read::read(files).map(Self)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Runs all cases, in the order of their files.
    pub fn run(&self, set: &PolicySet) -> Vec<CaseResult> {
        self.0.iter().map(|case| case.run(set)).collect()
    }
}

impl Case {
    fn run(&self, set: &PolicySet) -> CaseResult {
        let situation = Situation { subject: &self.subject, desktop: &self.desktop, at: self.at, from: self.from };
        let found: Vec<&Detector> = self.found.iter().collect();
        let contents = Contents {
            media_type: self.media_type.as_deref(),
            extension: self.extension.as_deref(),
            found: &found,
            ..Contents::default()
        };
        let verdict = set.decide(&Request { situation, action: self.action, contents });
        let mut faults = Vec::new();
        if let Some(expected) = self.expect.filter(|expected| *expected != verdict.effect) {
            let (expected, found) = (expected.name(), verdict.effect.name());
            faults.push(format!("expected {expected}, got {found} by {}: {}", verdict.rule, verdict.reason));
        } else if let Some(wanted) = self.rule.as_ref().filter(|wanted| !wanted.is(&verdict.rule)) {
            faults.push(format!("expected the rule {}, got {}", wanted.text, verdict.rule));
        }
        faults.extend(self.unpaid(set, &situation));
        CaseResult { file: self.file.clone(), line: self.line, name: self.title(), faults, verdict }
    }

    /// What is owed and should not be, or is not and should.
    fn unpaid(&self, set: &PolicySet, situation: &Situation<'_>) -> Vec<String> {
        if self.owes.is_empty() {
            return Vec::new();
        }
        let owed = set.obligations(situation).listed();
        let unpaid = self.owes.iter().filter_map(|(key, value)| {
            let these: Vec<_> = owed.iter().filter(|owed| owed.key == key.as_str()).collect();
            let right = match value {
                Some(value) => these.iter().any(|owed| owed.value == *value),
                None => these.is_empty(),
            };
            let shown: Vec<String> = these.iter().map(|owed| format!("{} by {}", owed.value, owed.rule)).collect();
            let wanted = value.as_deref().unwrap_or("nothing");
            let got = if shown.is_empty() { "nothing".to_owned() } else { shown.join(", ") };
            (!right).then(|| format!("expected {key} to be {wanted}, got {got}"))
        });
        unpaid.collect()
    }

    fn title(&self) -> String {
        let plain = || format!("{} on {}: {}", self.subject.name, self.desktop, self.action.kind());
        self.name.clone().unwrap_or_else(plain)
    }
}

impl Wanted {
    fn is(&self, rule: &Rule) -> bool {
        let place = match &self.file {
            file if rule.is_default() => *file == rule.policy,
            file => *file == rule.file || *file == rule.policy,
        };
        place && self.line.is_none_or(|line| line == rule.line) && self.key.as_ref().is_none_or(|key| *key == rule.key)
    }
}
