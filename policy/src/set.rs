//! All policies of one revision, parsed and in a fixed order.

use std::collections::HashMap;

use crate::language::{self, Policy};
use crate::shown::Shown;
use crate::{PolicyError, Revision, Subject};

/// Files in one set; more is refused.
pub const MAX_FILES: usize = 4096;
/// Bytes of one file; more is refused.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// Faults that are reported at most; the rest is left for the next try.
pub const MAX_ERRORS: usize = 100;

/// One policy file as it was read: this package opens none itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// How the file is called in rules and errors: its path below the policy folder.
    pub name: String,
    /// The whole text, YAML.
    pub text: String,
}

/// The policies of one revision.
#[derive(Debug, Clone)]
pub struct PolicySet {
    /// INVARIANT: sorted by file name, so that no answer depends on the order in which files were read.
    policies: Vec<Policy>,
    by_group: ByGroup,
    revision: Revision,
}

/// Which policies can apply to whom, by their numbers, so that a decision looks at those alone.
#[derive(Debug, Clone, Default)]
struct ByGroup {
    groups: HashMap<String, Vec<usize>>,
    /// Policies that name no group.
    anybody: Vec<usize>,
}

impl PolicySet {
    /// Parses all files, one policy each; on failure every fault found in any of them, ordered by file and line.
    pub fn parse(files: &[PolicyFile]) -> Result<Self, Vec<PolicyError>> {
        if let Some(over) = files.get(MAX_FILES) {
            let reason =
                format!("there are {} policy files, more than the {MAX_FILES} that a set may hold", files.len());
            return Err(vec![PolicyError { file: over.name.clone(), line: 1, column: 1, reason }]);
        }
        let mut errors = Vec::new();
        let mut policies: Vec<_> = files.iter().filter_map(|file| language::read(file, &mut errors)).collect();
        policies.sort_by(|a, b| a.file.cmp(&b.file));
        refuse_repeated(files, &policies, &mut errors);
        if errors.is_empty() {
            return Ok(Self { by_group: ByGroup::of(&policies), policies, revision: Revision::of(files) });
        }
        errors.sort();
        errors.dedup();
        errors.truncate(MAX_ERRORS);
        Err(errors)
    }

    /// The set without policies: it denies everything.
    pub fn deny_all() -> Self {
        Self { policies: Vec::new(), by_group: ByGroup::default(), revision: Revision::of(&[]) }
    }

    /// The fingerprint of the files that this set was parsed from.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// The policies that apply to this subject on this desktop, in the order of their files.
    pub(crate) fn applying<'a>(&'a self, subject: &'a Subject, desktop: &'a str) -> impl Iterator<Item = &'a Policy> {
        let candidates = self.by_group.of_subject(subject).into_iter().filter_map(|number| self.policies.get(number));
        candidates.filter(move |policy| policy.applies.matches(subject, desktop))
    }
}

impl ByGroup {
    fn of(policies: &[Policy]) -> Self {
        let mut index = Self::default();
        for (number, policy) in policies.iter().enumerate() {
            let Some(groups) = &policy.applies.groups else {
                index.anybody.push(number);
                continue;
            };
            for group in groups {
                index.groups.entry(group.clone()).or_default().push(number);
            }
        }
        index
    }

    /// The policies that name no group or one of the subject's, each once and in order.
    fn of_subject(&self, subject: &Subject) -> Vec<usize> {
        let named = subject.groups.iter().filter_map(|group| self.groups.get(group));
        let mut numbers: Vec<usize> = named.chain([&self.anybody]).flatten().copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// Two policies of one name, or two files of one name, would make a rule ambiguous.
fn refuse_repeated(files: &[PolicyFile], policies: &[Policy], errors: &mut Vec<PolicyError>) {
    let mut names: HashMap<&str, &Policy> = HashMap::new();
    for policy in policies {
        if let Some(first) = names.insert(&policy.name.value, policy) {
            let (name, first) = (Shown(&policy.name.value), Shown(&first.file));
            let reason = format!("the policy name `{name}` is taken by {first}; give each policy a name of its own");
            errors.push(policy.name.at.error(&policy.file, reason));
        }
    }
    let mut seen: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    seen.sort_unstable();
    for pair in seen.windows(2) {
        if let [first, second] = pair
            && first == second
        {
            let reason = "this file was given twice; give each file once".to_owned();
            errors.push(PolicyError { file: (*second).to_owned(), line: 1, column: 1, reason });
        }
    }
}
