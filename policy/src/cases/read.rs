//! Reading cases: `subjects` that have names, and `cases` that use them.

use std::collections::HashMap;
use std::net::IpAddr;

use super::{Case, MAX_CASES, Wanted};
use crate::language::fields::{Faults, Fields, list, name};
use crate::language::node::{self, At, Node, Value};
use crate::language::{keys, value::word};
use crate::shown::Shown;
use crate::values::{Detector, Size, meant, read_instant};
use crate::{Action, ActionKind, MAX_FILE_BYTES, PolicyError, PolicyFile, Subject};

/// The keys of a case.
const KEYS: [&str; 13] = [
    "name",
    "subject",
    "desktop",
    "action",
    "bytes",
    "type",
    "extension",
    "containing",
    "time",
    "network",
    "expect",
    "rule",
    "owes",
];
/// The issuer of subjects that name none.
const ISSUER: &str = "portcullis";
/// Faults that are reported at most; the rest is left for the next try.
const MAX_ERRORS: usize = crate::MAX_ERRORS;

pub(super) fn read(files: &[PolicyFile]) -> Result<Vec<Case>, Vec<PolicyError>> {
    let (mut errors, mut later, mut cases) = (Vec::new(), Vec::new(), Vec::new());
    let mut sorted: Vec<&PolicyFile> = files.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    for file in sorted {
        if file.text.len() > MAX_FILE_BYTES {
            let at = At { line: 1, column: 1 };
            errors.push(at.error(&file.name, "this file is over the 1 MiB that cases may have; split it".to_owned()));
            continue;
        }
        match node::parse(&file.name, &file.text) {
            Ok(root) => {
                let policy = String::new();
                file_of(
                    &root,
                    &mut cases,
                    &mut Faults { file: &file.name, policy, errors: &mut errors, later: &mut later },
                );
            }
            Err(error) => errors.push(error),
        }
    }
    errors.sort();
    errors.truncate(MAX_ERRORS);
    if errors.is_empty() { Ok(cases) } else { Err(errors) }
}

fn file_of(root: &Node, cases: &mut Vec<Case>, faults: &mut Faults<'_>) {
    let Some(fields) = Fields::of(root, "a file of cases", &["subjects", "cases"], faults) else { return };
    let mut subjects = HashMap::new();
    if let Some((_, node)) = fields.get("subjects") {
        let Value::Map(map) = &node.value else {
            return faults.add(node.at, format!("`subjects` is {} here; write a map of names", node.value.what()));
        };
        for (name, node) in map {
            if let Some(subject) = subject_of(&name.value, node, faults) {
                subjects.insert(name.value.clone(), subject);
            }
        }
    }
    let mend = "write a list of cases";
    let Some((_, node)) = fields.required("cases", mend, faults) else { return };
    let Value::List(entries) = &node.value else {
        return faults.add(node.at, format!("`cases` is {} here; {mend}", node.value.what()));
    };
    for entry in entries {
        if cases.len() >= MAX_CASES {
            return faults.add(entry.at, format!("there are more than {MAX_CASES} cases"));
        }
        cases.extend(case(entry, &subjects, faults));
    }
}

/// A subject of this name, with the groups and the issuer that the map under it gives.
fn subject_of(called: &str, node: &Node, faults: &mut Faults<'_>) -> Option<Subject> {
    let fields = Fields::of(node, "a subject", &["name", "groups", "issuer"], faults)?;
    let mut text = |key: &str, usual: &str| match fields.get(key) {
        Some((_, node)) => name(node, &format!("`{key}`"), faults).map(str::to_owned),
        None => Some(usual.to_owned()),
    };
    let (name_, issuer) = (text("name", called)?, text("issuer", ISSUER)?);
    let groups = match fields.get("groups") {
        // A subject without groups is worth a case too.
        Some((_, Node { value: Value::List(entries), .. })) => entries.as_slice(),
        Some((_, node)) => list(node, "`groups`", faults),
        None => &[],
    };
    let groups = groups.iter().filter_map(|group| name(group, "the name of a group", faults)).map(str::to_owned);
    Some(Subject { name: name_, groups: groups.collect(), issuer })
}

