//! The YAML tree with the place of every key and value, so that each fault and each rule can say where it stands.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, MergeKeyPolicy, Spanned};

use crate::PolicyError;

/// Levels of nesting; the language itself needs five.
const MAX_DEPTH: usize = 16;
/// Keys, values and lists in one file.
const MAX_NODES: usize = 50_000;

/// A place in a file: line and column from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl At {
    /// The fault `reason` at this place of `file`.
    pub(crate) fn error(self, file: &str, reason: String) -> PolicyError {
        PolicyError { file: file.to_owned(), line: self.line, column: self.column, reason }
    }
}

impl From<Location> for At {
    fn from(location: Location) -> Self {
        let number = |wide: u64| u32::try_from(wide).unwrap_or(u32::MAX).max(1);
        Self { line: number(location.line()), column: number(location.column()) }
    }
}

/// Something with the place where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed<T> {
    pub(crate) at: At,
    pub(crate) value: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Placed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { at: spanned.defined.into(), value: spanned.value })
    }
}

/// A value with its place.
pub(crate) type Node = Placed<Value>;

/// A YAML value, of which policies use text, whole numbers, lists and maps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Bool,
    Whole(u64),
    Number,
    Text(String),
    List(Vec<Node>),
    /// In the order of the file; repeated keys are still repeated.
    Map(Vec<(Placed<String>, Node)>),
}

impl Value {
    /// What this is, for an error.
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool => "true or false",
            Self::Whole(_) | Self::Number => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// Parses one YAML document; anchors, aliases, merges, includes and unknown tags are refused.
pub(crate) fn parse(file: &str, text: &str) -> Result<Node, PolicyError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_NODES, max_anchors: 0, max_aliases: 0 },
        // Repeated keys and `<<` come through to the reader of fields, which refuses them beside all other faults.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options::<Node>(text, options).map_err(|error| {
        let at = error.location().map_or(At { line: 1, column: 1 }, At::from);
        at.error(file, in_our_words(&error, at, text))
    })
}

/// What the parser found, without its own position (ours stands before it) and with the mend where there is a usual one.
fn in_our_words(error: &serde_saphyr::Error, at: At, text: &str) -> String {
    use serde_saphyr::budget::BudgetBreach::{Aliases, Anchors};
    match error {
        serde_saphyr::Error::MultipleDocuments { .. } => {
            return "one file holds one policy; move what follows `---` to a file of its own".to_owned();
        }
        serde_saphyr::Error::Budget { breach: Anchors { .. } | Aliases { .. }, .. } => {
            return "anchors (&) and aliases (*) are no part of policies; write the value out".to_owned();
        }
        _ => {}
    }
    if character(text, at) == Some('*') {
        return "a name that starts with * must stand in quotes, such as '*'".to_owned();
    }
    let found = error.to_string();
    let place = format!(" at line {}, column {}", at.line, at.column);
    let found = found.strip_suffix(&place).unwrap_or(&found);
    format!("this is not the YAML of a policy: {found}")
}

fn character(text: &str, at: At) -> Option<char> {
    let index = |number: u32| usize::try_from(number.checked_sub(1)?).ok();
    text.lines().nth(index(at.line)?)?.chars().nth(index(at.column)?)
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Build)
    }
}

struct Build;

impl<'de> Visitor<'de> for Build {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Bool)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Whole(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(u64::try_from(number).map_or(Value::Number, Value::Whole))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}
