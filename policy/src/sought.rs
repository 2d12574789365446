//! What contents are searched for by policy, and the lists of words that policies name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::language::node::{self, Node, Value};
use crate::values::WordFile;
use crate::{Detector, PolicyFile, PolicySet, Rule, Then};

/// Lists of words of one set; more is refused.
pub const MAX_LISTS: usize = 32;

/// A detector that a policy names, and what is done where it finds something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// What is searched for.
    pub detector: Detector,
    /// What is done where it is found.
    pub then: Then,
    /// The entry of `deny` that says so.
    pub rule: Rule,
}

impl Sought {
    /// The detector as policies write it, and what is done where that is not to deny: `payment-card, then redact`.
    pub(crate) fn described(&self) -> String {
        match self.then {
            Then::Deny => self.detector.to_string(),
            then => format!("{}, then {then}", self.detector),
        }
    }
}

/// The lists of words of a set, by their paths. What they hold is shown to nobody whose texts are searched for it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Lists(BTreeMap<String, Arc<str>>);

impl Lists {
    /// Those of these files that policies name.
    pub(crate) fn of(files: &[PolicyFile], named: &BTreeSet<&str>) -> Self {
        let named = files.iter().filter(|file| named.contains(file.name.as_str()));
        Self(named.map(|file| (file.name.clone(), file.text.as_str().into())).collect())
    }

    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(|text| &**text)
    }
}

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl PolicySet {
    /// What a list of words holds, a word or phrase on each line.
    pub fn words(&self, list: &WordFile) -> Option<&str> {
        self.lists().get(list.path())
    }

    /// Every detector that any policy names, each once, with the first entry that names it.
    pub fn all_detectors(&self) -> Vec<Sought> {
        let mut all: Vec<Sought> = Vec::new();
        for policy in self.policies() {
            for (index, containing) in policy.contents() {
                for detector in &containing.detectors {
                    if !all.iter().any(|known| known.detector == *detector) {
                        let rule = policy.rule(containing.at, format!("deny[{index}].containing"));
                        all.push(Sought { detector: detector.clone(), then: containing.then, rule });
                    }
                }
            }
        }
        all
    }
}

/// The lists of words that these policies name, by their paths in the policy folder: what is to be read beside them. Of what is no policy, none.
pub fn lists(files: &[PolicyFile]) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for file in files.iter().filter(|file| file.text.contains("words:") && file.text.len() <= crate::MAX_FILE_BYTES) {
        let Ok(Node { value: Value::Map(fields), .. }) = node::parse(&file.name, &file.text) else { continue };
        for entry in of(&fields, "deny").flat_map(entries) {
            let Value::Map(fields) = &entry.value else { continue };
            let texts = of(fields, "containing").flat_map(entries).filter_map(|entry| match &entry.value {
                Value::Text(text) => WordFile::named(text),
                _ => None,
            });
            named.extend(texts.map(|list| list.path().to_owned()));
        }
    }
    named
}

fn of<'a>(fields: &'a [(node::Placed<String>, Node)], key: &'a str) -> impl Iterator<Item = &'a Node> {
    fields.iter().filter(move |(name, _)| name.value == key).map(|(_, node)| node)
}

fn entries(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(entries) => entries,
        _ => &[],
    }
}