fn case(entry: &Node, subjects: &HashMap<String, Subject>, faults: &mut Faults<'_>) -> Option<Case> {
    let fields = Fields::of(entry, "a case", &KEYS, faults)?;
    let subject = fields.required("subject", "name one of `subjects`, or write {name: alice, groups: [users]}", faults);
    let desktop = fields.required("desktop", "name the desktop", faults);
    if fields.get("expect").is_none() && fields.get("owes").is_none() {
        faults.add(fields.at, "this case expects nothing; add `expect: permit`, `expect: deny` or `owes`");
    }
    let subject = subject.and_then(|(_, node)| who(node, subjects, faults));
    let desktop = desktop.and_then(|(_, node)| name(node, "the name of a desktop", faults));
    let kind = match fields.get("action") {
        Some((_, node)) => word::<ActionKind>(node, faults),
        None => Some(ActionKind::Open),
    };
    let mut text = |key: &str| fields.get(key).and_then(|(_, node)| name(node, &format!("`{key}`"), faults));
    let (title, media_type, extension) = (text("name"), text("type"), text("extension"));
    let at = read_field(&fields, "time", faults, read_instant);
    let from = read_field(&fields, "network", faults, address);
    let expect = fields.get("expect").and_then(|(_, node)| word(node, faults));
    let rule = read_field(&fields, "rule", faults, wanted);
    let (found, owes) = (found(&fields, faults), owes(&fields, faults));
    let action = kind.map(|kind| sized(kind, &fields, faults));
    Some(Case {
        file: faults.file.to_owned(),
        line: entry.at.line,
        name: title.map(str::to_owned),
        subject: subject?,
        desktop: desktop?.to_owned(),
        at,
        from,
        action: action?,
        media_type: media_type.map(str::to_owned),
        extension: extension.map(str::to_owned),
        found,
        expect,
        rule,
        owes,
    })
}

/// A subject by its name among `subjects`, or written out.
fn who(node: &Node, subjects: &HashMap<String, Subject>, faults: &mut Faults<'_>) -> Option<Subject> {
    if let Value::Map(_) = node.value {
        let fields = Fields::of(node, "a subject", &["name", "groups", "issuer"], faults)?;
        fields.required("name", "name the subject", faults)?;
        return subject_of("", node, faults);
    }
    let called = name(node, "the subject", faults)?;
    let subject = subjects.get(called).cloned();
    if subject.is_none() {
        let mut known: Vec<&str> = subjects.keys().map(String::as_str).collect();
        known.sort_unstable();
        faults.add(node.at, format!("`{}` is not one of `subjects`; {}", Shown(called), meant(called, &known)));
    }
    subject
}

fn read_field<T>(
    fields: &Fields<'_>,
    key: &str,
    faults: &mut Faults<'_>,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    let (_, node) = fields.get(key)?;
    let read = read(name(node, &format!("`{key}`"), faults)?);
    read.map_err(|reason| faults.add(node.at, reason)).ok()
}

/// The action with what it carries.
fn sized(kind: ActionKind, fields: &Fields<'_>, faults: &mut Faults<'_>) -> Action {
    for key in ["bytes", "type", "extension", "containing"] {
        if let Some((at, _)) = fields.get(key).filter(|_| !kind.has_contents()) {
            faults.add(at, format!("{kind} carries nothing across; take `{key}` out"));
        }
    }
    let bytes = match fields.get("bytes") {
        Some((_, Node { at, value: Value::Whole(_) })) => {
            faults.add(*at, "a size needs a unit, such as 4 KiB");
            0
        }
        _ => read_field(fields, "bytes", faults, Size::read).map_or(0, Size::bytes),
    };
    kind.carrying(bytes)
}

fn found(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Vec<Detector> {
    let Some((_, node)) = fields.get("containing") else { return Vec::new() };
    let mut found = Vec::new();
    for entry in list(node, "`containing`", faults) {
        match name(entry, "a detector", faults).map(Detector::read) {
            Some(Ok(detector)) => found.push(detector),
            Some(Err(reason)) => faults.add(entry.at, reason),
            None => {}
        }
    }
    found
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("`{}` is not an address, such as 10.1.2.3", Shown(text)))
}

/// `contractors.yaml:7 allow.paste`, `contractors allow.paste`, `default deny`.
fn wanted(text: &str) -> Result<Wanted, String> {
    let (place, key) = text.split_once(' ').map_or((text, None), |(place, key)| (place, Some(key.trim().to_owned())));
    let numbered = place.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse::<u32>().ok()?)));
    let (file, line) = numbered.map_or((place, None), |(file, line)| (file, Some(line)));
    Ok(Wanted { text: text.to_owned(), file: file.to_owned(), line, key })
}

fn owes(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Vec<(String, Option<String>)> {
    let Some((_, node)) = fields.get("owes") else { return Vec::new() };
    let parts = ["session.", "input.", "screen.", "recording.", "desktop."];
    let owed =
        |path: &&str| parts.iter().any(|part| path.strip_prefix(part).is_some_and(|key| !key.contains(['.', '['])));
    let known: Vec<&str> = keys().iter().map(|key| key.path).filter(owed).collect();
    let Some(fields) = Fields::of(node, "`owes`", &known, faults) else { return Vec::new() };
    let mut owes = Vec::new();
    for (key, node) in fields.iter() {
        let value = match &node.value {
            Value::Null => None,
            Value::Whole(count) => Some(count.to_string()),
            _ => match name(node, &format!("`{}`", key.value), faults) {
                Some(text) => Some(text.to_owned()),
                None => continue,
            },
        };
        owes.push((key.value.clone(), value));
    }
    owes
}
