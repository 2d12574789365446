//! All policies of one revision, parsed and in a fixed order.

use std::collections::{BTreeSet, HashMap};

use crate::index::Index;
use crate::language::{self, Policy};
use crate::shown::Shown;
use crate::sought::{Lists, MAX_LISTS};
use crate::{Detector, Egress, Limits, Lock, PolicyError, Revision, Rule, ScreenText, Stated};

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
    index: Index,
    lists: Lists,
    revision: Revision,
}

/// Policies as their authors see them: right, but perhaps ahead of what this version enforces.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The policies.
    pub set: PolicySet,
    /// Each use of a key that this version does not enforce, ordered by file and line.
    pub later: Vec<PolicyError>,
}

impl PolicySet {
    /// Parses files that name no lists of words, as [`PolicySet::parse_with`] does.
    pub fn parse(files: &[PolicyFile]) -> Result<Self, Vec<PolicyError>> {
        Self::parse_with(files, &[])
    }

    /// Parses all files, one policy each, with the lists of words that they name ([`crate::lists`]); on failure every fault found in any of them,
    /// ordered by file and line.
    ///
    /// A key that this version does not enforce ([`crate::Key::enforced`]) is a fault: nobody may rely on a rule that nothing follows.
    pub fn parse_with(files: &[PolicyFile], lists: &[PolicyFile]) -> Result<Self, Vec<PolicyError>> {
        let mut errors = Vec::new();
        let mut later = Vec::new();
        let policies = read(files, &mut errors, &mut later);
        errors.append(&mut later);
        Self::unless(errors, policies, files, lists)
    }

    /// Parses all files like [`PolicySet::parse`], for their authors: keys that are not enforced yet come beside the set.
    pub fn draft(files: &[PolicyFile]) -> Result<Draft, Vec<PolicyError>> {
        Self::draft_with(files, &[])
    }

    /// The same for [`PolicySet::parse_with`].
    pub fn draft_with(files: &[PolicyFile], lists: &[PolicyFile]) -> Result<Draft, Vec<PolicyError>> {
        let mut errors = Vec::new();
        let mut later = Vec::new();
        let policies = read(files, &mut errors, &mut later);
        later.sort();
        Ok(Draft { set: Self::unless(errors, policies, files, lists)?, later })
    }

    fn unless(
        mut errors: Vec<PolicyError>,
        policies: Vec<Policy>,
        files: &[PolicyFile],
        lists: &[PolicyFile],
    ) -> Result<Self, Vec<PolicyError>> {
        let named = named_lists(&policies, lists, &mut errors);
        if errors.is_empty() {
            let of_revision: Vec<PolicyFile> =
                lists.iter().filter(|list| named.contains(list.name.as_str())).chain(files).cloned().collect();
            let lists = Lists::of(lists, &named);
            let revision = Revision::of(&of_revision);
            return Ok(Self { index: Index::of(&policies), lists, revision, policies });
        }
        errors.sort();
        errors.dedup();
        errors.truncate(MAX_ERRORS);
        Err(errors)
    }

    /// The set without policies: it denies everything.
    pub fn deny_all() -> Self {
        Self { policies: Vec::new(), index: Index::of(&[]), lists: Lists::default(), revision: Revision::of(&[]) }
    }

    /// The same policies under another name: that of the commit that their files come from.
    #[must_use]
    pub fn named(self, revision: Revision) -> Self {
        Self { revision, ..self }
    }

    /// What names the files that this set was parsed from.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.policies.len()
    }

    /// Whether there are none: then everything is denied.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// Every entry of `allow` and `deny`, in the order of files: the rules that verdicts can rest on.
    pub fn rules(&self) -> Vec<Rule> {
        self.policies.iter().flat_map(Policy::rules).collect()
    }

    /// The firmest `recording.lock` that any policy asks for, to whomever it applies; none where no policy asks for one.
    pub fn firmest_lock(&self) -> Option<Stated<Lock>> {
        let locks = self.policies.iter().filter_map(|policy| policy.asks.recording.lock.clone());
        locks.filter(|lock| lock.value != Lock::None).max_by_key(|lock| lock.value)
    }

    /// A rule that asks for the text on the screen to be read, if any policy has one: the first.
    pub fn text_reader(&self) -> Option<&Stated<ScreenText>> {
        let mut asked = self.policies.iter().filter_map(|policy| policy.asks.recording.text.as_ref());
        asked.find(|text| text.value == ScreenText::Read)
    }

    /// Every `desktop.egress` that a policy states, in the order of files.
    pub fn ways_out(&self) -> impl Iterator<Item = &Stated<Egress>> {
        self.policies.iter().filter_map(|policy| policy.asks.desktop.egress.as_ref())
    }

    /// The limits of every entry of `allow`, in the order of files.
    pub fn allowed(&self) -> impl Iterator<Item = &Limits> {
        self.policies.iter().flat_map(|policy| policy.allow.iter().map(|allow| &allow.limits))
    }

    /// The policies, in the order of their files.
    pub(crate) fn policies(&self) -> &[Policy] {
        &self.policies
    }

    pub(crate) fn lists(&self) -> &Lists {
        &self.lists
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }
}

/// The policies of these files, in the order of their names, as far as they are right.
fn read(files: &[PolicyFile], errors: &mut Vec<PolicyError>, later: &mut Vec<PolicyError>) -> Vec<Policy> {
    if let Some(over) = files.get(MAX_FILES) {
        let reason = format!("there are {} policy files, more than the {MAX_FILES} that a set may hold", files.len());
        errors.push(PolicyError { file: over.name.clone(), line: 1, column: 1, reason });
        return Vec::new();
    }
    let mut policies: Vec<_> = files.iter().filter_map(|file| language::read(file, errors, later)).collect();
    policies.sort_by(|a, b| a.file.cmp(&b.file));
    refuse_repeated(files, &policies, errors);
    policies
}

/// The lists of words that policies name, each of which must be there.
fn named_lists<'a>(policies: &'a [Policy], lists: &[PolicyFile], errors: &mut Vec<PolicyError>) -> BTreeSet<&'a str> {
    let mut named = BTreeSet::new();
    for policy in policies {
        for (_, containing) in policy.contents() {
            for path in containing.detectors.iter().filter_map(|detector| match detector {
                Detector::Words(list) => Some(list.path()),
                _ => None,
            }) {
                let fault = if !lists.iter().any(|list| list.name == path) {
                    Some(format!("there is no file {} in the policy folder to read words from", Shown(path)))
                } else if named.len() >= MAX_LISTS && !named.contains(path) {
                    Some(format!("there are more than {MAX_LISTS} lists of words; put some together"))
                } else {
                    None
                };
                errors.extend(fault.map(|reason| containing.at.error(&policy.file, reason)));
                named.insert(path);
            }
        }
    }
    named
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
