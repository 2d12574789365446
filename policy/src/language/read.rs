//! From one file to one policy, or to every fault in the file.

use super::asks::asks;
use super::fields::{Faults, Fields, list, name};
use super::keys::{self, find};
use super::node::{self, At, Node, Placed};
use super::policy::{Allow, Applies, Containing, Deny, Policy};
use super::value::{names, stated, value, words};
use crate::verdict::DEFAULT_POLICY;
use crate::{ActionKind, FileLimits, Limits, MAX_FILE_BYTES, PolicyError, PolicyFile, Stated, Then};

/// Reads one file; adds to `errors` and returns nothing when there is any fault in it. What it uses of the language that this version does
/// not enforce is added to `later`.
pub(crate) fn read(file: &PolicyFile, errors: &mut Vec<PolicyError>, later: &mut Vec<PolicyError>) -> Option<Policy> {
    let start = At { line: 1, column: 1 };
    if file.text.len() > MAX_FILE_BYTES {
        errors.push(start.error(&file.name, "this file is over the 1 MiB that a policy may have".to_owned()));
        return None;
    }
    let root = match node::parse(&file.name, &file.text) {
        Ok(root) => root,
        Err(error) => {
            errors.push(error);
            return None;
        }
    };
    let before = errors.len();
    let policy = policy(&root, &mut Faults { file: &file.name, policy: String::new(), errors, later });
    policy.filter(|_| errors.len() == before)
}

fn policy(root: &Node, faults: &mut Faults<'_>) -> Option<Policy> {
    let fields = Fields::at(root, "", faults)?;
    let name = fields.required("policy", "give the policy a name, such as `policy: contractors`", faults);
    let mend = "say whom it is for, or write `applies: {}` for everybody on every desktop";
    let applies_to = fields.required("applies", mend, faults);
    let name = name.and_then(|(_, node)| own_name(node, faults));
    faults.policy = name.as_ref().map(|name| name.value.clone()).unwrap_or_default();
    let applies = applies_to.and_then(|(at, node)| applies(at, node, faults));
    let allow = fields.get("allow").map(|(_, node)| allow(node, faults)).unwrap_or_default();
    let deny = fields.get("deny").map(|(_, node)| deny(node, faults)).unwrap_or_default();
    let asks = asks(&fields, faults);
    if fields.iter().all(|(key, _)| matches!(key.value.as_str(), "policy" | "applies")) {
        let rules: Vec<&str> = keys::below("").map(|(name, _)| name).skip(2).collect();
        faults.add(fields.at, format!("this policy rules nothing; add one of {}", rules.join(", ")));
    }
    Some(Policy { file: faults.file.into(), name: name?, applies: applies?, allow, deny, asks })
}

fn own_name(node: &Node, faults: &mut Faults<'_>) -> Option<Placed<String>> {
    let name = name(node, "the policy's name", faults)?;
    if name == DEFAULT_POLICY {
        faults.add(
            node.at,
            format!("the policy's name is `{DEFAULT_POLICY}`, which stands for the built-in rule; choose another"),
        );
        return None;
    }
    Some(Placed { at: node.at, value: name.to_owned() })
}

fn applies(at: At, node: &Node, faults: &mut Faults<'_>) -> Option<Applies> {
    let path = "applies";
    let fields = Fields::at(node, path, faults)?;
    let mut exact = |field: &str, what: &str| {
        let (_, node) = fields.get(field)?;
        Some(names(node, find(&format!("{path}.{field}"))?, what, faults))
    };
    Some(Applies {
        at,
        users: exact("users", "the name of a user"),
        groups: exact("groups", "the name of a group"),
        issuers: exact("issuers", "the name of an issuer"),
        desktops: value(&fields, path, "desktops", faults),
        networks: value(&fields, path, "networks", faults),
        hours: value(&fields, path, "hours", faults),
    })
}

fn allow(node: &Node, faults: &mut Faults<'_>) -> Vec<Allow> {
    let Some(fields) = Fields::at(node, "allow", faults) else {
        return Vec::new();
    };
    let mut allowed = Vec::new();
    for (key, node) in fields.iter() {
        let Some(kind) = ActionKind::from_name(&key.value) else {
            continue;
        };
        let path = format!("allow.{kind}");
        let Some(limits) = Fields::at(node, &path, faults) else {
            continue;
        };
        let types = stated(&limits, &path, "types", faults);
        let limits = Limits {
            max_bytes: stated(&limits, &path, "max_bytes", faults),
            per_minute: stated(&limits, &path, "per_minute", faults),
            bytes_per_minute: stated(&limits, &path, "bytes_per_minute", faults),
            bytes_per_session: stated(&limits, &path, "bytes_per_session", faults),
            keep: stated(&limits, &path, "keep", faults),
            types: types.into_iter().collect::<Vec<Stated<_>>>(),
            scan: stated(&limits, &path, "scan", faults),
            files: files(&limits, &path, faults),
        };
        allowed.push(Allow { kind, at: key.at, limits });
    }
    allowed
}

/// What stands below `upload` and `download` alone.
fn files(limits: &Fields<'_>, path: &str, faults: &mut Faults<'_>) -> FileLimits {
    FileLimits {
        per_session: stated(limits, path, "per_session", faults),
        extensions: stated(limits, path, "extensions", faults).into_iter().collect(),
        archives: stated(limits, path, "archives", faults),
        metadata: stated(limits, path, "metadata", faults),
        quarantine: stated(limits, path, "quarantine", faults),
    }
}

fn deny(node: &Node, faults: &mut Faults<'_>) -> Vec<Deny> {
    let mut denied = Vec::new();
    for entry in list(node, "`deny`", faults) {
        let Some(fields) = Fields::at(entry, "deny[]", faults) else {
            continue;
        };
        let mend = "name what is denied, such as `actions: [paste]`";
        let Some((_, actions)) = fields.required("actions", mend, faults) else {
            continue;
        };
        let Some(key) = find("deny[].actions") else { continue };
        let actions: Vec<Placed<ActionKind>> = words(actions, key, faults);
        let then = then(&fields, &actions, faults);
        let containing = fields.get("containing").and_then(|(at, _)| {
            let detectors = value(&fields, "deny[]", "containing", faults)?;
            Some(Containing { at, detectors, then })
        });
        if containing.is_some() {
            for action in actions.iter().filter(|action| !action.value.has_contents()) {
                let reason = format!("{} has no contents to search; deny it without `containing`", action.value);
                faults.add(action.at, reason);
            }
        }
        denied.push(Deny { actions, containing });
    }
    denied
}

/// What is done with contents in which something is found. Only a text that is handed over as it is can lack a part.
fn then(fields: &Fields<'_>, actions: &[Placed<ActionKind>], faults: &mut Faults<'_>) -> Then {
    let Some((at, _)) = fields.get("then") else { return Then::Deny };
    if fields.get("containing").is_none() {
        faults.add(at, "`then` says what is done with contents in which something is found; add `containing`");
    }
    let then = value(fields, "deny[]", "then", faults).unwrap_or(Then::Deny);
    let text = |kind: ActionKind| matches!(kind, ActionKind::Paste | ActionKind::Copy);
    if then == Then::Redact {
        for action in actions.iter().filter(|action| action.value.has_contents() && !text(action.value)) {
            let reason = format!("a file cannot be redacted; write `then: deny` or `then: alert` for {}", action.value);
            faults.add(action.at, reason);
        }
    }
    then
}
