//! Reading a map field by field: unknown, repeated and missing keys are faults, and one fault does not hide the next.

use super::keys;
use super::node::{At, Node, Placed, Value};
use crate::shown::Shown;
use crate::values::meant;
use crate::{PolicyError, Rule};

/// Entries of one list; more is refused.
const MAX_LIST: usize = 1024;
/// Characters of a name in a policy; more is refused.
pub(crate) const MAX_NAME: usize = 256;

/// Words that people try, and what says it here.
const TRIED: [(&str, &str); 4] = [
    ("view_only", "who may look and not touch is denied `control`: deny: [{actions: [control]}]"),
    ("read_only", "who may look and not touch is denied `control`: deny: [{actions: [control]}]"),
    ("clipboard", "the clipboard is `paste` for the way in and `copy` for the way out, under `allow` and `deny`"),
    ("files", "files are `upload` for the way in and `download` for the way out, under `allow` and `deny`"),
];

/// Where faults of one file are gathered.
pub(crate) struct Faults<'a> {
    pub(crate) file: &'a str,
    /// The policy's own name, once it is known.
    pub(crate) policy: String,
    pub(crate) errors: &'a mut Vec<PolicyError>,
    /// What is right but not enforced by this version.
    pub(crate) later: &'a mut Vec<PolicyError>,
}

impl Faults<'_> {
    /// Notes a fault.
    pub(crate) fn add(&mut self, at: At, reason: impl Into<String>) {
        self.errors.push(at.error(self.file, reason.into()));
    }

    /// The rule at this place of this file.
    pub(crate) fn rule(&self, at: At, key: &str) -> Rule {
        Rule { file: self.file.to_owned(), line: at.line, policy: self.policy.clone(), key: key.to_owned() }
    }
}

/// The fields of one map, its keys known to be known and unrepeated.
pub(crate) struct Fields<'a> {
    /// Where the map itself stands.
    pub(crate) at: At,
    entries: Vec<(&'a Placed<String>, &'a Node)>,
}

impl<'a> Fields<'a> {
    /// The fields of the map at a path of the language ([`keys`]); those that are not enforced are noted as such.
    pub(crate) fn at(node: &'a Node, path: &str, faults: &mut Faults<'_>) -> Option<Self> {
        let known: Vec<&str> = keys::below(path).map(|(name, _)| name).collect();
        let of = match path {
            "" => "this policy".to_owned(),
            _ => match path.strip_suffix("[]") {
                Some(list) => format!("an entry of `{list}`"),
                None => format!("`{path}`"),
            },
        };
        let fields = Self::of(node, &of, &known, faults)?;
        for (name, key) in keys::below(path).filter(|(_, key)| !key.enforced) {
            if let Some((at, _)) = fields.get(name) {
                let reason = format!(
                    "`{}` is understood, but this version does not enforce it; take it out until one does",
                    key.path
                );
                faults.later.push(at.error(faults.file, reason));
            }
        }
        Some(fields)
    }

    /// The fields of `node`, which must be a map with no keys but `known`; `of` names the map in faults.
    pub(crate) fn of(node: &'a Node, of: &str, known: &[&str], faults: &mut Faults<'_>) -> Option<Self> {
        let Value::Map(map) = &node.value else {
            let mend = if known.is_empty() {
                "the empty map {}".to_owned()
            } else {
                format!("a map with the keys {}", known.join(", "))
            };
            faults.add(node.at, format!("{of} must be {mend}, not {}", node.value.what()));
            return None;
        };
        let mut entries: Vec<(&Placed<String>, &Node)> = Vec::new();
        for (key, value) in map {
            if !known.contains(&key.value.as_str()) {
                faults.add(key.at, unknown_key(&key.value, of, known));
            } else if let Some((first, _)) = entries.iter().find(|(seen, _)| seen.value == key.value) {
                faults.add(
                    key.at,
                    format!("`{}` is given twice in {of}, first in line {}; keep one", key.value, first.at.line),
                );
            } else {
                entries.push((key, value));
            }
        }
        Some(Self { at: node.at, entries })
    }

    /// The value under a key, with the place of the key.
    pub(crate) fn get(&self, key: &str) -> Option<(At, &'a Node)> {
        self.entries.iter().find(|(name, _)| name.value == key).map(|(name, value)| (name.at, *value))
    }

    /// The value under a key that must be there; `mend` says what to write.
    pub(crate) fn required(&self, key: &str, mend: &str, faults: &mut Faults<'_>) -> Option<(At, &'a Node)> {
        let found = self.get(key);
        if found.is_none() {
            faults.add(self.at, format!("the key `{key}` is missing; {mend}"));
        }
        found
    }

    /// All fields in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a Placed<String>, &'a Node)> {
        self.entries.iter().copied()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn unknown_key(key: &str, of: &str, known: &[&str]) -> String {
    let mend = match TRIED.iter().find(|(word, _)| *word == key) {
        Some((_, says)) => (*says).to_owned(),
        None if known.is_empty() => "it takes none".to_owned(),
        None => meant(key, known),
    };
    format!("unknown key `{}` in {of}; {mend}", Shown(key))
}

/// A name: text of 1 to 256 characters, none of them a control character, no blanks around it.
pub(crate) fn name<'a>(node: &'a Node, what: &str, faults: &mut Faults<'_>) -> Option<&'a str> {
    line(node, what, MAX_NAME, faults)
}

/// The same with another limit.
pub(crate) fn line<'a>(node: &'a Node, what: &str, most: usize, faults: &mut Faults<'_>) -> Option<&'a str> {
    let text = match &node.value {
        Value::Text(text) => text,
        Value::Bool | Value::Whole(_) | Value::Number => {
            faults.add(
                node.at,
                format!("{what} is {} here; if it is meant as a name, put it in quotes", node.value.what()),
            );
            return None;
        }
        other => {
            faults.add(node.at, format!("{what} is {} here; write a name", other.what()));
            return None;
        }
    };
    let fault = match text {
        text if text.is_empty() => "is empty; write a name".to_owned(),
        text if text.chars().count() > most => format!("is longer than {most} characters; shorten it"),
        text if text.chars().any(char::is_control) => "has a control character in it; take it out".to_owned(),
        text if text.trim() != text => "has blanks at its start or end; take them out".to_owned(),
        text => return Some(text),
    };
    faults.add(node.at, format!("{what} {fault}"));
    None
}

/// The entries of a list with something in it.
pub(crate) fn list<'a>(node: &'a Node, of: &str, faults: &mut Faults<'_>) -> &'a [Node] {
    match &node.value {
        Value::List(entries) if entries.is_empty() => {
            faults.add(node.at, format!("{of} is an empty list; name at least one or take the key out"));
            &[]
        }
        Value::List(entries) if entries.len() > MAX_LIST => {
            faults.add(
                node.at,
                format!("{of} has {} entries; {MAX_LIST} are the most that one list may have", entries.len()),
            );
            &[]
        }
        Value::List(entries) => entries,
        other => {
            faults.add(node.at, format!("{of} is {} here; write a list, such as [one, two]", other.what()));
            &[]
        }
    }
}
