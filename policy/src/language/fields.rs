//! Reading a map field by field: unknown, repeated and missing keys are faults, and one fault does not hide the next.

use super::nearest::nearest;
use super::node::{At, Node, Placed, Value};
use crate::PolicyError;
use crate::shown::Shown;

/// Entries of one list; more is refused.
const MAX_LIST: usize = 1024;
/// Characters of a name in a policy; more is refused.
const MAX_NAME: usize = 256;

/// Where faults of one file are gathered.
pub(crate) struct Faults<'a> {
    pub(crate) file: &'a str,
    pub(crate) errors: &'a mut Vec<PolicyError>,
}

impl Faults<'_> {
    /// Notes a fault.
    pub(crate) fn add(&mut self, at: At, reason: impl Into<String>) {
        self.errors.push(at.error(self.file, reason.into()));
    }
}

/// The fields of one map, its keys known to be known and unrepeated.
pub(crate) struct Fields<'a> {
    /// Where the map itself stands.
    pub(crate) at: At,
    entries: Vec<(&'a Placed<String>, &'a Node)>,
}

impl<'a> Fields<'a> {
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

    /// All fields in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a Placed<String>, &'a Node)> {
        self.entries.iter().copied()
    }
}

fn unknown_key(key: &str, of: &str, known: &[&str]) -> String {
    let mend = match nearest(key, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "it takes none".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    };
    format!("unknown key `{}` in {of}; {mend}", Shown(key))
}

/// A word out of a fixed vocabulary, with the nearest one suggested for what is not in it.
pub(crate) fn word<'a>(node: &'a Node, what: &str, known: &[&str], faults: &mut Faults<'_>) -> Option<&'a str> {
    let word = name(node, what, faults)?;
    if known.contains(&word) {
        return Some(word);
    }
    let mend = match nearest(word, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    faults.add(node.at, format!("`{}` is not {what}; {mend}", Shown(word)));
    None
}

/// A name: text of 1 to 256 characters, none of them a control character, no blanks around it.
pub(crate) fn name<'a>(node: &'a Node, what: &str, faults: &mut Faults<'_>) -> Option<&'a str> {
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
        text if text.is_empty() => "is empty; write a name",
        text if text.chars().count() > MAX_NAME => "is longer than 256 characters; shorten it",
        text if text.chars().any(char::is_control) => "has a control character in it; take it out",
        text if text.trim() != text => "has blanks at its start or end; take them out",
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
